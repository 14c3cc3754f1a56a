"""Chains: next methods kept, called with other arguments, combinations."""

import contextlib
from typing import Any

from measure import expect_no_leak

from latebind import NoMethodError, generic


@generic
def f(x, *rest): ...


f.register(object, lambda x, *rest: rest)


@f.register
def _(x: int, *rest: object, next_method: Any) -> Any:
    return next_method, next_method(), next_method(x, 1), bool(next_method)


@f.register
def _(x: bool, *rest: object, next_method: Any) -> Any:
    return next_method()


@generic
def ends(x): ...


@ends.register
def _(x: int, *, next_method: Any) -> Any:
    return next_method()


@generic(combination="list")
def listed(x, **named): ...


for cls in (object, int, bool):
    listed.register(cls, lambda x, **named: object())
listed.register(int, lambda x, **named: None, qualifier="before")
listed.register(int, lambda x, **named: None, qualifier="after")


@listed.register(int, qualifier="around")
def _(x, *, next_method, **named):
    return next_method()


@generic
def propagates(x): ...


propagates.register(object, lambda x: object())
propagates.register(int, lambda x: object(), propagate="start")
propagates.register(bool, lambda x: object(), propagate="end")


def scenario() -> None:
    kept = f(True, object())[0]
    kept()
    with contextlib.suppress(NoMethodError):
        ends(1)
    listed(True, key=object())
    propagates(True)


expect_no_leak(scenario)
