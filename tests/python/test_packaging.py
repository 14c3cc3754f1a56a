"""The package as it is installed: what is in it, and what others build on it."""

from __future__ import annotations

import ctypes
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

import latebind
from latebind import _core

FOLDER = Path(_core.__file__).parent
# Sources linked in place, rather than installed.
IN_PLACE = Path(latebind.__file__).parent != FOLDER or any(
    path.is_symlink() for path in FOLDER.iterdir()
)
installed = pytest.mark.skipif(IN_PLACE, reason="needs the package installed")
linux = pytest.mark.skipif(sys.platform != "linux", reason="ELF only")
compiler = os.environ.get("CC") or shutil.which("cc")

# An extension of somebody else, which uses the engine.
FOREIGN = r"""
#include <Python.h>
#include <latebind/latebind.h>

static PyObject *address(PyObject *self, PyObject *ignored)
{
    (void)self;
    (void)ignored;
    return PyLong_FromVoidPtr((void *)lb_runtime_create);
}

static PyMethodDef methods[] = {
    {"address", address, METH_NOARGS, "Where the engine's code is."},
    {NULL, NULL, 0, NULL},
};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "foreign", NULL, 0, methods,
                             NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_foreign(void)
{
    return PyModule_Create(&module);
}
"""


def run(*command: object, **options: object) -> str:
    """A command's output; an assertion with all of it if it fails."""
    environment = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
    options = {"env": environment, **options}
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def sources(root: Path) -> set[str]:
    """The files of the package in the repository, as git sees them."""
    folder = root / "python" / "latebind"
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in (".py", ".pyi", ".typed")
    }


# What is in it ---------------------------------------------------------------


def test_the_version_is_the_engines(root: Path) -> None:
    header = (Path(latebind.get_include()) / "latebind" / "version.h").read_text()
    (version,) = re.findall(r'^#define LB_VERSION "(.*)"', header, re.M)
    assert latebind.__version__ == version


@installed
def test_the_metadata_has_the_same_version() -> None:
    assert importlib.metadata.version("latebind") == latebind.__version__


@installed
def test_every_source_is_installed(root: Path) -> None:
    assert {name for name in sources(root) if not (FOLDER / name).is_file()} == set()


@installed
def test_nothing_else_is_installed(root: Path) -> None:
    ours = [FOLDER.name, "latebind-"]
    for path in importlib.metadata.files("latebind") or ():
        assert path.parts[0].startswith(tuple(ours)), path
    kinds = {path.suffix for path in FOLDER.rglob("*") if path.is_file()}
    assert kinds <= {".py", ".pyi", ".typed", ".pyc", ".h", ".so", ".1"}


def test_every_public_header_is_there(root: Path) -> None:
    folders = [root / "include"]
    if importlib.util.find_spec("latebind._ops"):
        folders.append(root / "ops" / "include")
    names = {
        path.relative_to(folder).as_posix()
        for folder in folders
        for path in folder.rglob("*.h")
    }
    there = Path(latebind.get_include())
    found = {
        os.path.relpath(Path(where) / name, there)
        for where, _, files in os.walk(there, followlinks=True)
        for name in files
        if name.endswith(".h")
    }
    assert names == found


def test_type_checkers_are_invited() -> None:
    assert (Path(latebind.__file__).parent / "py.typed").is_file()


# The engine ------------------------------------------------------------------


@linux
def test_the_process_has_one_engine() -> None:
    maps = Path("/proc/self/maps").read_text()
    found = {line.split()[-1] for line in maps.splitlines() if "liblatebind" in line}
    # The operators' library and its plug-ins have names of their own.
    engines = {one for one in found if "liblatebind-ops" not in one}
    assert engines == {str(FOLDER / "liblatebind.so.1")}


@linux
@pytest.mark.skipif(not shutil.which("readelf"), reason="no readelf")
def test_the_extension_looks_for_the_engine_beside_itself() -> None:
    text = run("readelf", "-d", _core.__file__)
    assert "[liblatebind.so.1]" in text
    if not IN_PLACE:
        assert re.search(r"R(UN)?PATH.*\[\$ORIGIN\]", text)


@linux
@pytest.mark.skipif(not compiler, reason="no compiler")
def test_a_foreign_extension_shares_the_engine(tmp_path: Path) -> None:
    source = tmp_path / "foreign.c"
    source.write_text(FOREIGN)
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    run(
        *[compiler, "-shared", "-fPIC", source],
        *["-I", sysconfig.get_paths()["include"], "-I", latebind.get_include()],
        *["-L", FOLDER, "-llatebind", "-o", tmp_path / f"foreign{suffix}"],
    )
    # In this process, where the engine is loaded already.
    sys.path.insert(0, str(tmp_path))
    try:
        import foreign
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.pop("foreign", None)
    engine = ctypes.CDLL(str(FOLDER / "liblatebind.so.1"))
    here = ctypes.cast(engine.lb_runtime_create, ctypes.c_void_p).value
    assert foreign.address() == here


def test_importing_it_loads_no_other_package() -> None:
    code = (
        "import sys; before = set(sys.modules); import latebind; "
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    names = run(sys.executable, "-c", code, env=environment).split()
    standard = sys.stdlib_module_names | {"latebind"}
    assert {name for name in names if name not in standard} == set()


# Building it -----------------------------------------------------------------


def building() -> dict[str, str]:
    """An environment with this one's tools, in which pip asks no server."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    folder = Path(sys.executable).parent
    environment["PATH"] = f"{folder}{os.pathsep}{environment['PATH']}"
    return {**environment, "PIP_NO_INDEX": "1"}


@pytest.fixture(scope="module")
def checkout(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of its own with what git knows of this one, as it is now."""
    if not shutil.which("git") or not (root / ".git").exists():
        pytest.skip("needs a git repository")
    pytest.importorskip("mesonpy")
    folder = tmp_path_factory.mktemp("checkout")
    for name in run("git", "-C", root, "ls-files", "-z").split("\0"):
        if name and (root / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target)
    git = ["git", "-C", folder, "-c", "user.name=test", "-c", "user.email=test@test"]
    run(*git, "init", "--quiet")
    run(*git, "add", "--all")
    run(*git, "commit", "--quiet", "--message", "Everything")
    (folder / "stray.txt").write_text("not in git")
    return folder


@pytest.fixture(scope="module")
def sdist(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    code = f"import mesonpy; mesonpy.build_sdist({str(folder)!r})"
    run(sys.executable, "-c", code, cwd=checkout, env=building())
    (archive,) = folder.glob("*.tar.gz")
    return archive


@pytest.mark.slow
def test_the_sdist_holds_what_git_holds(checkout: Path, sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {m.name.partition("/")[2] for m in archive if m.isfile()}
    tracked = set(run("git", "-C", checkout, "ls-files", "-z").split("\0")) - {""}
    assert names - {"PKG-INFO"} == tracked


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built offline from the sdist, as pip does it for users."""
    folder = tmp_path_factory.mktemp("wheel")
    words = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder]
    run(sys.executable, "-m", "pip", *words, sdist, env=building())
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_else(root: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    headers = {p.name for p in (root / "include" / "latebind").glob("*.h")}
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    wanted = {f"latebind/{name}" for name in sources(root)}
    wanted |= {f"latebind/include/latebind/{name}" for name in headers}
    wanted |= {f"latebind/_core{suffix}", "latebind/liblatebind.so.1"}
    wanted |= {"latebind/liblatebind.so"} if sys.platform == "linux" else set()
    described = {name for name in names if name.split("/")[0].endswith(".dist-info")}
    assert names - described == wanted
    assert any(name.endswith("/licenses/LICENSE") for name in described)


# What somebody does who has nothing but the wheel.
FIRST_STEPS = """
import sys
from latebind import dispatch
import foreign

class Rock: ...
class Paper: ...

@dispatch
def meet(a: Rock, b: Paper) -> str: return "paper wraps rock"
@dispatch
def meet(a: object, b: object) -> str: return "nothing happens"

print(meet(Rock(), Paper()), "/", meet(Paper(), Rock()), "/", foreign.address() != 0)
print(sys.modules["latebind._core"].__file__)
"""


@linux
@pytest.mark.slow
@pytest.mark.skipif(not compiler, reason="no compiler")
def test_the_wheel_works_in_an_environment_of_its_own_that_moves(
    wheel: Path, tmp_path: Path
) -> None:
    """An extension that was compiled before finds the engine, too."""
    clean = {**building(), "PYTHONNOUSERSITE": "1"}
    first, second = tmp_path / "first", tmp_path / "second"
    run(sys.executable, "-m", "venv", first, env=clean)
    python = first / "bin" / "python"
    run(python, "-m", "pip", "install", "--no-deps", wheel, env=clean)
    code = "import latebind; print(latebind.get_include())"
    include = Path(run(python, "-c", code, env=clean, cwd=tmp_path).strip())
    assert include.is_relative_to(first)
    source = tmp_path / "foreign.c"
    source.write_text(FOREIGN)
    made = f"foreign{sysconfig.get_config_var('EXT_SUFFIX')}"
    run(
        *[compiler, "-shared", "-fPIC", source],
        *["-I", sysconfig.get_paths()["include"], "-I", include],
        *["-L", include.parent, "-llatebind", "-o", include.parent.parent / made],
    )

    def tell() -> list[str]:
        words = [python, "-c", FIRST_STEPS]
        return run(*words, env=clean, cwd=tmp_path).splitlines()

    said = "paper wraps rock / nothing happens / True"
    place = include.parent.relative_to(first)
    assert tell()[0] == said
    first.rename(second)
    python = second / "bin" / "python"
    line, file = tell()
    assert line == said and Path(file).parent == second / place


@pytest.mark.slow
def test_an_editable_install_uses_the_sources(checkout: Path, tmp_path: Path) -> None:
    """...and builds again when a C file has changed."""
    # An environment that has what builds, but not the package.
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv")
    (packages,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    for package in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if not package.name.startswith(("latebind", "__pycache__")):
            (packages / package.name).symlink_to(package)
    python = tmp_path / "venv" / "bin" / "python"
    words = ["install", "--no-deps", "--no-build-isolation", "--editable", checkout]
    run(python, "-m", "pip", *words, env=building())

    code = (
        "import latebind, latebind._core, pathlib; print(latebind.__file__); "
        "print(latebind._core.__doc__); "
        "print(pathlib.Path(latebind.get_include(), 'latebind/abi.h').is_file())"
    )

    def tell() -> list[str]:
        return run(python, "-c", code, env=building(), cwd=tmp_path).splitlines()

    file, doc, include = tell()
    assert file == str(checkout / "python" / "latebind" / "__init__.py")
    assert include == "True"
    source = checkout / "python" / "src" / "module.c"
    assert doc in source.read_text()
    source.write_text(source.read_text().replace(doc, "Changed."))
    assert tell()[1] == "Changed."
