"""Signatures: what positional arguments must be; and the engine's methods."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any

from latebind import Hint, Method

from ._types import subtype

_NO_HINT = object()


class signature(tuple):  # noqa: N801, SLOT001 - the peer's name
    """A tuple of types: what the arguments of a method must be.

    The first `required` of them have no default; all of them if it is not given.
    """

    required: int

    def __new__(
        cls, types: Iterable[Any] = (), required: int | None = None
    ) -> signature:
        self = super().__new__(cls, map(subtype, types))
        self.required = len(self) if required is None else required
        return self

    @classmethod
    def from_hints(cls, func: Callable[..., Any]) -> signature:
        """Of the positional parameters, as far as one is annotated."""
        hints = _positional_hints(func)
        return cls(hints, min(len(hints), _Shape(func).least))

    def subtypes(self, *types: Any) -> bool:
        """Are these types, one for one, subtypes of ours?"""
        return self.required <= len(types) and all(map(issubclass, types, self))

    def instances(self, *args: Any) -> bool:
        """Are these values, one for one, instances of our types?"""
        return self.required <= len(args) and all(map(isinstance, args, self))


def _positional_hints(func: Callable[..., Any]) -> list[Any]:
    """NameError and the like while a forward reference is not there yet."""
    target = func.__func__ if isinstance(func, types.MethodType) else func
    if not getattr(target, "__annotations__", None) or isinstance(target, type):
        return []
    hints = typing.get_type_hints(target)
    found: list[Any] = []
    for param in _parameters(func):
        if param.kind in (param.POSITIONAL_ONLY, param.POSITIONAL_OR_KEYWORD):
            found.append(hints.get(param.name, _NO_HINT))
    while found and found[-1] is _NO_HINT:
        found.pop()
    return [object if hint is _NO_HINT else hint for hint in found]


def _parameters(func: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(func).parameters.values())
    except (TypeError, ValueError):  # a C function that does not tell
        return [
            inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL),
            inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD),
        ]


class _Shape:
    """How many positional arguments a function takes."""

    __slots__ = ("least", "most", "names")
    least: int
    most: float

    def __init__(self, func: Callable[..., Any]) -> None:
        params = _parameters(func)
        plain = [
            param
            for param in params
            if param.kind in (param.POSITIONAL_ONLY, param.POSITIONAL_OR_KEYWORD)
        ]
        self.names = [param.name for param in plain]
        self.least = sum(param.default is param.empty for param in plain)
        rest = any(param.kind is param.VAR_POSITIONAL for param in params)
        self.most = float("inf") if rest else len(plain)

    def takes(self, count: int, typed: int) -> bool:
        """Can `count` arguments be passed if the first `typed` have types?"""
        return min(self.least, typed) <= count <= max(self.most, typed)


def _positional_method(
    func: Callable[..., Any], hints: list[Hint], least: int, most: float
) -> Method:
    """A method of `least` to `most` positional arguments; keywords go through."""
    more = most == float("inf")
    count = max(len(hints), least if more else int(most))
    return Method(
        func,
        tuple(f"_{i}" for i in range(count)),
        (*hints, *[None] * (count - len(hints))),
        count,
        posonly=count,
        required=min(least, count),
        rest=None if more else False,
        others=None,
    )


def _named_method(
    func: Callable[..., Any], params: list[inspect.Parameter], hints: list[Hint]
) -> Method:
    """A method with the parameters of `func`; the hints are of the first ones."""

    def of_kind(*kinds: Any) -> list[inspect.Parameter]:
        return [param for param in params if param.kind in kinds]

    first = of_kind(inspect.Parameter.POSITIONAL_ONLY)
    plain = first + of_kind(inspect.Parameter.POSITIONAL_OR_KEYWORD)
    named = of_kind(inspect.Parameter.KEYWORD_ONLY)
    asked = sum(param.default is param.empty for param in plain)
    bits = sum(1 << i for i, param in enumerate(named) if param.default is param.empty)
    return Method(
        func,
        tuple(param.name for param in plain + named),
        (*hints, *[None] * (len(plain) + len(named) - len(hints))),
        len(plain),
        posonly=len(first),
        required=asked,
        keyword_required=bits,
        rest=None if of_kind(inspect.Parameter.VAR_POSITIONAL) else False,
        others=None if of_kind(inspect.Parameter.VAR_KEYWORD) else False,
    )
