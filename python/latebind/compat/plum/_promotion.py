"""Conversion of values to types, and promotion of several to a common type.

Both are functions of methods themselves: one chooses by a value and the type
that is asked for, the other by two types. A type as an argument is met by a
class made by `_below`, whose instances are the types below one type.

A value's conversion to one type, which every call of a method with a return
annotation needs, has a generic function of its own (`_Converter`), which chooses
by the value alone. It is emptied when a conversion is added, and filled from
`_convert` when it is next called.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import latebind
from latebind import GenericFunction

from .._chooser import method_of
from ._dispatcher import Dispatcher
from ._function import Function
from ._method import Method
from ._resolver import best
from ._signature import Signature
from ._type import as_hint, is_below, is_instance, is_same, is_type, resolve_type_hint
from .repr import repr_short

__all__ = [
    "add_conversion_method",
    "add_promotion_rule",
    "conversion_method",
    "convert",
    "promote",
]

_F = TypeVar("_F", bound=Callable[..., Any])


class _Converter(GenericFunction):
    """Converts any value to one type."""

    _all: weakref.WeakSet[_Converter] = weakref.WeakSet()

    def __new__(cls, type_to: Any) -> _Converter:
        name = f"convert to {repr_short(type_to)}"
        return super().__new__(cls, name, order=_choose_conversion, failed=_unconverted)

    def __init__(self, type_to: Any) -> None:
        self._type_to, self._filled = type_to, False
        _Converter._all.add(self)

    def empty(self) -> None:
        if self._filled:
            self._filled = False
            self._replace(())

    def fill(self) -> None:
        """Takes over the conversions that may be asked for our type."""
        with _convert._lock:
            made = []
            for method in _convert.methods:
                if not is_instance(self._type_to, method.signature.types[1]):
                    continue
                if method.implementation is _convert._f:
                    made.append(self._method(method, self._type_to, lambda x: x))
                else:
                    made.append(self._method(method, method.signature.types[0]))
            self._replace(tuple(made))
            self._filled = True

    def _method(
        self, method: Method, hint: Any, f: Callable[[Any], Any] | None = None
    ) -> latebind.Method:
        if f is None:
            implementation = method.implementation
            f = getattr(implementation, "conversion", None)
        if f is None:  # somebody's own method of `_convert`

            def f(value: Any) -> Any:
                return implementation(value, self._type_to)

        made = method_of(f, (as_hint(hint),))
        made.peer = method
        return made


def _choose_conversion(
    self: _Converter, classes: tuple[type, ...], methods: Sequence[latebind.Method]
) -> list[latebind.Method]:
    found = best([method.peer for method in methods])
    return [m for m in methods if len(found) == 1 and m.peer is found[0]]


def _unconverted(
    self: _Converter, status: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    if not self._filled:
        self.fill()
        return self(*args, **kwargs)
    return _convert(*args, self._type_to)  # which says why not


class _Conversions(Function):
    """The function of all conversions: tells the converters of changes."""

    def _touch(self) -> None:
        super()._touch()
        for converter in _Converter._all:
            converter.empty()


#: Those in use, by methods or lately; so no class lives for its converter alone.
_converters: weakref.WeakValueDictionary[type, _Converter]
_converters = weakref.WeakValueDictionary()
_recent: deque[_Converter] = deque(maxlen=64)


def converter_to(type_to: Any) -> _Converter:
    """What converts to `type_to`, a resolved type hint."""
    if not isinstance(type_to, type):
        return _Converter(type_to)
    known = _converters.get(type_to)
    if known is None:
        known = _converters[type_to] = _Converter(type_to)
        _recent.append(known)
    return known


class _TypesBelow(type):
    """The class of the classes whose instances are types."""

    _top: Any

    def __instancecheck__(cls, value: Any) -> bool:
        return (value is None or is_type(value)) and is_below(value, cls._top)

    def __subclasscheck__(cls, other: Any) -> bool:
        if isinstance(other, _TypesBelow):
            return is_below(other._top, cls._top)
        return False

    def __repr__(cls) -> str:
        return f"type[{repr_short(cls._top)}]"


def _below(top: Any) -> _TypesBelow:
    """What a type must be that is asked for: `top` or below it."""
    return _TypesBelow("TypesBelow", (), {"_top": resolve_type_hint(top)})


def _unchanged(value: Any, type_to: Any) -> Any:
    """A value as it is, if it is of the type."""
    if is_instance(value, resolve_type_hint(type_to)):
        return value
    raise TypeError(f"Cannot convert `{value!r}` to `{repr_short(type_to)}`.")


_unchanged.__name__ = _unchanged.__qualname__ = "_convert"
_convert = _Conversions(_unchanged).dispatch(_unchanged)


def convert(obj: Any, type_to: Any) -> Any:
    """`obj` as one of `type_to`, by the conversion methods that there are."""
    type_to = resolve_type_hint(type_to)
    if isinstance(type_to, type):
        return converter_to(type_to)(obj)
    return _convert(obj, type_to)


def add_conversion_method(
    type_from: Any, type_to: Any, f: Callable[[Any], Any]
) -> None:
    """Says how values of `type_from` are converted to `type_to`."""

    def perform_conversion(value: Any, _: Any) -> Any:
        return f(value)

    perform_conversion.conversion = f  # type: ignore[attr-defined]
    _convert.dispatch_multi(Signature(type_from, _below(type_to)))(perform_conversion)


def conversion_method(type_from: Any, type_to: Any) -> Callable[[_F], _F]:
    """Decorator: as `add_conversion_method`."""

    def add(f: _F) -> _F:
        add_conversion_method(type_from, type_to, f)
        return f

    return add


_dispatch = Dispatcher()


@_dispatch
def _promotion_rule(type1: Any, type2: Any) -> Any:
    type1, type2 = resolve_type_hint(type1), resolve_type_hint(type2)
    if is_below(type1, type2):
        return type2
    if is_below(type2, type1):
        return type1
    raise TypeError(
        f"No promotion rule for `{repr_short(type1)}` and `{repr_short(type2)}`."
    )


def add_promotion_rule(type1: Any, type2: Any, type_to: Any) -> None:
    """Says what values of `type1` and `type2`, in any order, are promoted to."""

    def rule(first: Any, second: Any) -> Any:
        return type_to

    first, second = _below(type1), _below(type2)
    _promotion_rule.dispatch_multi(Signature(first, second))(rule)
    if not is_same(first._top, second._top):
        _promotion_rule.dispatch_multi(Signature(second, first))(rule)


def promote(*objs: Any) -> tuple[Any, ...]:
    """All values converted to their common type."""
    if len(objs) < 2:
        return objs
    common = type(objs[0])
    for obj in objs[1:]:
        common = _promotion_rule(common, type(obj))
    return tuple(convert(obj, common) for obj in objs)


add_conversion_method(object, tuple, lambda x: (x,))
add_conversion_method(tuple, tuple, lambda x: x)
add_conversion_method(list, tuple, tuple)
add_conversion_method(object, list, lambda x: [x])
add_conversion_method(list, list, lambda x: x)
add_conversion_method(tuple, list, list)
add_conversion_method(bytes, str, lambda x: x.decode())
