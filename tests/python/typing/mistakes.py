"""What a checker must find.  Each such line ends with the word ERROR."""

from __future__ import annotations

from latebind import Dispatcher, Hint, dispatch, generic


@generic
def area(shape: object, scale: float = 1.0) -> float:
    return 0.0


@dispatch
def size(thing: int) -> int:
    return 0


@dispatch
def size(thing: str) -> int:
    return "wrong in a later definition"  # ERROR


class Canvas:
    @generic
    def draw(self, what: object) -> str:
        return ""


area(1, "two")  # ERROR
area()  # ERROR
wrong: str = area(1)  # ERROR
Canvas().draw()  # ERROR
size.no_such_attribute  # ERROR


@dispatch(order="alphabetic")  # ERROR
def name(thing: int) -> int:
    return 0


@dispatch(ordr="symmetric")  # ERROR
def misspelt(thing: int) -> int:
    return 0


@generic(combination="mean")  # ERROR
def mean(thing: int) -> int:
    return 0


wrong_order = Dispatcher(order="alphabetic")  # ERROR
Hint.instance(3)  # ERROR
