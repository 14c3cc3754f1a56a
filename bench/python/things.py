"""Classes and functions to dispatch on, made for the loads."""

import random
from collections.abc import Callable, Sequence
from typing import Any

Function = Callable[..., Any]
SEED = 20031

# One object of each; none of the classes is derived from another.
BUILTINS: list[Any] = [7, "seven", 7.0, [7], {7: 7}, (7,), b"seven", {7}]


def classes(count: int, prefix: str = "C") -> list[type]:
    return [type(f"{prefix}{number}", (), {}) for number in range(count)]


def function(
    result: int, types: Sequence[Any], parameters: str = "a, b", name: str = "f"
) -> Function:
    """A function, with code of its own, that returns a number. `types` annotate
    the last parameters."""
    scope: dict[str, Any] = {}
    exec(f"def {name}({parameters}):\n    return {result}\n", scope)
    made = scope[name]
    names = [each.strip() for each in parameters.split(",")]
    names = [each for each in names if each not in ("*", "/")]
    made.__annotations__ = dict(
        zip(names[len(names) - len(types) :], types, strict=True)
    )
    made.__module__ = __name__
    return made


def pairs(first: Sequence[type], second: Sequence[type]) -> list[tuple[type, type]]:
    return [(a, b) for a in first for b in second]


def shuffled(count: int) -> list[int]:
    order = list(range(count))
    random.Random(SEED).shuffle(order)
    return order
