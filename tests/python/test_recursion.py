"""Calls without end are a RecursionError, not a crash, and leave all well."""

import functools
import sys
import threading
from typing import Annotated, Any

import pytest
from support import run_child

from latebind import dispatch, generic


def test_endless_recursion_is_an_error_and_then_all_is_well() -> None:
    @dispatch
    def f(x: int) -> Any:
        return f(x + 1)

    @dispatch
    def f(x: str) -> str:
        return "str"

    for _ in range(3):
        with pytest.raises(RecursionError):
            f(0)
        assert f("a") == "str"


def test_endless_recursion_in_a_method_of_a_class() -> None:
    class C:
        @dispatch
        def m(self, x: int) -> Any:
            return self.m(x)

        @dispatch
        def __call__(self, x: int) -> Any:
            return self(x)

    with pytest.raises(RecursionError):
        C().m(1)
    with pytest.raises(RecursionError):
        C()(1)


def test_recursion_between_two_functions_and_by_keyword() -> None:
    @dispatch
    def f(x: int, *, key: int = 0) -> Any:
        return g(x=x, key=key)

    @dispatch
    def g(x: int, *, key: int) -> Any:
        return f(x, key=key + 1)

    with pytest.raises(RecursionError):
        f(1)


def test_recursion_through_next_method() -> None:
    @dispatch
    def f(x: object) -> Any:
        return f(1)

    @dispatch
    def f(x: int, *, next_method: Any) -> Any:
        return next_method()

    with pytest.raises(RecursionError):
        f(1)


def test_recursion_in_c_alone_ends() -> None:
    """No Python frame between the calls: methods that are partials."""

    @generic
    def f(x): ...

    f.register(int, functools.partial(f))
    with pytest.raises(RecursionError):
        f(1)
    f.register(str, f)
    with pytest.raises(RecursionError):
        f("a")


def test_recursion_in_a_predicate() -> None:
    @generic
    def f(x): ...

    f.register(Annotated[int, lambda x: f(x)], lambda x: True)
    with pytest.raises(RecursionError):
        f(1)
    f.register(str, lambda x: "str")
    assert f("a") == "str"


def test_recursion_in_a_combination_and_around() -> None:
    @generic(combination="list")
    def f(x): ...

    f.register(int, lambda x: f(x))
    f.register(object, lambda x: f(x))
    with pytest.raises(RecursionError):
        f(1)

    @generic
    def g(x): ...

    g.register(int, lambda x: 1)
    g.register(int, lambda x: g(x), qualifier="before")
    with pytest.raises(RecursionError):
        g(1)


def test_recursion_over_a_deep_value() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    @generic
    def f(x): ...

    hint: Any = int
    for _ in range(20):
        hint = list[hint]
    f.register(hint, lambda x: "deep")
    f.register(object, lambda x: "object")
    assert f(deep) == "object"


def test_a_long_chain_of_next_methods() -> None:
    cls: type = object
    count = 300

    @generic
    def f(x): ...

    f.register(object, lambda x: 0)
    for _ in range(count):
        cls = type("T", (cls,), {})

        @f.register(cls)
        def _(x, *, next_method):
            return 1 + next_method()

    assert f(cls()) == count


def test_a_raised_limit_is_used_as_far_as_for_any_callable_in_c() -> None:
    """Python 3.12 and 3.13 count the calls that C makes apart, up to a limit of
    their own; a partial meets it, too."""
    levels = {"ours": 0, "partial": 0}

    @dispatch
    def ours(x: int) -> Any:
        levels["ours"] = x
        return ours(x + 1)

    def forward(x: int) -> Any:
        levels["partial"] = x
        return partial(x + 1)

    partial = functools.partial(forward)

    def run() -> None:
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(5_000)
        try:
            for function in (ours, partial):
                with pytest.raises(RecursionError):
                    function(0)
        finally:
            sys.setrecursionlimit(before)

    size = threading.stack_size(64 << 20)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
    assert levels["ours"] >= levels["partial"] - 5
    assert levels["partial"] > 500


def test_a_generic_function_takes_as_many_levels_as_a_plain_one() -> None:
    """With the usual limit a program may go about as deep as without us."""

    @dispatch
    def f(x: int) -> int:
        return 0 if x == 0 else 1 + f(x - 1)

    assert f(400) == 400


def test_the_stack_ends_before_the_process_does() -> None:
    done = run_child(
        """
        from latebind import dispatch
        class C:
            @dispatch
            def __getattr__(self, name: str): return self.other
            @dispatch
            def __eq__(self, other: object): return self == other
            @dispatch
            def __repr__(self): return repr(self)
        for action in (lambda: C().x, lambda: C() == C(), lambda: repr(C())):
            try:
                action()
            except RecursionError:
                print("ended")
        """
    )
    assert done.stdout.split() == ["ended"] * 3, done.stderr
