"""Calls that end in an error, of dispatch or of user code."""

import contextlib
from typing import Annotated, Any, Literal

from measure import expect_no_leak

from latebind import AmbiguousMethodError, NoMethodError, generic


def fails(value: object) -> bool:
    raise KeyError("predicate")


@generic(silent=True)
def f(x, y): ...


@f.register
def _(x: int, y: object, *, next_method: Any) -> Any:
    return next_method()


f.register(object, int, lambda x, y: "right")
f.register(Annotated[str, fails], object, lambda x, y: "str")
f.register(bytes, Literal["a"], lambda x, y: 1 / 0)
f.register(bytes, list[int], lambda x, y: 1 / 0)


def scenario() -> None:
    class Thing: ...

    for args in (
        (),
        (1,),
        (1, 1),
        (Thing(), Thing()),
        (1, Thing()),
        ("a", 1.5),
        (b"", "a"),
        (b"", "b"),
        (b"", [1, "a"]),
        (1, 2, 3),
    ):
        try:
            f(*args)
        except (AmbiguousMethodError, NoMethodError, KeyError, ZeroDivisionError) as e:
            str(e)
        else:
            raise AssertionError(args)
    for named in ({"zebra": 1}, {"x": 1}, {"x": 1, "y": 1.5}):
        with contextlib.suppress(TypeError, NoMethodError):
            f(**named)
    for types in ((1, 2), (int,), (int, int)):
        with contextlib.suppress(TypeError):
            f.resolve(*types)


expect_no_leak(scenario, 300)
