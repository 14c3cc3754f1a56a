"""Two methods that fit equally well: a warning, an error, and the way out."""

import gc
import warnings
from typing import Annotated, Any, Literal

import pytest
from support import module_of, quiet

import latebind
from latebind import AmbiguityWarning, AmbiguousMethodError, dispatch, generic


class A: ...


class B: ...


def declare(**options: Any) -> Any:
    @generic(**options)
    def f(x, y): ...

    return f


def left(x: int, y: object) -> str:
    return "left"


def right(x: object, y: int) -> str:
    return "right"


def test_the_second_definition_warns_and_is_there() -> None:
    f = declare()
    f.register(left)
    with pytest.warns(AmbiguityWarning) as caught:
        f.register(right)
    assert len(caught) == 1
    message = str(caught[0].message)
    assert "left" in message and "right" in message
    assert caught[0].filename == __file__
    assert len(f.methods) == 2


def test_a_call_that_is_ambiguous_is_an_error_that_names_both() -> None:
    f = declare(silent=True)
    f.register(left)
    f.register(right)
    with pytest.raises(AmbiguousMethodError, match=r"(?s)left.*right") as caught:
        f(1, 1)
    assert caught.value.generic is f
    assert caught.value.types == (int, int)
    assert {one.function for one in caught.value.candidates} == {left, right}
    assert (f(1, "a"), f("a", 1)) == ("left", "right")


def test_the_code_in_the_warning_resolves_it() -> None:
    module = module_of(
        """
        from latebind import dispatch
        class A: ...
        class B(A): ...
        @dispatch
        def f(x: B, y: A): return "left"
        """
    )
    with pytest.warns(AmbiguityWarning) as caught:
        exec(
            "@dispatch\ndef f(x: A, y: B): return 'right'",
            module.__dict__,
        )
    (report,) = module.f.ambiguities()
    assert report.code in str(caught[0].message)
    with pytest.raises(AmbiguousMethodError):
        module.f(module.B(), module.B())
    exec(report.code, module.__dict__)
    assert module.f.ambiguities() == ()
    module.f(module.B(), module.B())


VALUES = """
import enum
from typing import Annotated, Literal
from latebind import dispatch

class Colour(enum.Enum):
    RED = 1
    BLUE = 2

def even(x): return x % 2 == 0
def positive(x): return x > 0
def small(x): return x < 10
"""


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("x: list[int]", "x: list[str]", "[]"),
        ("x: list[int] | None", "x: list[str] | int", "[]"),
        ("x: list[list[int]]", "x: list[list[str]]", "[[], []]"),
        ("x: set[int]", "x: set[str]", "set()"),
        ("x: tuple[int, ...]", "x: tuple[str, ...]", "()"),
        ("x: tuple[int, object]", "x: tuple[object, int]", "(1, 2)"),
        ("x: dict[str, object]", "x: dict[object, int]", "{'a': 1}"),
        ("x: Annotated[int, even]", "x: Annotated[int, positive]", "2"),
        ("x: Annotated[int, even, small]", "x: Annotated[int, positive, small]", "2"),
        ("x: Literal[1, 2]", "x: Annotated[int, even]", "2"),
        ("x: Literal[1, 'a']", "x: Literal[2, 'a']", "'a'"),
        ("x: Literal[Colour.RED], y: object", "x: Colour, y: int", "Colour.RED, 1"),
        ("x: list[int], y: object", "x: object, y: list[int]", "[1], [1]"),
        ("x: Literal[1], y: object", "x: object, y: Literal[2]", "1, 2"),
        ("x: type[int], y: object", "x: object, y: type[str]", "int, str"),
        ("*x: Literal[1], k: int", "*x: int, k: Literal[2]", "1, k=2"),
        ("x: int, k: object = 0", "x: object, k: int = 0", "1, k=2"),
    ],
)
def test_the_code_decides_where_values_count(one: str, other: str, both: str) -> None:
    """The third method goes before both, and nothing is warned of any more."""
    module = module_of(VALUES)
    run = module.__dict__
    with quiet():
        exec(f"@dispatch\ndef f({one}): return 'one'", run)
        exec(f"@dispatch\ndef f({other}): return 'other'", run)
    with pytest.raises(AmbiguousMethodError):
        exec(f"f({both})", run)
    reports = module.f.ambiguities()
    assert reports
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for report in reports:
            assert report.code, report
            exec(report.code.replace("...", "return 'both'"), run)
    assert eval(f"f({both})", run) == "both"
    assert module.f.ambiguities() == ()


def test_a_method_for_the_missing_types_decides() -> None:
    def even(x: int) -> bool:
        return x % 2 == 0

    @generic(silent=True)
    def f(x): ...

    f.register(Annotated[int, even], lambda x: "even")
    f.register(Annotated[int, lambda x: x > 0], lambda x: "positive")
    (report,) = f.ambiguities()
    assert report.possible and report.code == ""
    assert "tests of both" in report.advice and report.advice in str(report)
    f.register(*report.missing, lambda x: "both")
    assert [f(-2), f(1), f(2)] == ["even", "positive", "both"]
    assert f.ambiguities() == ()


def test_what_no_annotation_says_is_told_in_words() -> None:
    @generic(silent=True)
    def f(x): ...

    f.register(list[A], lambda x: "A")
    f.register(list[B], lambda x: "B")
    (report,) = f.ambiguities()
    assert (report.missing, report.code) == ((), "")
    assert "no annotation says what fits both" in str(report)
    assert "would decide" not in str(report)


def test_deciding_a_part_leaves_the_rest_ambiguous() -> None:
    @generic(silent=True)
    def f(x, y): ...

    f.register(Literal[1, 2], object, lambda x, y: "left")
    f.register(object, Literal[1, 2], lambda x, y: "right")
    f.register(Literal[1], Literal[1, 2], lambda x, y: "both")
    assert f(1, 2) == "both"
    assert len(f.ambiguities()) == 1
    with pytest.raises(AmbiguousMethodError):
        f(2, 1)


def test_a_method_for_other_calls_decides_nothing() -> None:
    @generic(silent=True)
    def f(x, y): ...

    f.register(list[int], object, lambda x, y: "left")
    f.register(object, list[int], lambda x, y: "right")
    f.register(list[int], list[int], lambda x, y, z: "three")
    f.register(list[int], list[int], lambda x, y: None, before=True)
    assert len(f.ambiguities()) == 1


def test_an_ambiguity_is_described() -> None:
    f = declare(silent=True)
    f.register(left)
    f.register(right)
    (report,) = f.ambiguities()
    assert {report.first.function, report.second.function} == {left, right}
    assert tuple(report.witness) == (int, int)
    assert "int" in str(report.missing) and "object" not in str(report.missing)
    assert "def f(x: int, y: int" in report.code.replace(", /", "")


def test_a_method_for_both_ends_it() -> None:
    f = declare(silent=True)
    f.register(left)
    f.register(right)
    f.register(int, int, lambda x, y: "both")
    assert f.ambiguities() == ()
    assert f(1, 1) == "both"
    f.remove(int, int)
    assert len(f.ambiguities()) == 1
    with pytest.raises(AmbiguousMethodError):
        f(1, 1)


def test_defining_the_method_for_both_first_gives_no_warning() -> None:
    f = declare()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f.register(int, int, lambda x, y: "both")
        f.register(left)
        f.register(right)


def test_types_without_common_instances_are_not_ambiguous() -> None:
    f = declare()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f.register(int, object, lambda x, y: 1)
        f.register(str, int, lambda x, y: 2)
        f.register(None, int, lambda x, y: 3)


def test_different_literals_are_not_ambiguous() -> None:
    f = declare()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f.register(Literal["a"], object, lambda x, y: 1)
        f.register(Literal["b"], int, lambda x, y: 2)


def test_one_argument_with_real_bases_is_not_ambiguous() -> None:
    @generic
    def f(x): ...

    class Both(A, B): ...

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f.register(A, lambda x: "A")
        f.register(B, lambda x: "B")
        assert f(Both()) == "A"


def test_two_predicates_that_may_hold_at_once_are_an_error_when_they_do() -> None:
    @generic(silent=True)
    def f(x): ...

    f.register(Annotated[int, lambda x: x > 0], lambda x: "positive")
    f.register(Annotated[int, lambda x: x % 2 == 0], lambda x: "even")
    assert (f(1), f(-2)) == ("positive", "even")
    with pytest.raises(AmbiguousMethodError):
        f(2)


def test_silent_functions_do_not_warn() -> None:
    f = declare(silent=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f.register(left)
        f.register(right)


def test_a_warning_that_is_made_an_error_comes_out_of_the_definition() -> None:
    f = declare()
    f.register(left)
    with warnings.catch_warnings():
        warnings.simplefilter("error", AmbiguityWarning)
        with pytest.raises(AmbiguityWarning):
            f.register(right)
    assert f(1, "a") == "left"


def test_a_strict_function_refuses_and_keeps_what_it_had() -> None:
    f = declare(strict=True)
    f.register(left)
    assert f(1, 1) == "left"
    with pytest.raises(AmbiguousMethodError, match="left") as caught:
        f.register(right)
    assert {one.function for one in caught.value.candidates} == {left, right}
    assert [one.function for one in f.methods] == [left]
    assert f(1, 1) == "left"
    f.register(int, int, lambda x, y: "both")
    f.register(right)
    assert f(1, 1) == "both"


def test_a_group_is_judged_at_its_end() -> None:
    f = declare(strict=True)
    with latebind.group():
        f.register(left)
        f.register(right)
        f.register(int, int, lambda x, y: "both")
    assert f(1, 1) == "both"


def test_a_strict_group_adds_nothing_when_it_is_ambiguous() -> None:
    f, g = declare(), declare()
    f.register(str, str, lambda x, y: "str")
    with pytest.raises(AmbiguousMethodError), latebind.group(strict=True):
        g.register(left)
        f.register(left)
        f.register(right)
    assert len(f.methods) == 1 and g.methods == ()
    assert f("a", "a") == "str"


def test_a_group_that_fails_adds_nothing() -> None:
    f = declare()
    with pytest.raises(KeyError), latebind.group():
        f.register(left)
        raise KeyError("in between")
    assert f.methods == ()


def test_a_group_without_strictness_warns_once_at_its_end() -> None:
    f = declare()
    with pytest.warns(AmbiguityWarning) as caught, latebind.group(strict=False):
        f.register(left)
        f.register(right)
        assert f.methods == ()
    assert len(caught) == 1
    assert len(f.methods) == 2


def test_groups_inside_groups_end_with_the_outer_one() -> None:
    f = declare(strict=True)
    with latebind.group():
        f.register(left)
        with latebind.group():
            f.register(right)
        assert f.methods == ()
        f.register(int, int, lambda x, y: "both")
    assert f(1, 1) == "both"
    assert [one.function for one in f.methods[:2]] == [left, right]


def test_a_group_inside_goes_with_the_outer_one() -> None:
    f = declare()
    with pytest.raises(KeyError), latebind.group():
        with latebind.group():
            f.register(left)
        raise KeyError
    assert f.methods == ()


def test_the_outer_group_does_without_one_that_failed() -> None:
    f = declare()
    with latebind.group():
        with pytest.raises(KeyError), latebind.group():
            f.register(left)
            raise KeyError
        f.register(right)
    assert [one.function for one in f.methods] == [right]


def test_a_group_inside_is_strict_about_its_own_definitions() -> None:
    f, g = declare(), declare()
    with pytest.warns(AmbiguityWarning), latebind.group():
        f.register(left)
        f.register(right)
        with latebind.group(strict=True):
            f.register(str, str, lambda x, y: "str")
    with pytest.raises(AmbiguousMethodError), latebind.group():
        g.register(str, str, lambda x, y: "str")
        g.register(left)
        with latebind.group(strict=True):
            g.register(right)
    assert (len(f.methods), g.methods) == (3, ())


def test_a_strict_group_asks_silent_functions_too() -> None:
    f = declare(silent=True)
    f.register(left)
    with pytest.raises(AmbiguousMethodError, match="left"), latebind.group(strict=True):
        f.register(right)
    assert [one.function for one in f.methods] == [left]
    with latebind.group():
        f.register(right)
    with latebind.group(strict=True):  # not its fault
        f.register(str, str, lambda x, y: "str")
    assert len(f.methods) == 3


def test_strict_is_more_than_silent() -> None:
    f = declare(strict=True, silent=True)
    f.register(left)
    with pytest.raises(AmbiguousMethodError):
        f.register(right)


def test_a_class_that_comes_later_may_make_methods_ambiguous() -> None:
    class A: ...

    class B: ...

    f = declare(silent=True)
    f.register(A, B, lambda x, y: "A, B")
    f.register(B, A, lambda x, y: "B, A")
    assert f.ambiguities() == ()

    class Both(A, B): ...

    with pytest.raises(AmbiguousMethodError):
        f(Both(), Both())
    (report,) = f.ambiguities()
    assert tuple(report.witness) == (Both, Both)


def test_an_ambiguity_goes_away_with_its_method() -> None:
    f = declare(silent=True)
    f.register(left)
    f.register(right)
    f.remove(right)
    assert f.ambiguities() == ()
    assert f(1, 1) == "left"


def test_an_ambiguity_far_below_does_not_disturb_calls_above() -> None:
    with quiet():

        @dispatch
        def f(x: object, y: object) -> str:
            return "any"

        @dispatch
        def f(x: int, y: object) -> str:
            return "left"

        @dispatch
        def f(x: object, y: int) -> str:
            return "right"

    assert [f("a", "a"), f(1, "a"), f("a", 1)] == ["any", "left", "right"]
    with pytest.raises(AmbiguousMethodError):
        f(True, 1)


def test_a_class_that_died_below_another_is_no_witness() -> None:
    """Nobody looked at the other one since its bases were changed."""

    class Left: ...

    class Right: ...

    class Both(Left, Right): ...

    class Below(Both): ...

    class Only(Left): ...

    @generic
    def meet(x): ...

    meet.register(Left, lambda x: "Left")
    meet.register(Right, lambda x: "Right")
    assert meet(Below()) == meet(Both()) == "Left"
    Below.__bases__ = (Only,)
    del Both
    gc.collect()
    f = declare()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f.register(Left, object, lambda x, y: "left")
        f.register(Right, int, lambda x, y: "right")
    assert f.ambiguities() == ()
    assert f(Below(), 1) == "left"


def test_a_function_renamed_after_its_registration_is_reported() -> None:
    f = declare()

    def one(x: int, y: object) -> str:
        return "one"

    one.__qualname__ = "long" * (500 + len(f.methods))
    f.register(one)
    one.__qualname__ = "short"
    one.__name__ = "renamed"
    with pytest.warns(AmbiguityWarning):
        f.register(right)
