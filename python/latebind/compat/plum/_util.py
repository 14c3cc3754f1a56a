"""Small things: an absent value, comparing by <=, where a function stands."""

from __future__ import annotations

import abc
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

__all__ = [
    "Callable",
    "Comparable",
    "Missing",
    "TypeHint",
    "argsort",
    "get_class",
    "get_context",
    "is_in_class",
    "wrap_lambda",
]

_T = TypeVar("_T")
_R = TypeVar("_R")

TypeHint = object  # any type hint


class _MissingType(type):
    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("Missing stands for itself: it has no instances")

    def __bool__(cls) -> bool:
        if "sphinx" in sys.modules:  # which asks every default value
            return False
        raise TypeError("Missing has no truth value: compare by `is`")

    def __repr__(cls) -> str:
        return "Missing"


class Missing(metaclass=_MissingType):
    """Stands for a value that was not given."""


class Comparable(abc.ABC):
    """All comparisons from <= alone, which may be a partial order."""

    @abc.abstractmethod
    def __le__(self, other: Any) -> bool: ...

    def __eq__(self, other: object) -> bool:
        return bool(self <= other and other <= self)  # type: ignore[operator]

    __hash__ = None  # type: ignore[assignment]

    def __ge__(self, other: Any) -> bool:
        return bool(other <= self)

    def __lt__(self, other: Any) -> bool:
        return self <= other and not other <= self

    def __gt__(self, other: Any) -> bool:
        return other <= self and not self <= other

    def is_comparable(self, other: Any) -> bool:
        """Is one of the two below the other?"""
        return self <= other or other <= self


def wrap_lambda(f: Callable[[_T], _R]) -> Callable[[_T], _R]:
    """A plain function that calls `f`, which may be a class or a C function."""
    return lambda x: f(x)


def _outer(f: Any) -> list[str]:
    """The names around `f` in its module, from the outside."""
    return str(f.__qualname__).split(".")[:-1]


def is_in_class(f: Any) -> bool:
    """Was `f` defined in the body of a class?"""
    outer = _outer(f)
    return bool(outer) and outer[-1] != "<locals>"


def get_class(f: Any) -> str:
    """The full name of the class in whose body `f` was defined."""
    return ".".join([f.__module__, *_outer(f)])


def get_context(f: Any) -> str:
    """The full name of the module or function around `f` or around its class."""
    outer = _outer(f)
    while outer and outer[-1] != "<locals>":
        outer.pop()
    return ".".join([f.__module__, *outer])


def argsort(seq: Sequence[Any]) -> list[int]:
    """The indices that would sort `seq`."""
    return sorted(range(len(seq)), key=seq.__getitem__)
