"""Type hints: promises of types, their resolution, and how two of them relate.

Two hints are compared as the engine's hints (`implies`), so that what the
drop-in says about two methods is what dispatch does. `Any` is a hint of its own
here: everything is below it, it is below nothing else.
"""

from __future__ import annotations

import abc
import sys
import types
import typing
import warnings
from collections.abc import Callable
from typing import Any

from latebind import Hint
from latebind._hints import hint_of

__all__ = [
    "ModuleType",
    "PromisedType",
    "ResolvableType",
    "is_faithful",
    "resolve_type_hint",
    "type_mapping",
]

#: What a hint is to be taken for, by hint.
type_mapping: dict[Any, Any] = {}

_UNIONS = (typing.Union, types.UnionType)


class ResolvableType(type):
    """A class that will stand for another one, once that is known."""

    _type: Any

    def __new__(mcls, name: str) -> ResolvableType:
        self = super().__new__(mcls, name, (), {"__module__": "latebind.compat.plum"})
        self._type = None
        return self

    def __init__(cls, name: str) -> None:
        super().__init__(name, (), {})

    def deliver(cls, type: Any) -> ResolvableType:
        """Says which type is meant."""
        cls._type = type
        return cls

    def resolve(cls) -> Any:
        """The type that is meant; this class as long as nobody knows."""
        return cls if cls._type is None else cls._type


class PromisedType(ResolvableType):
    """A type that is delivered before the first call that needs it."""

    def __new__(mcls, name: str = "SomeType") -> PromisedType:
        return typing.cast(PromisedType, super().__new__(mcls, f"PromisedType[{name}]"))

    def __init__(cls, name: str = "SomeType") -> None:
        super().__init__(name)


class ModuleType(ResolvableType):
    """A type of a module that perhaps nobody imports.

    Args:
        module: Name of the module.
        name: Name of the type in it.
        allow_fail: The module may be there without the type.
        condition: Asked before looking; False means not now.
        faithful: What to say as `__faithful__` of the type.
    """

    def __new__(
        mcls,
        module: str,
        name: str,
        allow_fail: bool = False,
        condition: Callable[[], bool] | None = None,
        faithful: bool | None = None,
    ) -> ModuleType:
        return typing.cast(
            ModuleType, super().__new__(mcls, f"ModuleType[{module}.{name}]")
        )

    def __init__(
        cls,
        module: str,
        name: str,
        allow_fail: bool = False,
        condition: Callable[[], bool] | None = None,
        faithful: bool | None = None,
    ) -> None:
        super().__init__(name)
        if module in ("__builtin__", "__builtins__"):
            module = "builtins"
        cls._module, cls._name = module, name
        cls._allow_fail, cls._condition = allow_fail, condition
        cls._faithful = faithful

    def retrieve(cls) -> bool:
        """Looks for the type, without importing; says whether it is known."""
        module = sys.modules.get(cls._module) if cls._type is None else None
        if module is not None and (cls._condition is None or cls._condition()):
            cls._look(module)
        return cls._type is not None

    def _look(cls, module: Any) -> None:
        found = module
        for part in cls._name.split("."):
            if cls._allow_fail and not hasattr(found, part):
                return
            found = getattr(found, part)
        if cls._faithful is not None:
            said = getattr(found, "__faithful__", cls._faithful)
            if said != cls._faithful:
                raise TypeError(
                    f"`{cls._name}.__faithful__` is already set to {said}: "
                    f"it cannot be {cls._faithful}"
                )
            found.__faithful__ = cls._faithful
        cls.deliver(found)


def _is_hint(x: Any) -> bool:
    """Is `x` a hint that is no class?"""
    if isinstance(x, types.GenericAlias):
        return True
    if isinstance(x, type):
        # The abstract classes that typing has aliases for count as hints.
        return x.__module__ in ("collections.abc", "typing")
    return type(x).__module__ in ("types", "typing") or isinstance(x, _UNIONS[1:])


def is_type(x: Any) -> bool:
    """Is `x` a type or a type hint?"""
    return isinstance(x, (type, types.GenericAlias, types.UnionType)) or (
        type(x).__module__ == "typing"
    )


def _rebuild(x: Any, args: tuple[Any, ...]) -> Any:
    """The generic hint `x` with other arguments."""
    origin = typing.get_origin(x)
    if origin is types.UnionType:
        result = args[0]
        for arg in args[1:]:
            result = result | arg
        return result
    if origin is typing.Annotated:
        return typing.Annotated[(args[0], *x.__metadata__)]
    if hasattr(x, "copy_with"):
        if origin is typing.Union:
            return typing.Union[args]  # noqa: UP007 - from a tuple
        if origin is not None and origin.__module__ == "collections.abc":
            return (
                typing.cast(Any, typing.Callable)[args[0], args[1]]
                if (origin.__name__ == "Callable")
                else x.copy_with(args)
            )
        return x.copy_with(args)
    return origin[args]


def resolve_type_hint(x: Any) -> Any:
    """`x` with every promise in it replaced by what was delivered."""
    try:
        if x in type_mapping:
            return resolve_type_hint(type_mapping[x])
    except TypeError:  # not hashable
        pass
    if x is None or x is Ellipsis or x is Any:
        return x
    if isinstance(x, ResolvableType):
        if isinstance(x, ModuleType) and not x.retrieve():
            return x  # nothing can be an instance of it yet
        found = x.resolve()
        return found if found is x else resolve_type_hint(found)
    if isinstance(x, (tuple, list)):
        return type(x)(map(resolve_type_hint, x))
    return _resolve_args(x)


def _resolve_args(x: Any) -> Any:
    origin = typing.get_origin(x)
    if origin is None:
        if not isinstance(x, type) and not _is_hint(x):
            warnings.warn(
                f"Could not resolve the type hint of `{x!r}`: it is taken as it is.",
                stacklevel=3,
            )
        return x
    if origin is typing.Literal:
        return x
    args = typing.get_args(x)
    if origin is typing.Annotated:
        args = args[:1]
    resolved = tuple(map(resolve_type_hint, args))
    return x if resolved == args else _rebuild(x, resolved)


def is_faithful(x: Any) -> bool:
    """Does the class of a value decide whether it is an `x`?"""
    return _is_faithful(resolve_type_hint(x))


def _is_faithful(x: Any) -> bool:
    if x is Any or x is None or x is Ellipsis:
        return True
    if isinstance(x, (tuple, list)):
        return all(map(_is_faithful, x))
    origin = typing.get_origin(x)
    if origin in _UNIONS:
        return all(map(_is_faithful, typing.get_args(x)))
    if origin is not None:
        return False
    if isinstance(x, type):
        said = getattr(x, "__faithful__", None)
        return _is_by_class(x) if said is None else bool(said)
    if _is_hint(x):
        return x in (typing.Callable, typing.Hashable)
    warnings.warn(
        f"Could not determine whether `{x!r}` is faithful or not. "
        f"I have concluded that the type is not faithful.",
        stacklevel=3,
    )
    return False


def _is_by_class(cls: type) -> bool:
    """Does isinstance() of `cls` look at the class of the value only?"""
    check = type(cls).__instancecheck__
    return check in (type.__instancecheck__, abc.ABCMeta.__instancecheck__) or (
        "__instancecheck__" not in vars(type(cls))
        and getattr(type(cls), "__faithful_check__", None) is check
    )


def as_hint(x: Any) -> Hint:
    """The engine's hint for the resolved type hint `x`."""
    if isinstance(x, Hint):
        return x
    return hint_of(x)


def is_instance(value: Any, x: Any) -> bool:
    """Is `value` of the resolved type `x`?"""
    if x is Any or x is object:
        return True
    return as_hint(x).check(value)


def is_below(a: Any, b: Any) -> bool:
    """Is every value of the resolved type `a` one of `b`?"""
    if b is Any:
        return True
    if a is Any:
        return False
    if isinstance(a, type) and isinstance(b, type) and not _is_generic(a, b):
        return issubclass(a, b)
    return as_hint(a).implies(as_hint(b)) and not (
        _has_any(a) and not _has_any(b) and as_hint(b).implies(as_hint(a))
    )


def _is_generic(*hints: Any) -> bool:
    return any(isinstance(x, types.GenericAlias) for x in hints)


def _has_any(x: Any) -> bool:
    return x is Any or any(map(_has_any, typing.get_args(x)))


def is_same(a: Any, b: Any) -> bool:
    """Do two resolved types have the same values (and `Any` in the same places)?"""
    return a is b or (is_below(a, b) and is_below(b, a))


_type_hint_le = is_below
_type_hint_eq = is_same


def plain_key(x: Any) -> Any:
    """Something equal for hints that are the same, for hashing."""
    if typing.get_origin(x) in _UNIONS:
        members = [*typing.get_args(x)]
        least = [
            a
            for a in members
            if not any(b is not a and is_below(a, b) for b in members)
        ]
        return least[0] if len(least) == 1 else len(least)
    return x if isinstance(x, type) else type(x).__name__
