"""The extension in `extension/`, compiled, and what tests of it share."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import latebind
from latebind import GenericFunction, generic

# Every test file that imports the fixture has one of its own.
_folders: dict[str, Path] = {}
SOURCES = Path(__file__).parent / "extension"


def compile_extension(name: str, sources: list[Path], folder: Path) -> Path:
    """Build an extension as its author would, with the C compiler."""
    compiler = os.environ.get("CC") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    package = Path(latebind.__file__).parent
    made = folder / f"{name}{sysconfig.get_config_var('EXT_SUFFIX')}"
    command = [
        *compiler.split(),
        *["-std=c11", "-O1", "-g", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror"],
        f"-I{sysconfig.get_paths()['include']}",
        f"-I{latebind.get_include()}",
        *map(str, sources),
        f"-L{package}",
        "-llatebind",
        f"-Wl,-rpath,{package}",
        "-lpthread",
        "-o",
        str(made),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the extension lies: first in sys.path, for child processes, too."""
    if "shapes" not in _folders:
        made = _folders["shapes"] = tmp_path_factory.mktemp("extension")
        compile_extension("shapes", sorted(SOURCES.glob("*.c")), made)
        sys.path.insert(0, str(made))
    return _folders["shapes"]


@pytest.fixture(scope="session")
def shapes(folder: Path) -> Any:
    import shapes

    return shapes


@contextmanager
def method(function: Any, *given: Any, **options: Any) -> Iterator[Any]:
    """A method in Python, as long as the block."""
    before = function.methods
    function.register(*given, **options)
    (added,) = set(function.methods) - set(before)
    try:
        yield added
    finally:
        function.remove(added)


@contextmanager
def unraisable() -> Iterator[list[Any]]:
    """What went to sys.unraisablehook."""
    seen: list[Any] = []
    before, sys.unraisablehook = sys.unraisablehook, seen.append
    try:
        yield seen
    finally:
        sys.unraisablehook = before


def made() -> GenericFunction:
    """A generic function without methods."""

    @generic
    def f(*args: Any) -> Any: ...

    return f


@pytest.fixture
def with_methods(shapes: Any) -> Any:
    """The types have methods; that cannot be undone, nor is it harmful."""
    shapes.make_method(shapes.Shape, "area", shapes.area)
    shapes.make_method(shapes.Shape, "meet", shapes.meet)
    return shapes
