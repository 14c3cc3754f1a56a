"""`python -m latebind stubs`: the text, and what mypy and pyright make of it."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import itertools
import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from latebind._cli import main
from latebind._stubs import stub

SOURCES = Path(__file__).resolve().parents[2] / "python"

HEAD = """
from __future__ import annotations
from typing import Annotated, Any, Literal
from latebind import Dispatcher, dispatch, generic

class A: ...
class B(A): ...
"""

_numbers = itertools.count()
Make = Callable[..., str]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """The stub of a module with this source."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(source: str, head: str = HEAD) -> str:
        name = f"stubbed_module_{next(_numbers)}"
        (tmp_path / f"{name}.py").write_text(head + textwrap.dedent(source))
        text = stub(importlib.import_module(name))
        ast.parse(text)
        return text

    return make


def calls_of(text: str, name: str = "__call__") -> list[str]:
    """The signatures of the overloads, without self."""
    found = re.findall(rf"def {name}(?:\[.*?\])?\((.*)\) -> (.*): \.\.\.", text)
    return [f"{p.removeprefix('self').removeprefix(', ')} -> {r}" for p, r in found]


# ------------------------------------------------------------------ the order


def test_the_most_specific_method_comes_first(make: Make) -> None:
    text = make(
        """
        @dispatch
        def f(x: object) -> int: return 0
        @dispatch
        def f(x: A) -> float: return 0.0
        @dispatch
        def f(x: B) -> str: return ""
        @dispatch
        def f(x: Literal[1]) -> bytes: return b""
        """
    )
    assert calls_of(text) == [
        "x: B -> str",
        "x: A -> float",
        "x: Literal[1] -> bytes",
        "x: object -> int",
    ]


def test_methods_that_do_not_compare_stay_in_the_order_of_definition(
    make: Make,
) -> None:
    text = make(
        """
        @dispatch
        def f(x: str) -> str: return ""
        @dispatch
        def f(x: int, y: int) -> int: return 0
        @dispatch
        def f(x: int) -> float: return 0.0
        """
    )
    assert calls_of(text) == [
        "x: str -> str",
        "x: int, y: int -> int",
        "x: int -> float",
    ]


def test_fixed_arguments_come_before_any_number_of_them(make: Make) -> None:
    text = make(
        """
        @dispatch
        def f(*xs: int) -> int: return 0
        @dispatch
        def f(x: int, y: int = 0) -> float: return 0.0
        @dispatch
        def f(x: int) -> str: return ""
        """
    )
    assert calls_of(text) == [
        "x: int -> str",
        "x: int, y: int=... -> float",
        "*xs: int -> int",
    ]


def test_the_declaration_comes_last(make: Make) -> None:
    text = make(
        """
        @generic
        def f(x: A) -> float: ...
        @f.register
        def f_of_b(x: B) -> int: return 0
        """
    )
    assert calls_of(text) == ["x: B -> int", "x: A -> float"]


def test_around_methods_come_before_primary_ones(make: Make) -> None:
    text = make(
        """
        @dispatch
        def f(x: A) -> int: return 0
        @dispatch
        def f(x: int) -> int: return 0
        @f.register(around=True)
        def wrap(x: A, *, next_method: Any) -> str: return str(next_method())
        @f.register(before=True)
        def log(x: A) -> bytes: return b""
        """
    )
    assert calls_of(text) == ["x: A -> str", "x: int -> int"]


# ------------------------------------------------------------------ results


def test_a_method_that_tests_values_may_step_aside(make: Make) -> None:
    text = make(
        """
        @dispatch
        def f(x: Annotated[int, lambda v: v > 0]) -> str: return ""
        @dispatch
        def f(x: int) -> bytes: return b""
        @dispatch
        def f(x: object) -> float: return 0.0
        """
    )
    assert calls_of(text) == ["x: int -> str | bytes", "x: object -> float"]


def test_combinations_have_results_of_their_own(make: Make) -> None:
    text = make(
        """
        @dispatch(combination="list")
        def f(x: A) -> int: return 0
        @dispatch
        def f(x: B) -> str: return ""
        @dispatch(combination=len)
        def g(x: A) -> int: return 0
        """
    )
    assert calls_of(text) == [
        "x: B -> list[str | int]",
        "x: A -> list[int]",
        "x: A -> _Any",
    ]


def test_types_given_to_register_are_written(make: Make) -> None:
    text = make(
        """
        import collections
        @generic
        def f(x, y): ...
        f.register(int, A, lambda x, y: x)
        @f.register(collections.Counter, list[int])
        def _(x, y=()) -> int: return 0
        f.register(Literal["a", None] | type[A], lambda x, y: x)
        """
    )
    assert calls_of(text) == [
        "x: int, y: A -> _Any",
        "x: collections.Counter, y: list[int] = ... -> int",
        "x: _Literal['a'] | None | type[A], y: object -> _Any",
        "x: _Any, y: _Any -> _Any",
    ]


def test_a_class_without_a_name_is_written_as_its_base(make: Make) -> None:
    text = make(
        """
        @dispatch
        def f(x: int) -> int: return 0
        f.register(type("Hidden", (A,), {}), lambda x: 1)
        """
    )
    assert calls_of(text) == ["x: int -> int", "x: A -> _Any"]


def test_next_method_is_nobody_s_argument(make: Make) -> None:
    text = make(
        """
        @dispatch
        def f(x: A, *, next_method: Any) -> int: return 0
        @dispatch
        def f(x: B, *, k: int = 0, next_method: Any) -> int: return 0
        """
    )
    assert "next_method" not in text
    assert "x: B, *, k: int=... -> int" in calls_of(text)


def test_coroutines_and_parameters_called_self_are_kept(make: Make) -> None:
    text = make(
        """
        @dispatch
        async def f(self: int) -> int: return 0
        @dispatch
        async def f(self: str) -> str: return ""
        """
    )
    assert "async def __call__(_self, self: int) -> int: ..." in text


def test_methods_of_other_modules_are_mentioned_only(make: Make) -> None:
    text = make(
        """
        import operator
        @dispatch
        def f(x: int, y: int) -> int: return 0
        f.register(str, str, operator.add)
        """
    )
    assert calls_of(text) == ["x: int, y: int -> int"]
    assert "# and 1 method of other modules" in text


# ------------------------------------------------------------------ classes


def test_in_a_class_there_are_plain_overloads(make: Make) -> None:
    text = make(
        """
        class C:
            @dispatch
            def f(self, x: int) -> int: return 0
            @dispatch
            def f(self, x: str) -> str: return ""
            @dispatch
            @classmethod
            def g(cls, x: int) -> C: return cls()
            @dispatch
            @staticmethod
            def h(x: int) -> int: return x
        class D(C):
            @dispatch
            def f(self, x: bytes) -> bytes: return b""
        """
    )
    assert calls_of(text, "f") == [
        "x: int -> int",
        "x: str -> str",
        "x: bytes -> bytes",
        "x: int -> int",
        "x: str -> str",
    ]
    assert "    @classmethod\n    def g(cls, x: int) -> C: ..." in text
    assert "    @staticmethod\n    def h(x: int) -> int: ..." in text


# ------------------------------------------------------------------ other names

OTHERS = '''
    """What it is for."""
    from __future__ import annotations
    import enum
    import json
    import sys
    from collections.abc import Sequence
    from dataclasses import dataclass, field
    from typing import TYPE_CHECKING, NamedTuple, TypeVar, overload
    from latebind import dispatch
    if TYPE_CHECKING:
        from decimal import Decimal
    try:
        import fast_json as fast
    except ImportError:
        fast = None

    T = TypeVar("T")
    Pair = tuple[int, int]
    LIMITS = {"a": 1}
    EMPTY = []
    first, second = 1, "b"
    handler = json.dumps
    encoder = json.JSONEncoder()
    if sys.version_info >= (3, 8):
        NEW = True
    else:
        NEW = False
    if len(LIMITS) > 5:
        def branch() -> int: return 1
    else:
        def branch() -> str: return ""

    class Colour(enum.Enum):
        RED = 1

    @dataclass
    class Point:
        """A point."""
        x: int
        y: list[int] = field(default_factory=list)
        def norm(self) -> float:
            return 1.0
        @property
        def size(self): return 1
        @size.setter
        def size(self, value: int) -> None: pass

    class Pair2(NamedTuple):
        a: int

    class Node:
        COUNT = 3
        def __init__(self, left: Node | None, n: int = 3) -> None:
            self.left = left
            self.k = 0
            self.z: list[Decimal] = []
        def __len__(self): return 1

    def head(xs: Sequence[T]) -> T:
        return xs[0]

    @overload
    def either(x: int) -> int: ...
    @overload
    def either(x: str) -> str: ...
    def either(x): return x

    def _private(): ...
    def untyped(a, b=1, *c, d): ...

    @dispatch
    def f(x: Point) -> int: return 0
    if __name__ == "__main__":
        print(f)
'''


def test_other_names_are_kept(make: Make) -> None:
    lines = make(OTHERS, head="").splitlines()
    for line in [
        "from collections.abc import Sequence",
        "from decimal import Decimal",
        "T = TypeVar('T')",
        "Pair = tuple[int, int]",
        "LIMITS: dict[str, int]",
        "EMPTY: list[_Any]",
        "first: int",
        "second: str",
        "handler: _Callable[..., _Any]",
        "encoder: json.encoder.JSONEncoder",
        "if sys.version_info >= (3, 8):",
        "    NEW: bool",
        "def branch() -> str: ...",
        "    RED = 1",
        "@dataclass",
        "    y: list[int] = ...",
        "    def norm(self) -> float: ...",
        "    @size.setter",
        "class Pair2(NamedTuple):",
        "    COUNT: int",
        "    left: Node | None",
        "    k: int",
        "    z: list[Decimal]",
        "    def __len__(self) -> int: ...",
        "def head(xs: Sequence[T]) -> T: ...",
        "def either(x: str) -> str: ...",
        "def untyped(a: _Any, b: _Any=..., *c: _Any, d: _Any) -> _Any: ...",
    ]:
        assert line in lines, line
    text = "\n".join(lines)
    assert "_private" not in text and "__main__" not in text
    assert text.count("def either") == 2
    assert text.count("def branch") == 1
    assert not re.search(r"^from latebind import dispatch", text, re.MULTILINE)


def test_what_comes_from_the_same_package_stays_public(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    package = tmp_path / "stub_package"
    package.mkdir()
    (package / "base.py").write_text("class Base: ...\ndef helper(): ...\n")
    (package / "__init__.py").write_text(
        "import os\nfrom .base import Base\nfrom stub_package.base import helper\n"
    )
    lines = stub(importlib.import_module("stub_package")).splitlines()
    assert "from .base import Base as Base" in lines
    assert "from stub_package.base import helper as helper" in lines
    assert "import os" not in lines


def test_a_module_without_source_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["stubs", "itertools"]) == 2
    assert "itertools has no Python source" in capsys.readouterr().err


def test_the_stub_goes_where_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "stub_target.py").write_text("x = 1\n")
    path = tmp_path / "out.pyi"
    assert main(["stubs", "stub_target", "-o", str(path)]) == 0
    assert f"{path}: the stub of stub_target" in capsys.readouterr().err
    assert main(["stubs", "stub_target"]) == 0
    assert capsys.readouterr().out == path.read_text()
    assert "x: int" in path.read_text()


# ------------------------------------------------------------------ type checkers

MODULE = HEAD + textwrap.dedent(
    """
    class Tree:
        def __init__(self, left: Tree | None) -> None:
            self.left = left
        @dispatch
        def put(self, x: A) -> int: return 1
        @dispatch
        def put(self, x: str) -> str: return ""
        @dispatch
        @classmethod
        def make(cls, x: int) -> Tree: return cls(None)
        @dispatch
        @classmethod
        def make(cls, x: str) -> list[Tree]: return []

    class Oak(Tree):
        @dispatch
        def put(self, x: B) -> bytes: return b""

    @dispatch
    def meet(a: A, b: A) -> str: return ""
    @dispatch
    def meet(a: B, b: A) -> int: return 0
    @dispatch
    def meet(a: A, b: A, near: float) -> bytes: return b""

    @generic
    def area(shape: A) -> float: ...
    @area.register
    def _(shape: B) -> int: return 1

    @dispatch
    def positive(x: Annotated[int, lambda v: v > 0]) -> str: return ""
    @dispatch
    def positive(x: int) -> bytes: return b""

    @dispatch
    async def later(x: int) -> int: return 1
    @dispatch
    async def later(x: str) -> str: return ""

    space = Dispatcher()
    @space
    def inside(x: list[int], *, k: int = 0) -> str: return ""
    """
)

USES = {
    "m.meet(m.A(), m.B())": "str",
    "m.meet(m.B(), m.B())": "int",
    "m.meet(m.B(), m.B(), 1.5)": "bytes",
    "m.area(m.A())": "float",
    "m.area(m.B())": "int",
    "m.positive(1)": "str | bytes",
    "m.inside([1], k=2)": "str",
    "m.Tree(None).put(m.B())": "int",
    "m.Tree(None).put('')": "str",
    "m.Oak(None).put(m.B())": "bytes",
    "m.Oak(None).put(m.A())": "int",
    "m.Tree.make(1)": "Tree",
    "m.Tree.make('')": "list[Tree]",
    "m.Tree(None).left": "Tree | None",
}

AFTER = """
async def f() -> None:
    reveal_type(await m.later(1))

@m.area.register
def area_of_number(shape: int) -> float:
    return 1.0

m.area(b"")  # ERROR
m.meet(m.A())  # ERROR
"""


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a stub, without its module, and a program that uses it."""
    folder = tmp_path_factory.mktemp("stubs")
    (folder / "origin").mkdir()
    source = folder / "origin" / "stubbed.py"
    source.write_text(MODULE)
    spec = importlib.util.spec_from_file_location("stubbed", source)
    module = importlib.util.module_from_spec(spec)
    sys.modules["stubbed"] = module
    spec.loader.exec_module(module)
    (folder / "stubbed.pyi").write_text(stub(module))
    del sys.modules["stubbed"]
    lines = ["import stubbed as m", *(f"reveal_type({use})" for use in USES)]
    (folder / "use.py").write_text("\n".join(lines) + AFTER)
    return folder


def run(folder: Path, name: str, *arguments: str) -> str:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    done = subprocess.run(
        [sys.executable, "-m", name, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def expected_errors(folder: Path) -> set[int]:
    lines = (folder / "use.py").read_text().splitlines()
    return {n for n, line in enumerate(lines, 1) if line.endswith("# ERROR")}


def check_types(found: dict[int, str]) -> None:
    texts = [found[n].replace("stubbed.", "") for n in range(2, 2 + len(USES))]
    assert dict(zip(USES, texts, strict=True)) == USES
    assert found[3 + len(USES)] == "int"  # what was awaited


@pytest.mark.heavy
def test_mypy_accepts_the_stub_and_gives_the_methods_results(checked: Path) -> None:
    said = run(
        checked, "mypy", "--strict", "--no-color-output", "stubbed.pyi", "use.py"
    )
    found = re.findall(r'^use\.py:(\d+): note: Revealed type is "(.*)"$', said, re.M)
    check_types({int(line): text for line, text in found})
    errors = re.findall(r"^(\S+):(\d+): error", said, re.M)
    assert {name for name, _line in errors} == {"use.py"}, said
    assert {int(line) for _name, line in errors} == expected_errors(checked)


@pytest.mark.heavy
def test_pyright_accepts_the_stub_and_gives_the_methods_results(checked: Path) -> None:
    (checked / "pyrightconfig.json").write_text(
        json.dumps({"typeCheckingMode": "strict", "reportMissingModuleSource": False})
    )
    said = json.loads(run(checked, "pyright", "--outputjson", "stubbed.pyi", "use.py"))
    found, errors = {}, []
    for one in said["generalDiagnostics"]:
        line = one["range"]["start"]["line"] + 1
        if one["severity"] == "information":
            found[line] = re.search(r' is "(.*)"$', one["message"])[1]
        else:
            errors.append((Path(one["file"]).name, line))
    assert {name for name, _line in errors} == {"use.py"}, said
    assert {line for _name, line in errors} == expected_errors(checked)
    check_types(found)
