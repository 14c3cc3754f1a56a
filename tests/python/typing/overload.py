"""`dispatch` under the name that ruff can be told about."""

from __future__ import annotations

from latebind import overload


@overload
def size(thing: int) -> int:
    return thing


@overload
def size(thing: str) -> int:
    return len(thing)


print(size(1))
