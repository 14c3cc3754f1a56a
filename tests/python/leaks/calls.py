"""Calls of every form, from the table and past it."""

from typing import Any

from measure import expect_no_leak

from latebind import dispatch


class Base:
    @dispatch
    def m(self, x: int, *, key: str = "") -> str:
        return "int"

    @dispatch
    def m(self, x: str) -> str:
        return "str"

    @classmethod
    @dispatch
    def c(cls, x: int) -> type:
        return cls


class Sub(Base):
    @dispatch
    def m(self, x: float, *, next_method: Any) -> Any:
        return bool(next_method)


@dispatch
def f(x: int, y: object, *rest: object, key: object = None, **more: object) -> Any:
    return rest


@dispatch
def f(x: str, y: object) -> Any:
    return y


f.register(bytes, object, divmod)
f.register(list, int, list.append)


def scenario() -> None:
    f(1, 2)
    f(1, 2, 3, 4, key=5, other=object())
    f(y=1, x="a")
    f([], 1)
    f(x=1, y=object())
    o = Sub()
    o.m(1)
    o.m(1, key="a")
    o.m("a")
    o.m(1.5)
    Sub.m(o, 1)
    Sub.c(1)
    bound = o.m
    bound("a")
    f.map([1, "a"], [2, 3])


expect_no_leak(scenario)
