"""Parametric classes: `A[int]` is a class of its own, below `A[Number]`.

`parametric` puts a class on top of the original one. Its metaclass makes and
keeps a subclass for every parameter, takes a call of the class itself as one of
`A[parameter]`, and orders the subclasses by `__le_type_parameter__`.
"""

from __future__ import annotations

import abc
import functools
import typing
from typing import Any, TypeVar

from ._type import is_below, is_type, resolve_type_hint
from .repr import repr_short

__all__ = [
    "CovariantMeta",
    "Kind",
    "is_concrete",
    "is_type",
    "kind",
    "parametric",
    "type_nonparametric",
    "type_parameter",
    "type_unparametrized",
]

_T = TypeVar("_T")

#: What the methods of a class say that decide about its parameters.
_PARAMETER_HOOKS = (
    "__infer_type_parameter__",
    "__init_type_parameter__",
    "__le_type_parameter__",
)


def is_concrete(t: type) -> bool:
    """Is `t` a parametric class with its parameter?"""
    return "_parameter" in vars(t)


class CovariantMeta(abc.ABCMeta):
    """The metaclass of parametric classes."""

    @property
    def parametric(cls) -> bool:
        """Does the class take a parameter, or has it one?"""
        return "_family" in vars(cls)

    @property
    def concrete(cls) -> bool:
        """Has the class its parameter?"""
        if not cls.parametric:
            raise RuntimeError(f"`{cls.__name__}` is not a parametric class.")
        return is_concrete(cls)

    @property
    def type_parameter(cls) -> Any:
        """The parameter."""
        if not cls.concrete:
            raise RuntimeError(
                "Cannot get the type parameter of non-instantiated parametric type."
            )
        return vars(cls)["_parameter"]

    def __getitem__(cls, parameter: Any) -> Any:
        if not cls.parametric:
            raise TypeError(f"`{cls.__name__}` is not a parametric class.")
        if is_concrete(cls):
            raise TypeError(f"`{cls.__name__}` already has its type parameter.")
        given = parameter if isinstance(parameter, tuple) else (parameter,)
        made = cls.__init_type_parameter__(*given)
        parts = made if isinstance(made, tuple) else (made,)
        parts = tuple(map(_resolved, parts))
        return cls._with(parts[0] if len(parts) == 1 else parts, parts)

    def _with(cls, parameter: Any, parts: tuple[Any, ...]) -> Any:
        made = vars(cls)["_family"]
        key: Any = tuple((type(part), part) for part in parts)
        try:
            hash(key)
        except TypeError:  # by identity; the class made keeps the parts
            key = tuple(map(id, parts))
        if key not in made:
            made[key] = _make_concrete(cls, parameter, parts)
        return made[key]

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls.parametric and not is_concrete(cls):
            parameter = cls.__infer_type_parameter__(*args, **kwargs)
            return cls[parameter](*args, **kwargs)
        return super().__call__(*args, **kwargs)

    def __subclasscheck__(cls, other: Any) -> bool:
        # ABCMeta comes last: it keeps the answer, also when it is no.
        if is_concrete(cls):
            for base in getattr(other, "__mro__", ()):
                if base is not cls and is_concrete(base) and _is_le(base, cls):
                    return True
        return super().__subclasscheck__(other)


def _is_le(left: Any, right: Any) -> bool:
    """Of two concrete classes: by their families, then by their parameters."""
    if not issubclass(left._unparametrized, right._unparametrized):
        return False
    return bool(right.__le_type_parameter__(left.type_parameter, right.type_parameter))


def _resolved(parameter: Any) -> Any:
    return resolve_type_hint(parameter) if is_type(parameter) else parameter


def _le_parameter(left: Any, right: Any) -> bool:
    """Covariance: types by subset, other values by equality, one for one."""
    left = left if isinstance(left, tuple) else (left,)
    right = right if isinstance(right, tuple) else (right,)
    return len(left) == len(right) and all(map(_le_part, left, right))


def _le_part(left: Any, right: Any) -> bool:
    if is_type(left) and is_type(right):
        return is_below(_resolved(left), _resolved(right))
    return bool(left == right)


def _infer_type_parameter(cls: Any, *args: Any, **kwargs: Any) -> Any:
    """Default: the types of the positional arguments."""
    types = tuple(map(type, args))
    return types[0] if len(types) == 1 else types


def _init_type_parameter(cls: Any, *parameter: Any) -> Any:
    """Default: as given."""
    return parameter


def _le_type_parameter(cls: Any, left: Any, right: Any) -> bool:
    return _le_parameter(left, right)


def _make_concrete(cls: Any, parameter: Any, parts: tuple[Any, ...]) -> Any:
    """The class `cls[parameter]`."""
    text = ", ".join(_repr_parameter(part) for part in parts)
    return type(cls)(
        f"{cls.__name__}[{text}]",
        (cls,),
        {
            "__module__": cls.__module__,
            "__qualname__": f"{cls.__qualname__}[{text}]",
            "__doc__": cls.__doc__,
            "_family": None,
            "_parameter": parameter,
            "_unparametrized": cls,
        },
    )


def _repr_parameter(parameter: Any) -> str:
    return repr_short(parameter) if is_type(parameter) else repr(parameter)


@functools.cache
def _metaclass_for(metaclass: type) -> type:
    """CovariantMeta together with the metaclass that a class has already. What
    that one says about instances comes first."""
    if issubclass(metaclass, CovariantMeta):
        return metaclass
    bases: tuple[type, ...] = (metaclass, CovariantMeta)
    if issubclass(CovariantMeta, metaclass):
        bases = (CovariantMeta,)
    module = "" if metaclass.__module__ == "builtins" else f"{metaclass.__module__}."
    name = f"CovariantMeta[{module}{metaclass.__qualname__}]"
    return type(name, bases, {"__module__": __name__})


def parametric(original_class: type) -> Any:
    """Decorator: makes a class parametric.

    The class may define three class methods:
    `__infer_type_parameter__(cls, *args, **kwargs)` says the parameter when the
    class is called without one; default: the types of the positional arguments.
    `__init_type_parameter__(cls, *parameter)` checks and completes a parameter.
    `__le_type_parameter__(cls, left, right)` says whether `A[left]` is a subclass
    of `A[right]`; default: types by subset, other values by equality.
    """
    body: dict[str, Any] = {
        "__module__": original_class.__module__,
        "__qualname__": original_class.__qualname__,
        "__doc__": original_class.__doc__,
        "_family": {},
        "_nonparametric": original_class,
        "__class_unparametrized__": _class_unparametrized,
        "__class_nonparametric__": _class_nonparametric,
    }
    defaults = (_infer_type_parameter, _init_type_parameter, _le_type_parameter)
    for name, default in zip(_PARAMETER_HOOKS, defaults, strict=True):
        if not hasattr(original_class, name):
            body[name] = classmethod(default)
    metaclass = _metaclass_for(type(original_class))
    return metaclass(original_class.__name__, (original_class,), body)


def _class_unparametrized(self: Any) -> type:
    """The class without its parameter."""
    return type_unparametrized(self)


def _class_nonparametric(self: Any) -> type:
    """The class that `parametric` was given."""
    return type_nonparametric(self)


def type_parameter(x: Any) -> Any:
    """The type parameter of a concrete parametric class or of its instance."""
    cls = x if isinstance(x, type) else type(x)
    if isinstance(cls, CovariantMeta) and cls.parametric:
        return cls.type_parameter
    raise ValueError(f"`{x}` is not a concrete parametric type or an instance of one.")


def type_unparametrized(q: Any) -> type:
    """The class of `q` without the parameter."""
    cls = type(q)
    return getattr(cls, "_unparametrized", cls) if is_concrete(cls) else cls


def type_nonparametric(q: Any) -> type:
    """The class of `q` as it was before `parametric`."""
    cls = type(q)
    if isinstance(cls, CovariantMeta) and cls.parametric:
        return typing.cast(type, vars(type_unparametrized(q))["_nonparametric"])
    return cls


def kind(cls: type = object) -> Any:
    """A parametric class, below `cls`, that only holds values: `get()`."""

    class Kind(cls):  # type: ignore[misc, valid-type]
        def __init__(self, *xs: Any) -> None:
            self.xs = xs

        def get(self) -> Any:
            """The value, or a tuple of several."""
            return self.xs[0] if len(self.xs) == 1 else self.xs

    Kind.__qualname__ = "Kind"
    return parametric(Kind)


Kind = kind()
