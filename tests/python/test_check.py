"""`python -m latebind check`: each kind of finding, and what is none."""

from __future__ import annotations

import itertools
import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from latebind._cli import main

HEAD = """
from __future__ import annotations
import abc
import enum
from typing import Annotated, Literal, Union
from latebind import Dispatcher, dispatch, generic, group

class A: ...
class B(A): ...
class C(B): ...
class Other: ...
class Colour(enum.Enum):
    RED = 1
    BLUE = 2
"""

_numbers = itertools.count()
Check = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Check:
    """Writes a module, checks it, gives the findings of the JSON."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def check(source: str, *options: str) -> list[dict[str, Any]]:
        name = f"checked_module_{next(_numbers)}"
        (tmp_path / f"{name}.py").write_text(HEAD + textwrap.dedent(source))
        status = main(["check", name, "--json", *options])
        said = capsys.readouterr()
        assert said.out, said.err
        found = json.loads(said.out)
        assert status == (1 if found["findings"] else 0)
        assert found["unchecked"] == []
        return list(found["findings"])

    return check


def kinds(found: list[dict[str, Any]]) -> list[str]:
    return [one["kind"] for one in found]


# ------------------------------------------------------------------ nothing wrong


@pytest.mark.parametrize(
    "source",
    [
        # a general method under special ones
        """
        @dispatch
        def f(x: object): ...
        @dispatch
        def f(x: A): return 1
        @dispatch
        def f(x: C): return 2
        """,
        # an abstract class whose known subclasses all have methods of their own
        """
        class Base(abc.ABC):
            @abc.abstractmethod
            def go(self): ...
        class One(Base): ...
        @dispatch
        def f(x: Base): return 0
        @dispatch
        def f(x: One): return 1
        """,
        # what is beaten everywhere, but called as next_method
        """
        @dispatch
        def f(x: bool): return 0
        @dispatch
        def f(x: Literal[True], *, next_method): return next_method()
        @dispatch
        def f(x: Literal[False]): return 2
        """,
        # one of the two values only
        """
        @dispatch
        def f(x: bool): return 0
        @dispatch
        def f(x: Literal[True]): return 1
        """,
        # one number of arguments only
        """
        @dispatch
        def f(x: int): return 0
        @dispatch
        def f(*x: int): return 1
        @dispatch
        def f(x: int, y: int = 0): return 2
        """,
        # a member of the union that nobody else takes
        """
        @dispatch
        def f(x: Union[A, int, None]): return 0
        @dispatch
        def f(x: int): return 1
        @dispatch
        def f(x: None): return 2
        """,
        # tests of values: they are never all values, as far as known
        """
        @dispatch
        def f(x: int): return 0
        @dispatch
        def f(x: Annotated[int, lambda v: v == 0]): return 1
        """,
        # a test that fails on strange values
        """
        class Own(enum.Enum):
            X = 1
        @dispatch
        def f(x: Own): return 0
        @dispatch
        def f(x: Annotated[Own, lambda v: 1 / 0]): return 1
        """,
        # combinations run them all
        """
        @dispatch(combination="list")
        def f(x: bool): return 0
        @dispatch
        def f(x: Literal[True]): return 1
        @dispatch
        def f(x: Literal[False]): return 2
        """,
        # the first alone, in their order
        """
        @dispatch(combination="first")
        def f(x: A, *, next_method): return next_method()
        @dispatch
        def f(x: object): return 1
        """,
        # before methods with their primary one
        """
        @dispatch
        def f(x: A): return 0
        @f.register(before=True)
        def log(x: B): ...
        """,
        # by name
        """
        @dispatch
        def f(*, x: int): return 0
        @dispatch
        def f(*, x: str, y: int = 1): return 1
        """,
        # ambiguous on purpose
        """
        @dispatch(silent=True)
        def f(x: A, y: object): return 0
        @dispatch
        def f(x: object, y: A): return 1
        """,
    ],
)
def test_what_is_in_order_gives_no_finding(check: Check, source: str) -> None:
    assert check(source) == []


def test_what_other_modules_made_is_theirs(check: Check) -> None:
    found = check(
        """
        from latebind._convert import _promotions
        """
    )
    assert found == []


# ------------------------------------------------------------------ ambiguous


def test_an_ambiguity_comes_with_a_witness_and_the_missing_method(check: Check) -> None:
    [found] = check(
        """
        @dispatch
        def f(x: A, y: B): return 0
        @dispatch
        def f(x: B, y: A): return 1
        """
    )
    assert found["kind"] == "ambiguous"
    assert [one.rpartition(".")[2] for one in found["witness"]] == ["B", "B"]
    assert found["code"] == "@dispatch\ndef f(x: B, y: B): ..."
    assert {one["signature"] for one in found["methods"]} == {
        "f(x: A, y: B)",
        "f(x: B, y: A)",
    }


@pytest.mark.parametrize(
    ("source", "witness"),
    [
        # a class of two bases, which nobody has called with
        (
            """
            class Left: ...
            class Right: ...
            class Both(Left, Right): ...
            @dispatch
            def f(x: Left, y: Right): return 0
            @dispatch
            def f(x: Right, y: Left): return 1
            """,
            ["Both", "Both"],
        ),
        # one that is registered with two abstract classes
        (
            """
            class Shown(abc.ABC): ...
            class Saved(abc.ABC): ...
            class Document: ...
            Shown.register(Document)
            Saved.register(Document)
            @dispatch
            def f(x: Shown): return 0
            @dispatch
            def f(x: Saved): return 1
            """,
            ["Document"],
        ),
        # one inside of another
        (
            """
            class Left: ...
            class Right: ...
            class Outer:
                class Both(Left, Right): ...
            @dispatch
            def f(x: Left, y: Right): return 0
            @dispatch
            def f(x: Right, y: Left): return 1
            """,
            ["Outer.Both", "Outer.Both"],
        ),
        # one that is only known to its base
        (
            """
            class Left: ...
            class Right: ...
            kept = [type("Hidden", (Left, Right), {})]
            @dispatch
            def f(x: Left, y: Right): return 0
            @dispatch
            def f(x: Right, y: Left): return 1
            """,
            ["Hidden", "Hidden"],
        ),
        # one of Python's own
        (
            """
            from typing import Protocol, runtime_checkable
            @runtime_checkable
            class Cast(Protocol):
                def cast(self): ...
            @runtime_checkable
            class Locked(Protocol):
                def toreadonly(self): ...
            @dispatch
            def f(x: Cast): return 0
            @dispatch
            def f(x: Locked): return 1
            """,
            ["memoryview"],
        ),
    ],
)
def test_classes_that_no_call_has_met_show_ambiguities(
    check: Check, source: str, witness: list[str]
) -> None:
    [found] = check(source)
    assert found["kind"] == "ambiguous"
    assert [one.partition(".")[2] or one for one in found["witness"]] == witness


def test_a_class_that_cannot_be_asked_is_no_obstacle(check: Check) -> None:
    found = check(
        """
        class Meta(abc.ABCMeta):
            def __subclasscheck__(cls, other): raise KeyError(other)
        class Odd(metaclass=Meta): ...
        @dispatch
        def f(x: A, y: B): return 0
        @dispatch
        def f(x: B, y: A): return 1
        """
    )
    assert kinds(found) == ["ambiguous"]


def test_an_ambiguity_that_values_decide_is_none(check: Check) -> None:
    source = """
        @dispatch
        def f(x: list[int], y: object): return 0
        @dispatch
        def f(x: object, y: list[int]): return 1
        """
    [found] = check(source)
    assert found["code"] == "@dispatch\ndef f(x: list[int], y: list[int]): ..."
    assert check(source + found["code"].replace("\n", "\n" + 8 * " ")) == []


def test_an_ambiguity_without_a_way_out_says_so(check: Check) -> None:
    [found] = check(
        """
        @dispatch
        def f(x: list[A]): return 0
        @dispatch
        def f(x: list[Other]): return 1
        """
    )
    assert found["kind"] == "possibly-ambiguous" and found["code"] is None
    assert "let one of the two take less" in found["message"]


def test_tests_that_may_both_hold_are_a_kind_of_their_own(check: Check) -> None:
    found = check(
        """
        @dispatch
        def f(x: Annotated[int, lambda v: v > 0]): return 0
        @dispatch
        def f(x: Annotated[int, lambda v: v % 2]): return 1
        """
    )
    assert kinds(found) == ["possibly-ambiguous"]


def test_an_import_that_a_strict_function_stops_is_a_finding(check: Check) -> None:
    found = check(
        """
        @dispatch(strict=True)
        def f(x: A, y: object): return 0
        @dispatch
        def f(x: object, y: A): return 1
        """
    )
    assert kinds(found) == ["ambiguous"]


# ------------------------------------------------------------------ duplicate


def test_a_definition_that_another_replaced_is_a_duplicate(check: Check) -> None:
    [found] = check(
        """
        @dispatch
        def f(x: A): return 0
        @dispatch
        def f(x: A): return 1
        """
    )
    assert found["kind"] == "duplicate"
    first, second = (one["source"].rpartition(":")[2] for one in found["methods"])
    assert int(second) == int(first) + 2
    assert found["line"] == int(first)


def test_definitions_that_wait_for_a_name_may_be_duplicates(check: Check) -> None:
    found = check(
        """
        @dispatch
        def f(x: Later): return 0
        @dispatch
        def f(x: Later): return 1
        class Later: ...
        @dispatch
        def g(x: Last): return 0
        class Last: ...
        @dispatch
        def g(x: Last): return 1
        """
    )
    assert kinds(found) == ["duplicate"] * 2
    for one in found:
        first, second = (each["source"].rpartition(":")[2] for each in one["methods"])
        assert int(first) < int(second)


def test_a_method_that_was_removed_is_no_duplicate(check: Check) -> None:
    found = check(
        """
        @dispatch
        def f(x: A): return 0
        f.remove(A)
        @dispatch
        def f(x: A): return 1
        """
    )
    assert found == []


def test_a_duplicate_of_one_group_is_found(check: Check) -> None:
    found = check(
        """
        with group():
            @dispatch
            def f(x: A): return 0
            @dispatch
            def f(x: A): return 1
        """
    )
    assert kinds(found) == ["duplicate"]


def test_a_duplicate_in_a_group_is_found(check: Check) -> None:
    found = check(
        """
        with group():
            @dispatch
            def f(x: A): return 0
            @dispatch
            def f(x: B): return 1
        @dispatch
        def f(x: B): return 2
        """
    )
    assert kinds(found) == ["duplicate"]


# ------------------------------------------------------------------ shadowed


@pytest.mark.parametrize(
    ("source", "shadowed"),
    [
        # all members of a union
        (
            """
            @dispatch
            def f(x: Union[int, str]): return 0
            @dispatch
            def f(x: int): return 1
            @dispatch
            def f(x: str): return 2
            """,
            "f(x: int | str)",
        ),
        # both values of a bool
        (
            """
            @dispatch
            def f(x: bool): return 0
            @dispatch
            def f(x: Literal[True]): return 1
            @dispatch
            def f(x: Literal[False]): return 2
            """,
            "f(x: bool)",
        ),
        # all members of an enumeration
        (
            """
            @dispatch
            def f(x: Colour): return 0
            @dispatch
            def f(x: Literal[Colour.RED]): return 1
            @dispatch
            def f(x: Literal[Colour.BLUE]): return 2
            """,
            "f(x: Colour)",
        ),
        # the order of definition, where that decides
        (
            """
            @dispatch(order="definition")
            def f(x: A): return 0
            @dispatch
            def f(x: C): return 1
            """,
            "f(x: C)",
        ),
        # the first of them all
        (
            """
            @dispatch(combination="first")
            def f(x: A, y: object): return 0
            @dispatch
            def f(x: A, y: B): return 1
            @dispatch
            def f(x: A, y: Union[B, Other]): return 2
            @dispatch
            def f(x: A, y: Other): return 3
            """,
            "f(x: A, y: B | Other)",
        ),
        # around methods that do not go on
        (
            """
            @dispatch
            def f(x: B): return 0
            @f.register(around=True)
            def wrap(x: A): return 1
            """,
            "f(x: B)",
        ),
    ],
)
def test_a_method_that_others_beat_everywhere_is_shadowed(
    check: Check, source: str, shadowed: str
) -> None:
    [found] = check(source)
    assert found["kind"] == "shadowed"
    assert found["methods"][0]["signature"] == shadowed
    assert found["message"].startswith(f"{shadowed} is never reached; instead run ")
    assert len(found["methods"]) > 1


def test_a_method_is_shadowed_only_once_the_last_of_its_calls_is_taken(
    check: Check,
) -> None:
    source = """
        class One: ...
        class Two: ...
        @dispatch
        def f(x: Union[One, Two], y: Union[One, Two]): return 0
        @dispatch
        def f(x: One, y: Union[One, Two]): return 1
        """
    assert check(source) == []
    more = """
        @dispatch
        def f(x: Two, y: Union[One, Two]): return 2
        """
    found = check(source + more)
    assert kinds(found) == ["shadowed"]


# ------------------------------------------------------------------ unreachable


def test_a_method_all_of_whose_calls_are_ambiguous_is_unreachable(check: Check) -> None:
    found = check(
        """
        class Left: ...
        class Right: ...
        class Both(Left, Right): ...
        @dispatch
        def f(x: Both, y: object, z: object): return 0
        @dispatch
        def f(x: object, y: Both, z: object): return 1
        @dispatch
        def f(x: object, y: object, z: Both): return 2
        @f.register(after=True)
        def note(x: Both, y: Both, z: Both): ...
        """
    )
    assert "unreachable" in kinds(found)
    unreachable = next(one for one in found if one["kind"] == "unreachable")
    assert unreachable["methods"][0]["signature"].startswith("note(x: Both")
    assert "is ambiguous, e.g. " in unreachable["message"]


def test_a_before_method_without_a_primary_one_is_unreachable(check: Check) -> None:
    [found] = check(
        """
        @generic
        def f(x: A): ...
        @f.register(before=True)
        def log(x: A): ...
        """
    )
    assert found["kind"] == "unreachable"
    assert "has no primary method" in found["message"]


# ------------------------------------------------------------------ unresolved


def test_an_annotation_that_names_nothing_is_unresolved(check: Check) -> None:
    [found] = check(
        """
        @dispatch
        def f(x: Nowhere): return 0
        """
    )
    assert found["kind"] == "unresolved"
    assert "Nowhere" in found["message"]
    assert found["line"] == len(HEAD.splitlines()) + 2


# ------------------------------------------------------------------ where to look


def test_functions_in_classes_and_dispatchers_are_checked(check: Check) -> None:
    found = check(
        """
        class Outer:
            class Inner:
                @dispatch
                def f(self, x: int): return 0
                @dispatch
                def f(self, x: int): return 1
                @dispatch
                @staticmethod
                def g(x: int): return 0
                @dispatch
                @staticmethod
                def g(x: int): return 1
        d = Dispatcher()
        @d
        def h(x: int): return 0
        @d
        def h(x: int): return 1
        del h
        """
    )
    assert kinds(found) == ["duplicate"] * 3
    names = [one["function"].partition(".")[2] for one in found]
    assert names == ["Outer.Inner.f", "Outer.Inner.g", "h"]


def test_a_function_that_a_module_extends_is_checked_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "check_base.py").write_text(
        "from latebind import dispatch\n"
        "class A: ...\n"
        "@dispatch\ndef f(x: A, y: object): ...\n"
    )
    (tmp_path / "check_more.py").write_text(
        "from check_base import A, f\n@f.register\ndef _(x: object, y: A): ...\n"
    )
    assert main(["check", "check_base"]) == 0
    assert main(["check", "check_more"]) == 1
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{tmp_path / 'check_more.py'}:2: ambiguous: ")


def test_all_modules_of_a_package_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    package = tmp_path / "check_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "inner.py").write_text(
        "from latebind import dispatch\n"
        "@dispatch\ndef f(x: int): ...\n"
        "@dispatch\ndef f(x: int): ...\n"
    )
    assert main(["check", "check_package"]) == 0
    said = capsys.readouterr().err
    assert "nothing found in no generic function" in said
    assert "check_package is a package; -r looks at its modules, too" in said
    assert main(["check", "check_package", "-q"]) == 0
    assert capsys.readouterr().err == ""
    assert main(["check", "check_package", "-r", "-q"]) == 1
    caught = capsys.readouterr()
    assert caught.out.startswith(f"{package / 'inner.py'}:2: duplicate: f(x: int)")
    assert caught.err == ""


# ------------------------------------------------------------------ options


def test_kinds_can_be_ignored(check: Check) -> None:
    source = """
        @dispatch
        def f(x: A): return 0
        @dispatch
        def f(x: A): return 1
        @dispatch
        def g(x: Nowhere): return 1
        """
    assert kinds(check(source)) == ["duplicate", "unresolved"]
    assert kinds(check(source, "--ignore", "duplicate")) == ["unresolved"]
    assert check(source, "--ignore", "duplicate,unresolved") == []


def test_a_kind_that_does_not_exist_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["check", "json", "--ignore", "nonsense"]) == 2
    assert "there are ambiguous, " in capsys.readouterr().err


def test_a_method_with_too_many_calls_is_said_to_be_unchecked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    lines = [
        "from typing import Union",
        "from latebind import dispatch",
        "union = Union[tuple(type(f'Class{i}', (), {}) for i in range(30))]",
        "@dispatch(order='definition')",
        "def f(a: object, b: object, c: object, d: object): return 0",
        "@dispatch",
        "def f(a: union, b: union, c: union, d: union): return 1",
    ]
    (tmp_path / "check_many.py").write_text("\n".join(lines))
    assert main(["check", "check_many"]) == 0
    assert "too many calls" in capsys.readouterr().err
