"""Signatures: the types of positional arguments, and how specific they are."""

from __future__ import annotations

import inspect
import operator
import types
import typing
from collections.abc import Callable
from typing import Any

from ._type import is_below, is_instance, is_same, plain_key, resolve_type_hint
from ._type import is_faithful as _is_faithful
from ._util import Comparable, Missing
from .repr import repr_short

__all__ = ["Signature", "append_default_args", "inspect_signature"]

_POSITIONAL = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)


class Signature(Comparable):
    """What the positional arguments of a method must be.

    Args:
        *types: One type per argument.
        varargs: Type of all further arguments, if there may be any.
        precedence: Decides between methods that would be ambiguous.
    """

    __slots__ = ("types", "varargs", "precedence", "is_faithful")

    def __init__(
        self, *types: Any, varargs: Any = Missing, precedence: int = 0
    ) -> None:
        self.types = tuple(resolve_type_hint(tp) for tp in types)
        self.varargs = Missing if varargs is Missing else resolve_type_hint(varargs)
        self.precedence = precedence
        self.is_faithful = all(map(_is_faithful, self.types)) and (
            not self.has_varargs or _is_faithful(self.varargs)
        )

    @staticmethod
    def from_callable(f: Callable[..., Any], precedence: int = 0) -> Signature:
        """The signature that the annotations of `f` say."""
        hints = annotations_of(f)
        found: list[Any] = []
        varargs: Any = Missing
        for param in inspect_signature(f).parameters.values():
            hint = hints.get(param.name, Any)
            if param.kind is param.VAR_POSITIONAL:
                varargs = hint
            elif param.kind in _POSITIONAL:
                _check_default(param, hint)
                found.append(hint)
        return Signature(*found, varargs=varargs, precedence=precedence)

    @property
    def has_varargs(self) -> bool:
        return self.varargs is not Missing

    def __copy__(self) -> Signature:
        return Signature(*self.types, varargs=self.varargs, precedence=self.precedence)

    def expand_varargs(self, n: int) -> tuple[Any, ...]:
        """The types for `n` arguments, as far as there are so many."""
        if not self.has_varargs:
            return self.types
        return self.types + (self.varargs,) * (n - len(self.types))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Signature):
            return NotImplemented
        return (
            len(self.types) == len(other.types)
            and self.has_varargs == other.has_varargs
            and self.precedence == other.precedence
            and all(map(is_same, self.types, other.types))
            and (not self.has_varargs or is_same(self.varargs, other.varargs))
        )

    def __hash__(self) -> int:
        rest = plain_key(self.varargs) if self.has_varargs else Missing
        return hash((*map(plain_key, self.types), rest, self.precedence))

    def __le__(self, other: Signature) -> bool:
        mine, theirs = len(self.types), len(other.types)
        if mine < theirs and not self.has_varargs:
            return False
        if mine > theirs and not other.has_varargs:
            return False
        count = max(mine, theirs)
        a, b = self.expand_varargs(count), other.expand_varargs(count)
        if not all(map(is_below, a, b)):
            return False
        if self.has_varargs and other.has_varargs:
            if not is_below(self.varargs, other.varargs):
                return False
            if mine >= theirs or not is_below(other.varargs, self.varargs):
                return True
        elif not self.has_varargs:
            return True
        # Of the same types, those that say more of them are the more specific.
        return not all(map(is_below, b, a))

    def _takes(self, count: int) -> bool:
        known = len(self.types)
        return count == known or (count > known and self.has_varargs)

    def match(self, values: tuple[Any, ...]) -> bool:
        """Do the arguments fit?"""
        return self._takes(len(values)) and all(
            map(is_instance, values, self.expand_varargs(len(values)))
        )

    def compute_distance(self, values: tuple[Any, ...]) -> int:
        """In how many places the arguments do not fit."""
        types = self.expand_varargs(len(values))
        wrong = sum(not is_instance(*pair) for pair in zip(values, types, strict=False))
        return wrong + abs(len(types) - len(values))

    def compute_mismatches(self, values: tuple[Any, ...]) -> tuple[set[int], bool]:
        """In which places they do not, and whether the variable ones all do."""
        known = len(self.types)
        pairs = zip(values, self.types, strict=False)
        wrong = {i for i, pair in enumerate(pairs) if not is_instance(*pair)}
        rest = values[known:] if self.has_varargs else ()
        return wrong, all(is_instance(value, self.varargs) for value in rest)

    def __repr__(self) -> str:
        parts = list(map(repr_short, self.types))
        if self.has_varargs:
            parts.append(f"varargs={repr_short(self.varargs)}")
        if self.precedence != 0:
            parts.append(f"precedence={self.precedence}")
        return f"Signature({', '.join(parts)})"


def _check_default(param: inspect.Parameter, hint: Any) -> None:
    hint = resolve_type_hint(hint)
    if param.default is not param.empty and not is_instance(param.default, hint):
        raise TypeError(
            f"Default value `{param.default!r}` is not an instance of the annotated "
            f"type `{repr_short(hint)}`."
        )


def inspect_signature(f: Callable[..., Any]) -> inspect.Signature:
    """As inspect.signature, also for what C does not describe."""
    try:
        return inspect.signature(f)
    except (TypeError, ValueError):
        if isinstance(f, (operator.itemgetter, operator.attrgetter)):
            return inspect.signature(lambda x: x)
        return inspect.signature(lambda *args, **kw_args: None)


def annotations_of(f: Callable[..., Any]) -> dict[str, Any]:
    """The annotations of `f`, evaluated; NameError for names not there yet."""
    if isinstance(f, types.MethodType):
        return annotations_of(f.__func__)
    inner = inspect.unwrap(f)
    if not getattr(f, "__annotations__", None):
        return {}
    try:
        free = inspect.getclosurevars(inner).nonlocals if callable(inner) else {}
    except (TypeError, ValueError):
        free = {}
    return typing.get_type_hints(f, localns=dict(free) or None, include_extras=True)


def append_default_args(signature: Signature, f: Callable[..., Any]) -> list[Signature]:
    """`signature`, and those that are left when arguments with defaults are not
    given, one after the other from the end."""
    params = [
        param
        for param in inspect_signature(f).parameters.values()
        if param.kind in _POSITIONAL
    ]
    known = len(signature.types)
    found = [signature]
    for count in range(min(known, len(params)), 0, -1):
        if params[count - 1].default is inspect.Parameter.empty:
            break
        if count <= known:
            shorter = signature.types[: count - 1]
            found.append(Signature(*shorter, precedence=signature.precedence))
    return found
