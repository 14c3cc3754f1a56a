"""Conversion of a value to a type, promotion of values to a common type.

Both are tables of rules that anyone may add to, and both are looked up by dispatch:
a conversion by the value's type, then by the most specific rule whose result is
wanted; a promotion by the types of two values.
"""

from __future__ import annotations

from latebind._core import GenericFunction, Hint
from latebind._hints import hint_of
from latebind._method import method_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

# One generic function of the value per type that is wanted.
_conversions: dict[Hint, GenericFunction] = {}


def add_conversion_method(
    from_: object, to: object, function: Callable[[Any], Any]
) -> None:
    """Let `convert` make a `to` of each `from_` by `function`."""
    wanted = hint_of(to)
    generic = _conversions.get(wanted)
    if generic is None:
        generic = GenericFunction(f"convert to {wanted.text}")
        _conversions[wanted] = generic
    generic._add((method_of(lambda value: function(value), (from_,)),))


def conversion_method(
    from_: object, to: object
) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """The same as a decorator."""

    def decorate(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        add_conversion_method(from_, to, function)
        return function

    return decorate


def _rules_for(wanted: Hint, value: object) -> Iterator[GenericFunction]:
    """Those whose result is `wanted`, the exact one first, then what implies it."""
    exact = _conversions.get(wanted)
    if exact is not None:
        yield exact
    for hint, generic in _conversions.items():
        if hint is not wanted and hint.implies(wanted):
            yield generic


# What the numeric tower says of itself, with nothing lost.
_NUMBERS = {
    bool: (int, float, complex),
    int: (float, complex),
    float: (complex,),
}


def convert_to(value: Any, wanted: Hint) -> Any:
    if wanted.check(value):
        return value
    for generic in _rules_for(wanted, value):
        if generic._resolve((type(value),)).method is not None:
            return generic(value)
    if type(value) in _NUMBERS and wanted.cls in _NUMBERS[type(value)]:
        return wanted.cls(value)
    raise TypeError(
        f"cannot convert {value!r} ({type(value).__qualname__}) to {wanted.text}; "
        "add a rule by latebind.add_conversion_method"
    )


def convert(value: Any, to: Any, /) -> Any:
    """`value` as a `to`: itself if it is one, else by the conversion added for it."""
    return convert_to(value, hint_of(to))


def convert_result(result: Any, method: Any) -> Any:
    """What a method with a converting return annotation returns; see `converts`."""
    wanted = method.returns
    if type(result).__name__ == "coroutine":
        return _convert_later(result, wanted)
    return convert_to(result, wanted)


async def _convert_later(coroutine: Any, wanted: Hint) -> Any:
    return convert_to(await coroutine, wanted)


# ------------------------------------------------------------------ promotion

_promotions = GenericFunction("promotion")


def add_promotion_rule(first: Any, second: Any, common: Any) -> None:
    """Let `promote` bring a `first` and a `second`, in either order, to `common`."""
    wanted = hint_of(common)
    for types in {(first, second), (second, first)}:
        _promotions._add((method_of(lambda a, b: wanted, types),))


def _common(a: object, b: object) -> Hint:
    one, other = type(a), type(b)
    if one is other or isinstance(a, other):
        return Hint.instance(other)
    if isinstance(b, one):
        return Hint.instance(one)
    if other in _NUMBERS.get(one, ()):
        return Hint.instance(other)
    if one in _NUMBERS.get(other, ()):
        return Hint.instance(one)
    if _promotions._resolve((one, other)).method is None:
        raise TypeError(
            f"no promotion of {one.__qualname__} and {other.__qualname__}; add one by "
            "latebind.add_promotion_rule"
        )
    return _promotions(a, b)


def promote(*values: Any) -> tuple[Any, ...]:
    """The values brought to a common type: pair by pair, by the promotion rules."""
    if len(values) < 2:
        return values
    wanted = _common(values[0], values[1])
    first = convert_to(values[0], wanted)
    for value in values[2:]:
        wanted = _common(first, value)
        first = convert_to(first, wanted)
    return tuple(convert_to(value, wanted) for value in values)
