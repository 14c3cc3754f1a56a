"""Exceptions pass through untouched, wherever they are raised."""
# ruff: noqa: B024

import abc
import sys
import traceback
from typing import Annotated, Any, Literal

import pytest

import latebind
from latebind import NoMethodError, dispatch, generic

pytestmark = pytest.mark.filterwarnings("ignore::latebind.AmbiguityWarning")


class Marked(Exception): ...


def test_what_a_method_raises_is_what_the_caller_gets() -> None:
    raised = Marked("mine")

    @dispatch
    def f(x: int) -> None:
        raise raised

    with pytest.raises(Marked) as caught:
        f(1)
    assert caught.value is raised
    assert caught.value.__cause__ is None and caught.value.__context__ is None


def depth_of(call: Any) -> int:
    try:
        call()
    except Marked as error:
        return len(traceback.extract_tb(error.__traceback__))
    raise AssertionError("nothing was raised")


def test_a_traceback_has_at_most_one_frame_more() -> None:
    def plain(x: int) -> None:
        raise Marked

    f = generic(lambda x: ...)
    f.register(plain)

    class C:
        m = f

    assert depth_of(lambda: f(1)) <= depth_of(lambda: plain(1)) + 1
    assert depth_of(lambda: f(x=1)) <= depth_of(lambda: plain(1)) + 1


def test_a_traceback_through_next_methods_shows_each_method_once() -> None:
    @dispatch
    def f(x: object) -> None:
        raise Marked

    @dispatch
    def f(x: int, *, next_method: Any) -> None:
        next_method()

    @dispatch
    def f(x: bool, *, next_method: Any) -> None:
        next_method()

    # This lambda and depth_of, the three methods.
    assert depth_of(lambda: f(True)) <= 5 + 1


def test_a_type_error_inside_a_method_is_not_taken_for_a_missing_method() -> None:
    @dispatch
    def f(x: int) -> None:
        len(x)  # type: ignore[arg-type]

    @dispatch
    def f(x: object) -> str:
        return "object"

    with pytest.raises(TypeError, match="has no len") as caught:
        f(1)
    assert not isinstance(caught.value, NoMethodError)


def test_a_missing_method_inside_a_method_is_passed_on() -> None:
    @dispatch
    def inner(x: str) -> None: ...

    @dispatch
    def outer(x: int) -> None:
        inner(x)

    with pytest.raises(NoMethodError) as caught:
        outer(1)
    assert caught.value.generic is inner


def test_an_error_while_another_is_handled_has_its_context() -> None:
    @dispatch
    def f(x: int) -> None:
        raise Marked

    try:
        raise KeyError("first")
    except KeyError as first:
        with pytest.raises(Marked) as caught:
            f(1)
        assert caught.value.__context__ is first


@pytest.mark.parametrize("error", [Marked, KeyboardInterrupt, SystemExit, MemoryError])
def test_a_predicate_s_error_comes_out_and_leaves_nothing_behind(error: Any) -> None:
    fails = True

    def predicate(x: Any) -> bool:
        if fails:
            raise error("in predicate")
        return True

    @dispatch
    def f(x: Annotated[int, predicate]) -> str:
        return "predicate"

    @dispatch
    def f(x: object) -> str:
        return "object"

    for _ in range(3):
        with pytest.raises(error, match="in predicate"):
            f(1)
        assert f("a") == "object"
    with pytest.raises(error):
        f.explain(1)
    fails = False
    assert f(1) == "predicate"


class Failing(type):
    fails = True

    def __instancecheck__(cls, value: Any) -> bool:
        if Failing.fails:
            raise Marked("in instance check")
        return True

    def __subclasscheck__(cls, other: type) -> bool:
        if Failing.fails:
            raise Marked("in subclass check")
        return True


def test_an_instance_check_s_error_comes_out() -> None:
    class Judged(metaclass=Failing): ...

    Failing.fails = False

    @dispatch
    def f(x: Judged) -> str:
        return "judged"

    @dispatch
    def f(x: str) -> str:
        return "str"

    class Thing: ...

    Failing.fails = True
    try:
        for _ in range(3):
            with pytest.raises(Marked):
                f(Thing())
    finally:
        Failing.fails = False
    assert f(Thing()) == "judged"


def test_a_subclass_hook_s_error_comes_out() -> None:
    fails = True

    class Hooked(abc.ABC):
        @classmethod
        def __subclasshook__(cls, other: type) -> Any:
            if fails and other is Thing:
                raise Marked("in hook")
            return other is Thing or NotImplemented

    class Thing: ...

    @dispatch
    def f(x: Hooked) -> str:
        return "Hooked"

    @dispatch
    def f(x: object) -> str:
        return "object"

    for _ in range(3):
        with pytest.raises(Marked, match="in hook"):
            f(Thing())
    assert f(1) == "object"
    fails = False
    assert f(Thing()) == "Hooked"


class Unequal:
    """Raises when it is compared or hashed."""

    def __eq__(self, other: object) -> bool:
        raise Marked("in eq")

    def __hash__(self) -> int:
        raise Marked("in hash")


def test_comparing_with_a_literal_asks_only_values_of_its_type() -> None:
    @dispatch
    def f(x: Literal["a"]) -> str:
        return "a"

    @dispatch
    def f(x: object) -> str:
        return "object"

    assert f(Unequal()) == "object"


def test_elements_that_cannot_be_compared_are_only_checked_by_type() -> None:
    @dispatch
    def f(x: list[Unequal]) -> str:
        return "unequal"

    @dispatch
    def f(x: list[int]) -> str:
        return "ints"

    assert f([Unequal()]) == "unequal"
    assert f([1]) == "ints"


def test_an_error_while_a_sequence_is_looked_at_comes_out() -> None:
    from collections.abc import Sequence

    class Broken(Sequence):  # type: ignore[type-arg]
        def __len__(self) -> int:
            return 3

        def __getitem__(self, index: Any) -> Any:
            raise Marked("in getitem")

    @dispatch
    def f(x: Sequence[int]) -> str:
        return "ints"

    with pytest.raises(Marked, match="in getitem"):
        f(Broken())
    assert f([1]) == "ints"


def test_an_error_in_a_definition_changes_nothing() -> None:
    @dispatch
    def f(x: int) -> str:
        return "int"

    for what in (
        lambda: f.register(3, lambda x: None),
        lambda: f.register(int, lambda: None),
        lambda: f.register(int, lambda x: None, zebra=int),
        lambda: f.register(list[3], lambda x: None),  # type: ignore[misc]
        lambda: f.add(int, "no function"),
    ):
        with pytest.raises(TypeError):
            what()
    assert f(1) == "int"
    assert len(f.methods) == 1


def test_a_return_value_of_the_wrong_kind_is_passed_as_it_is() -> None:
    @dispatch
    def f(x: int) -> str:
        return x  # type: ignore[return-value]

    assert f(1) == 1


def test_settrace_and_setprofile_see_methods_as_calls() -> None:
    @dispatch
    def f(x: int) -> None: ...

    seen: list[str] = []

    def profile(frame: Any, event: str, arg: Any) -> None:
        if event == "call":
            seen.append(frame.f_code.co_name)

    sys.setprofile(profile)
    try:
        f(1)
    finally:
        sys.setprofile(None)
    assert seen == ["f"]


def test_a_tracer_that_raises_is_survived() -> None:
    @dispatch
    def f(x: int) -> None: ...

    def trace(frame: Any, event: str, arg: Any) -> None:
        raise Marked("in tracer")

    before = sys.gettrace()
    try:
        sys.settrace(trace)
        f(1)
    except Marked:
        pass
    else:
        raise AssertionError("the tracer's error is lost")
    finally:
        sys.settrace(before)
    assert f(1) is None


def test_an_error_in_a_conversion_of_a_result_comes_out() -> None:
    class Target: ...

    @latebind.conversion_method(int, Target)
    def _(value: int) -> Any:
        raise Marked("in conversion")

    @generic(convert_returns=True)
    def f(x: int) -> Target:
        return x  # type: ignore[return-value]

    with pytest.raises(Marked, match="in conversion"):
        f(1)
