"""Values looked at by hints of every kind."""

import collections
import contextlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from measure import expect_no_leak

from latebind import generic

HINTS = [
    list[int],
    dict[str, int],
    tuple[int, ...],
    tuple[int, str],
    set[int],
    Sequence[int],
    Mapping[str, int],
    collections.deque[int],
    type[int],
    Literal["a", 5],
    Annotated[float, lambda x: x > 0],
    int | None,
]


@generic(silent=True)
def f(x): ...


for hint in HINTS:
    f.register(hint, lambda x: x)
f.register(object, lambda x: x)

VALUES: list[Any] = [
    [1],
    ["a"],
    {"a": 1},
    {1: 1},
    (1, 2),
    (1, "a"),
    {1},
    {"a"},
    range(3),
    collections.deque([1]),
    int,
    str,
    "a",
    "b",
    5,
    1.5,
    -1.5,
    None,
    collections.OrderedDict(a=1),
]


def scenario() -> None:
    for value in VALUES:
        with contextlib.suppress(TypeError):
            f(value)


expect_no_leak(scenario)
