"""`python -m latebind`: what it prints, and its exit status.

Most of it by main(), in this process; what belongs to the process by a child.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import latebind
from latebind._cli import main

SHAPES = """
    from __future__ import annotations
    import collections.abc
    from latebind import Dispatcher, dispatch, generic

    class Shape: ...
    class Circle(Shape): ...
    class Square(Shape): ...

    @generic
    def area(shape: Shape) -> float:
        "The area of a shape."

    @area.register
    def area_of_circle(shape: Circle) -> float:
        return 3.0

    @area.register
    def area_of_square(shape: Square) -> float:
        return 1.0

    @dispatch
    def scale(shape: Shape, by: int) -> Shape:
        return shape

    @dispatch
    def scale(shape: Shape, *, to: float) -> Shape:
        return shape

    class Canvas:
        @dispatch
        def draw(self, shape: Circle) -> str:
            return "circle"

        @dispatch
        def draw(self, shape: Square) -> str:
            return "square"

    class Board(Canvas):
        @dispatch
        def draw(self, shape: int) -> str:
            return "number"

    namespace = Dispatcher()

    @namespace
    def inside(x: int) -> int:
        return x

    plain = 3
"""

_numbers = itertools.count()
Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a module that can be imported, and gives its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(source: str = SHAPES) -> str:
        name = f"cli_module_{next(_numbers)}"
        Path(f"{name}.py").write_text(textwrap.dedent(source))
        return name

    return write


def child(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "latebind", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


# ------------------------------------------------------------------ the process


def test_the_version_is_the_package_s(tmp_path: Path) -> None:
    done = child("--version", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"latebind {latebind.__version__}\n")


@pytest.mark.parametrize("command", ["explain", "check", "report", "stubs"])
def test_every_command_has_help(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert command in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["explain"], ["check"], ["report", "--what"]]
)
def test_wrong_usage_has_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_a_module_of_the_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "shapes.py").write_text(textwrap.dedent(SHAPES))
    done = child("explain", "shapes:area", "Circle", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "runs  area_of_circle(shape: Circle)" in done.stdout
    assert done.stderr == ""


# ------------------------------------------------------------------ explain


def test_explain_says_what_runs_and_why_others_do_not(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", f"{write()}:area", "Circle"]) == 0
    said = capsys.readouterr().out
    assert "runs  area_of_circle(shape: Circle)" in said
    assert "not   area_of_square(shape: Square)" in said


def test_explain_of_a_call_that_would_fail_has_status_1(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", f"{write()}:area", "int"]) == 1
    assert ": missing" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("function", "types", "expected"),
    [
        ("scale", ["Circle", "bool"], "by: int"),
        ("scale", ["Circle", "to=float"], "to: float"),
        ("Canvas.draw", ["Canvas", "Square"], "shape: Square"),
        ("Board.draw", ["Board", "int"], "shape: int"),
        ("namespace.inside", ["int"], "inside(x: int)"),
        ("inside", ["bool"], "inside(x: int)"),
    ],
)
def test_explain_finds_functions_and_types_by_name(
    write: Write,
    capsys: pytest.CaptureFixture[str],
    function: str,
    types: list[str],
    expected: str,
) -> None:
    assert main(["explain", f"{write()}:{function}", *types]) == 0
    runs = capsys.readouterr().out.splitlines()[1]
    assert runs.startswith("  runs") and expected in runs


def test_a_call_that_a_base_class_takes_is_well(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", f"{write()}:Board.draw", "Board", "Circle"]) == 0
    assert "Canvas.draw of the base class" in capsys.readouterr().out


def test_types_may_be_dotted_names_and_none(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    name = write()
    assert main(["explain", f"{name}:area", "collections.OrderedDict"]) == 1
    assert "area(collections.OrderedDict)" in capsys.readouterr().out
    assert main(["explain", f"{name}:area", "None"]) == 1
    assert "area(None)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("function", "types", "said"),
    [
        ("areas", ["int"], "did you mean area"),
        ("nothing_like_it", ["int"], "its generic functions are"),
        ("plain", ["int"], "is no generic function"),
        ("area", ["Circel"], "did you mean Circle"),
        ("area", ["plain"], "a class is wanted"),
        ("scale", ["to=float", "Circle"], "come before"),
        ("area", ["os.nothing"], "there is no type os.nothing"),
    ],
)
def test_explain_names_what_is_wrong(
    write: Write,
    capsys: pytest.CaptureFixture[str],
    function: str,
    types: list[str],
    said: str,
) -> None:
    assert main(["explain", f"{write()}:{function}", *types]) == 2
    caught = capsys.readouterr()
    assert said in caught.err
    assert caught.out == ""


def test_explain_wants_a_module_and_a_function(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["explain", "area", "int"]) == 2
    assert "MODULE:FUNCTION" in capsys.readouterr().err


# ------------------------------------------------------------------ modules


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such_module_here", "no_such_module_here"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("x = (", "SyntaxError"),
        ("raise SystemExit(3)", "it exits"),
    ],
)
def test_a_module_that_fails_is_named_without_a_traceback(
    write: Write, capsys: pytest.CaptureFixture[str], source: str, said: str
) -> None:
    name = write(source)
    for command in ("check", "report", "stubs"):
        assert main([command, name]) == 2
        caught = capsys.readouterr().err
        assert f"cannot import {name}" in caught and said in caught
        assert "Traceback" not in caught


def test_the_place_of_an_error_in_a_module_is_said(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    name = write("\n\n1 / 0")
    main(["check", name])
    assert f"{name}.py:3" in capsys.readouterr().err


def test_a_module_that_does_not_exist_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["check", "no_such_module_here"]) == 2
    assert "there is no module no_such_module_here" in capsys.readouterr().err
    assert main(["check", "no/such/file.py"]) == 2
    assert "there is no file no/such/file.py" in capsys.readouterr().err


def test_a_file_in_a_package_is_imported_as_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    package = tmp_path / "cli_package" / "inner"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").write_text("")
    (package.parent / "base.py").write_text("class Base: ...\n")
    (package / "user.py").write_text(
        "from latebind import dispatch\n"
        "from ..base import Base\n"
        "@dispatch\ndef f(x: Base): ...\n"
    )
    assert main(["explain", f"{package / 'user.py'}:f", "Base"]) == 0
    assert "runs  f(x: Base)" in capsys.readouterr().out
    assert "cli_package.inner.user" in sys.modules


# ------------------------------------------------------------------ report


def test_report_writes_a_file_and_says_where(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    name = write()
    assert main(["report", name]) == 0
    assert f"{name}.html: 5 generic functions" in capsys.readouterr().err
    page = Path(f"{name}.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "Canvas.draw" in page


def test_report_goes_where_it_is_told(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    name = write()
    assert main(["report", name, "-o", "page.html"]) == 0
    assert Path("page.html").read_text().startswith("<!DOCTYPE html>")
    capsys.readouterr()
    assert main(["report", name, "-o", "-"]) == 0
    assert capsys.readouterr().out == Path("page.html").read_text()
    assert main(["report", name, "-o", "no/such/folder/page.html"]) == 2
    assert "cannot write no/such/folder/page.html" in capsys.readouterr().err


def test_report_counts_the_calls_of_a_run(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    name = write()
    Path("job.py").write_text(
        f"import sys, {name} as m\n"
        "for i in range(int(sys.argv[1])):\n    m.area(m.Circle())\n"
    )
    assert main(["report", name, "--run", "job.py", "37"]) == 0
    page = Path(f"{name}.html").read_text()
    assert "37 calls counted" in page
    assert "Calls counted in a run of job.py 37." in page
    assert not sys.modules[name].area.counting


def test_report_of_a_run_that_fails_is_still_written(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    name = write()
    Path("job.py").write_text(f"import {name} as m\nm.area(m.Circle())\nm.area(1)\n")
    assert main(["report", name, "--run", "job.py"]) == 1
    caught = capsys.readouterr().err
    assert "NoMethodError" in caught and "the run ended with status 1" in caught
    assert "_cli.py" not in caught
    assert "2 calls counted" in Path(f"{name}.html").read_text()


def test_report_runs_a_module_by_name(write: Write) -> None:
    name = write()
    job = write(f"import {name} as m\nif __name__ == '__main__': m.area(m.Square())\n")
    assert main(["report", name, "--run", "-m", job]) == 0
    assert "1 call counted" in Path(f"{name}.html").read_text()


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ([], "wants a script"),
        (["-m"], "wants the name of a module"),
        (["missing.py"], "there is no file missing.py"),
    ],
)
def test_report_refuses_a_run_of_nothing(
    write: Write, capsys: pytest.CaptureFixture[str], run: list[str], said: str
) -> None:
    assert main(["report", write(), "--run", *run]) == 2
    assert said in capsys.readouterr().err


def test_report_refuses_to_run_the_module_itself(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    name = write()
    assert main(["report", name, "--run", f"{name}.py"]) == 2
    assert "is the module itself" in capsys.readouterr().err


def test_report_of_a_package_takes_its_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    package = tmp_path / "cli_whole"
    package.mkdir()
    for name in ("__init__", "one", "two"):
        (package / f"{name}.py").write_text(
            f"from latebind import dispatch\n@dispatch\ndef in_{name}(x: int): ...\n"
        )
    (package / "__main__.py").write_text("raise SystemExit(1)")
    assert main(["report", "cli_whole"]) == 0
    assert "in_one" not in Path("cli_whole.html").read_text()
    assert main(["report", "-r", "cli_whole"]) == 0
    page = Path("cli_whole.html").read_text()
    assert all(f"in_{name}" in page for name in ("__init__", "one", "two"))
