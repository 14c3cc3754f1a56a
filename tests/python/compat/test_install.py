"""`latebind.compat.install`: unchanged programs get the drop-ins."""

from __future__ import annotations

import functools
import importlib
import subprocess
import sys
import textwrap

import pytest

from latebind import GenericFunction, compat


def imported() -> dict[str, object]:
    """The modules under the names that drop-ins take."""
    names = set(compat.NAMES.values())
    return {
        name: module
        for name, module in sys.modules.items()
        if name.partition(".")[0] in names
    }


@pytest.fixture(autouse=True)
def nothing_installed():
    before = imported()
    yield
    for name in compat.installed():
        compat.uninstall(name)
    assert imported() == before


def test_installed_packages_are_found_by_import():
    compat.install("multipledispatch")
    import multipledispatch
    import multipledispatch.dispatcher as sub
    from multipledispatch.conflict import supercedes

    assert multipledispatch.__name__ == "latebind.compat.multipledispatch"
    assert sub is multipledispatch.dispatcher
    assert supercedes([int], [object])
    assert isinstance(multipledispatch.Dispatcher("f"), GenericFunction)
    assert compat.installed() == ("multipledispatch",)


def test_uninstalling_gives_back_what_was_there(monkeypatch):
    before = object()
    monkeypatch.setitem(sys.modules, "multipledispatch", before)
    monkeypatch.setitem(sys.modules, "multipledispatch.old", before)
    monkeypatch.setitem(sys.modules, "multipledispatching", before)
    compat.install("multipledispatch")
    compat.install("multipledispatch")
    assert sys.modules["multipledispatch"] is not before
    assert "multipledispatch.old" not in sys.modules
    assert sys.modules["multipledispatching"] is before
    compat.uninstall("multipledispatch")
    compat.uninstall("multipledispatch")
    assert sys.modules["multipledispatch"] is before
    assert sys.modules["multipledispatch.old"] is before
    assert "multipledispatch.core" not in sys.modules


def test_functools_gets_the_two_names_only():
    original = functools.singledispatch
    compat.install("functools")
    compat.install("functools")
    assert isinstance(functools.singledispatch(len), GenericFunction)
    assert functools.singledispatchmethod.__module__ == "latebind.compat.functools"
    assert sys.modules["functools"] is functools
    compat.uninstall("functools")
    assert functools.singledispatch is original


@pytest.mark.parametrize("name", compat.NAMES)
def test_all_can_be_installed_and_taken_away(name):
    compat.install(name)
    assert name in compat.installed()
    module = importlib.import_module(compat.NAMES[name])
    assert name == "functools" or module.__name__ == f"latebind.compat.{name}"
    compat.uninstall(name)
    assert name not in compat.installed()


def test_the_article_of_2003_imports_multimethods():
    compat.install("gnosis")
    from multimethods import Dispatch

    assert Dispatch([((int,), str)])(5) == ["5"]


def test_what_is_not_there_is_named():
    for call in (compat.install, compat.uninstall):
        with pytest.raises(ValueError, match="for 'ovld'; there are functools"):
            call("ovld")


# ---- the command -------------------------------------------------------------

PROGRAM = """
    import sys
    import helper
    from multipledispatch import dispatch

    @dispatch(int, int)
    def add(x, y):
        return x + y

    print(__name__, type(add).__mro__[-2].__name__, add(1, 2), sys.argv[1:], helper.X)
"""


@pytest.fixture
def program(tmp_path):
    folder = tmp_path / "somewhere"
    folder.mkdir()
    (folder / "program.py").write_text(textwrap.dedent(PROGRAM))
    (folder / "helper.py").write_text("X = 'helped'")
    return folder / "program.py"


def run(*args, cwd=None):
    command = [sys.executable, "-m", "latebind.compat", *map(str, args)]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False
    )


def test_a_program_runs_unchanged(program):
    done = run("multipledispatch", program, "-x", "y")
    assert done.stderr == ""
    assert done.stdout == "__main__ GenericFunction 3 ['-x', 'y'] helped\n"


def test_a_program_knows_its_whole_path(program):
    program.write_text("print(__file__)")
    done = run("multipledispatch", "program.py", cwd=program.parent)
    assert done.stdout.split() == [str(program)]


def test_a_module_runs_unchanged(program):
    done = run("multipledispatch", "-m", "program", "z", cwd=program.parent)
    assert done.stderr == ""
    assert done.stdout == "__main__ GenericFunction 3 ['z'] helped\n"


def test_several_at_once(program):
    program.write_text(
        "import functools, multipledispatch\n"
        "print(functools.singledispatch.__module__, multipledispatch.__name__)\n"
    )
    done = run("functools,multipledispatch", program)
    expected = "latebind.compat.functools latebind.compat.multipledispatch\n"
    assert (done.stderr, done.stdout) == ("", expected)


@pytest.mark.parametrize("args", [(), ("multipledispatch",), ("ovld", "program.py")])
def test_a_wrong_command_says_how_it_is_used(args):
    done = run(*args)
    assert done.returncode == 2
    assert "NAME[,NAME...]" in done.stderr and "multipledispatch" in done.stderr


def test_the_exit_status_is_the_programs(program):
    program.write_text("raise SystemExit(7)")
    assert run("functools", program).returncode == 7
