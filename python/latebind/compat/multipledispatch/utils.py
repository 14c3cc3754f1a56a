"""Small functions that programs import from `multipledispatch.utils`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import product
from typing import Any, TypeVar

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


def raises(err: type[BaseException], lamda: Callable[[], Any]) -> bool:
    """Whether `lamda()` raises `err`."""
    try:
        lamda()
    except err:
        return True
    return False


def expand_tuples(L: Sequence[Any]) -> list[tuple[Any, ...]]:  # noqa: N803
    """All signatures that come of choosing one member of each tuple.

    >>> expand_tuples([1, (2, 3)])
    [(1, 2), (1, 3)]
    """
    choices = [each if isinstance(each, tuple) else (each,) for each in L]
    return [each[::-1] for each in product(*reversed(choices))]


def reverse_dict(d: Mapping[K, Iterable[T]]) -> dict[T, tuple[K, ...]]:
    """For each value in the values of `d`, the keys that it stands under."""
    result: dict[T, tuple[K, ...]] = {}
    for key, values in d.items():
        for value in values:
            result[value] = (*result.get(value, ()), key)
    return result


def groupby(func: Callable[[T], K], seq: Iterable[T]) -> dict[K, list[T]]:
    """The members of `seq` by what `func` says of each."""
    groups: dict[K, list[T]] = {}
    for item in seq:
        groups.setdefault(func(item), []).append(item)
    return groups


def _toposort(edges: Mapping[T, Iterable[T]]) -> list[T]:
    """The nodes of a graph, each before those that its edges lead to.

    Of the nodes that may come next the one found last is taken.
    """
    waiting: dict[T, int] = dict.fromkeys(edges, 0)
    for targets in edges.values():
        for target in dict.fromkeys(targets):
            waiting[target] = waiting.get(target, 0) + 1
    ready = [node for node in edges if not waiting[node]]
    order = []
    while ready:
        node = ready.pop()
        order.append(node)
        for target in dict.fromkeys(edges.get(node, ())):
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    if len(order) < len(waiting):
        raise ValueError("Input has cycles")
    return order


def typename(type: Any) -> str:
    """The name of a class, or the names of a tuple of classes."""
    if not isinstance(type, tuple):
        return type.__name__
    if len(type) == 1:
        return typename(type[0])
    return f"({', '.join(map(typename, type))})"
