"""A declaration, and methods under other names: calls are checked, too."""

from __future__ import annotations

from typing import Any

from latebind import (
    Dispatcher,
    GenericFunction,
    Hint,
    NextMethod,
    UnresolvedName,
    dispatch,
    generic,
)


@generic
def area(shape: object, scale: float = 1.0) -> float:
    """How much paint it takes."""
    raise NotImplementedError


@area.register
def _(shape: int, scale: float = 1.0) -> float:
    return shape * scale


@area.register
def _(shape: str, scale: float = 1.0) -> float:
    return len(shape) * scale


@area.register
def area_of_bytes(shape: bytes, scale: float = 1.0) -> float:
    return len(shape) * scale


@area.register(bytearray, float)
def area_of_bytearray(shape: Any, scale: float) -> float:
    return len(shape) * scale


@area.register(int | None)
def area_of_little(shape: object, scale: float = 1.0) -> float:
    return 0.0


@area.register(before=True)
def area_seen(shape: int, scale: float = 1.0) -> None:
    print("before")


def area_of_tuple(shape: tuple[object, ...], scale: float) -> float:
    return len(shape) * scale


area.register(tuple, float, area_of_tuple)


@area.register
def area_of_more(shape: bool, scale: float = 1.0, *, next_method: NextMethod) -> float:
    return 2 * next_method() if next_method else 0.0


class Canvas:
    @generic(combination="list")
    def draw(self, what: object) -> str:
        return "nothing"

    @draw.register
    def draw_number(self, what: int) -> str:
        return "number"


def use(function: GenericFunction[..., Any]) -> int:
    return len(function.methods)


number: float = area(1) + area("two", scale=2.0)
direct: float = area_of_bytes(b"three")
drawn: str = Canvas().draw(4)
unbound: str = Canvas.draw(Canvas(), 5)
print(use(area), area.resolve(int, float).source, area.map([1, 2]))

own = Dispatcher(order="lexicographic", precedence=("b",), strict=True)


@own(silent=True, doc="Two.")
def two(a: int, b: int) -> int:
    return a + b


@dispatch(combination=max)
def most(thing: int) -> int:
    return thing


kind: str = Hint.items(list, Hint.instance(int)).kind
try:
    explained: str | None = area.explain(1).inherits
except UnresolvedName as error:
    print(error.name)
