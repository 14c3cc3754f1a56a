"""`overload` and `isa` of multimethod 1.x: dispatch on predicates."""

from __future__ import annotations

import functools
import inspect
import sys
import typing
from collections.abc import Callable
from typing import Any

from latebind import GenericFunction, Hint

from ._function import DispatchError
from ._signature import _named_method, _parameters
from ._types import _ALIASES, _is_instance, hint_of, subtype


def isa(*types: type) -> Callable[[Any], bool]:
    """A predicate for annotations of `overload`: isinstance of one of `types`."""
    return functools.partial(_is_instance, types)


class overload(GenericFunction):  # noqa: N801 - the peer's name
    """A function whose annotations are predicates, or types; of the definitions
    whose predicates all hold the last one runs."""

    def __new__(cls, func: Any, /) -> Any:
        known = sys._getframe(1).f_locals.get(func.__name__)
        if type(known) is cls:
            return known
        return super().__new__(
            cls, func.__name__, order="reverse_definition", failed=_overload_failed
        )

    def __set_name__(self, owner: type, name: str) -> None:
        """Nothing goes on along the bases of a class."""

    def __init__(self, func: Callable[..., Any], /) -> None:
        functools.update_wrapper(self, func)
        self.register(func)

    def register(self, func: Callable[..., Any]) -> Any:
        """Adds a definition; returns this object or, under another name, `func`."""
        params = _parameters(func)
        notes = {param.name: param.annotation for param in params}
        if any(isinstance(note, str) for note in notes.values()):
            notes.update(typing.get_type_hints(func))
        plain = [
            param
            for param in params
            if param.kind not in (param.VAR_POSITIONAL, param.VAR_KEYWORD)
        ]
        hints = [_check(notes[param.name]) for param in plain]
        self._add((_named_method(func, params, hints),))
        return self if func.__name__ == self.__name__ else func


def _check(note: Any) -> Hint:
    if note in (inspect.Parameter.empty, Any):
        return Hint.any()
    if callable(note) and not isinstance(note, (type, *_ALIASES)):
        # A method of a class, as str.isdigit, asks the instances of that only.
        base = Hint.instance(getattr(note, "__objclass__", object))
        return Hint.where(base, note, getattr(note, "__name__", repr(note)))
    return hint_of(subtype(note), by_instance=True)


def _overload_failed(
    generic: Any, status: str, args: tuple[Any, ...], kwargs: Any
) -> Any:
    raise DispatchError(f"No matching functions for {generic.__name__}")
