"""`next_method`: the next most specific one, from inside a method."""

import gc
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from latebind import AmbiguousMethodError, NoMethodError, dispatch, generic


class Top: ...


class Middle(Top): ...


class Bottom(Middle): ...


@pytest.fixture
def f() -> Any:
    @dispatch
    def f(x: Top, *more: object) -> Any:
        return ["Top", *more]

    @dispatch
    def f(x: Middle, *more: object, next_method: Any) -> Any:
        return ["Middle", *next_method()]

    @dispatch
    def f(x: Bottom, *more: object, next_method: Any) -> Any:
        return ["Bottom", *next_method()]

    return f


def test_each_method_reaches_the_one_after_it(f: Any) -> None:
    assert f(Bottom()) == ["Bottom", "Middle", "Top"]
    assert f(Middle()) == ["Middle", "Top"]
    assert f(Top()) == ["Top"]


def test_without_arguments_the_same_are_passed(f: Any) -> None:
    assert f(Bottom(), 1, 2) == ["Bottom", "Middle", "Top", 1, 2]


def test_keywords_are_passed_on_too() -> None:
    @dispatch
    def f(x: object, *, key: object, **more: object) -> Any:
        return (x, key, more)

    @dispatch
    def f(x: int, *, key: object, next_method: Any, **more: object) -> Any:
        return next_method()

    assert f(1, key=2, other=3) == (1, 2, {"other": 3})


def test_a_default_that_the_caller_left_out_is_left_out_again() -> None:
    @dispatch
    def f(x: object, key: object = "far") -> Any:
        return key

    @dispatch
    def f(x: int, key: object = "near", *, next_method: Any) -> Any:
        return (key, next_method())

    assert f(1) == ("near", "far")
    assert f(1, 2) == (2, 2)


def test_other_arguments_may_be_passed() -> None:
    @dispatch
    def f(x: object, y: object) -> Any:
        return ("object", x, y)

    @dispatch
    def f(x: int, y: int, *, next_method: Any) -> Any:
        return next_method(x + 1, y=y + 1)

    assert f(1, 2) == ("object", 2, 3)


def test_other_arguments_do_not_choose_again() -> None:
    @dispatch
    def f(x: object, *, next_method: Any) -> Any:
        return ("object", x)

    @dispatch
    def f(x: int, *, next_method: Any) -> Any:
        return ("int", next_method("a"))

    @dispatch
    def f(x: str) -> Any:
        return "str"

    assert f(1) == ("int", ("object", "a"))


def test_it_is_false_when_there_is_none() -> None:
    seen: list[bool] = []

    @dispatch
    def f(x: object, *, next_method: Any) -> None:
        seen.append(bool(next_method))

    @dispatch
    def f(x: int, *, next_method: Any) -> None:
        seen.append(bool(next_method))
        next_method()

    f(1)
    assert seen == [True, False]


def test_calling_it_when_there_is_none_is_an_error() -> None:
    @dispatch
    def f(x: int, *, next_method: Any) -> Any:
        return next_method()

    with pytest.raises(NoMethodError) as caught:
        f(1)
    assert caught.value.generic is f
    assert "next" in str(caught.value)


def test_an_ambiguous_next_method_is_an_error_only_when_called() -> None:
    @generic(silent=True)
    def f(x, y): ...

    f.register(int, object, lambda x, y: "left")
    f.register(object, int, lambda x, y: "right")

    @f.register
    def _(x: int, y: int, *, next_method: Any, call: bool = False) -> Any:
        return next_method() if call else "both"

    assert f(1, 1) == "both"

    @f.register
    def _(x: bool, y: bool, *, next_method: Any) -> Any:
        return next_method()

    assert f(True, True) == "both"
    f.remove(int, int)
    with pytest.raises(AmbiguousMethodError):
        f(True, True)


def test_a_recursive_call_has_its_own_next_method() -> None:
    @dispatch
    def f(x: object, depth: int) -> Any:
        return ["end"]

    @dispatch
    def f(x: Top, depth: int, *, next_method: Any) -> Any:
        inner = f(Top(), depth - 1) if depth else []
        return [depth, *inner, *next_method()]

    assert f(Top(), 2) == [2, 1, 0, "end", "end", "end"]


def test_it_may_be_called_several_times_and_later(f: Any) -> None:
    kept: list[Any] = []

    @f.register
    def _(x: Bottom, *more: object, next_method: Any) -> Any:
        kept.append(next_method)
        return [next_method(), next_method()]

    assert f(Bottom()) == [["Middle", "Top"]] * 2
    assert kept[0]() == ["Middle", "Top"]
    assert kept[0](Bottom(), 5) == ["Middle", "Top", 5]


def test_it_outlives_the_methods_behind_it() -> None:
    @dispatch
    def f(x: object) -> str:
        return "object"

    @dispatch
    def f(x: int, *, next_method: Any) -> Any:
        return next_method

    following = f(1)
    f.remove(object)
    gc.collect()
    assert following() in ("object",)
    f.remove(int)
    del f
    gc.collect()
    assert following() == "object"


def test_it_does_not_keep_the_arguments_after_the_call() -> None:
    @dispatch
    def f(x: object) -> None: ...

    @dispatch
    def f(x: Top, *, next_method: Any) -> None:
        next_method()

    value = Bottom()
    f(value)
    watch = weakref.ref(value)
    del value
    gc.collect()
    assert watch() is None


def test_generators_use_it_as_they_go() -> None:
    @dispatch
    def walk(x: object) -> Iterator[str]:
        yield "object"

    @dispatch
    def walk(x: int, *, next_method: Any) -> Iterator[str]:
        yield "int"
        yield from next_method()

    assert list(walk(1)) == ["int", "object"]


def test_it_may_be_called_in_another_thread(f: Any) -> None:
    results: list[Any] = []

    @f.register
    def _(x: Bottom, *more: object, next_method: Any) -> None:
        thread = threading.Thread(target=lambda: results.append(next_method()))
        thread.start()
        thread.join()

    f(Bottom())
    assert results == [["Middle", "Top"]]


def test_the_chain_is_the_one_from_the_start_of_the_call() -> None:
    """A change during a call shows at the next call."""

    @dispatch
    def f(x: object) -> str:
        return "old"

    @dispatch
    def f(x: int, *, next_method: Any) -> Any:
        f.register(object, lambda x: "new")
        return next_method()

    assert f(1) in ("old", "new")
    assert f(1) == "new"


def test_a_method_that_does_not_want_it_costs_the_others_nothing(f: Any) -> None:
    f.remove(f.resolve(Bottom))
    f.register(Bottom, lambda x, *more: "alone")
    assert f(Bottom()) == "alone"


def test_a_parameter_of_that_name_with_a_type_that_is_not_keyword_only_is_plain() -> (
    None
):
    @dispatch
    def f(next_method: int) -> int:
        return next_method

    assert f(1) == 1


def test_one_without_a_type_is_refused_where_it_is_defined() -> None:
    @generic
    def f(x): ...

    with pytest.raises(TypeError, match=r"f.*: next_method .* behind the star"):

        @f.register
        def f_int(x: int, next_method) -> None: ...

    assert f.methods == ()


def test_it_works_on_methods_of_classes() -> None:
    class C:
        @dispatch
        def m(self, x: object) -> Any:
            return (self, x)

        @dispatch
        def m(self, x: int, *, next_method: Any) -> Any:
            return next_method(self, x + 1)

    o = C()
    assert o.m(1) == (o, 2)
    assert C.m(o, 1) == (o, 2)


def test_resolve_and_chain_tell_what_it_will_reach(f: Any) -> None:
    chain = f.chain(Bottom)
    assert [one.hints["x"].text for one in chain] == ["Bottom", "Middle", "Top"]
    assert f.resolve(Bottom) is chain[0]


def test_it_shows_what_it_stands_for() -> None:
    @dispatch
    def area(x: object) -> None: ...

    @dispatch
    def area(x: int, *, next_method: Any) -> str:
        return repr(next_method)

    assert "area" in area(1)
