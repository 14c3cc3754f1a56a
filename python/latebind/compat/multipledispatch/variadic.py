"""`Variadic[T]`: any number of further arguments of class T.

`@f.register(str, [int])` is the same as `@f.register(str, Variadic[int])`.
"""

from __future__ import annotations

import copyreg
from typing import Any

from .utils import typename


class VariadicSignatureType(type):
    """The class of `Variadic[...]`; `variadic_type` is a tuple of classes."""

    variadic_type: tuple[type, ...]

    def __subclasscheck__(cls, subclass: type) -> bool:
        classes = subclass.variadic_type if isvariadic(subclass) else (subclass,)
        return subclass is cls or all(
            issubclass(each, cls.variadic_type) for each in classes
        )

    def __eq__(cls, other: object) -> bool:
        return isvariadic(other) and set(cls.variadic_type) == set(other.variadic_type)

    def __hash__(cls) -> int:
        return hash((type(cls), frozenset(cls.variadic_type)))


def isvariadic(obj: object) -> bool:
    """Whether `obj` is a `Variadic[...]`."""
    return isinstance(obj, VariadicSignatureType)


class VariadicSignatureMeta(type):
    """Gives `Variadic` its brackets."""

    def __getitem__(cls, variadic_type: Any) -> VariadicSignatureType:
        classes = variadic_type
        if not isinstance(classes, tuple):
            classes = (classes,)
        if not classes or not all(isinstance(each, type) for each in classes):
            raise ValueError(
                "Variadic takes a class or a tuple of classes (Variadic[int], "
                f"Variadic[(int, float)]), not {variadic_type!r}"
            )
        return VariadicSignatureType(
            f"Variadic[{typename(classes)}]",
            (),
            {"variadic_type": classes, "__slots__": ()},
        )


class Variadic(metaclass=VariadicSignatureMeta):
    """`Variadic[int]`: any number of ints; `Variadic[(int, str)]`: of either.

    >>> issubclass(int, Variadic[(int, str)])
    True
    """


def _variadic(classes: tuple[type, ...]) -> VariadicSignatureType:
    return Variadic[classes]


# Not by name, as other classes: they are made when they are asked for.
copyreg.pickle(VariadicSignatureType, lambda cls: (_variadic, (cls.variadic_type,)))
