"""Which of some methods is the most specific one, and what to say if none is.

The engine asks `Resolver.best` at a miss; by types or arguments alone (`invoke`,
error messages) the resolver looks itself.
"""

from __future__ import annotations

import inspect
import sys
import types
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from ._method import Method, MethodList
from ._signature import Signature, inspect_signature
from .repr import repr_short, source_of

__all__ = [
    "AmbiguousLookupError",
    "MethodRedefinitionWarning",
    "NotFoundLookupError",
    "Resolver",
]


class MethodRedefinitionWarning(UserWarning):
    """A method replaces another one of the same signature."""


def _render_function_call(
    f_name: str | None, target: tuple[Any, ...] | Signature
) -> str:
    if isinstance(target, Signature):
        parts = list(map(repr_short, target.types))
    else:
        parts = list(map(repr, target))
    return f"{f_name or ''}({', '.join(parts)})"


class AmbiguousLookupError(LookupError):
    """Several methods fit, and none is the most specific one."""

    def __init__(
        self,
        f_name: str | None,
        target: tuple[Any, ...] | Signature,
        methods: MethodList,
    ) -> None:
        super().__init__(f_name, target, methods)
        self.f_name, self.target, self.methods = f_name, target, methods

    def __str__(self) -> str:
        call = _render_function_call(self.f_name, self.target)
        return f"`{call}` is ambiguous.\n\nCandidates:\n{_listed(self.methods)}\n"


class NotFoundLookupError(LookupError):
    """No method fits."""

    def __init__(
        self,
        f_name: str | None,
        target: tuple[Any, ...] | Signature,
        methods: MethodList,
        *,
        max_suggestions: int = 3,
    ) -> None:
        super().__init__(f_name, target, methods)
        self.f_name, self.target, self.methods = f_name, target, methods
        self.max_suggestions = max_suggestions

    def __str__(self) -> str:
        call = _render_function_call(self.f_name, self.target)
        text = f"`{call}` could not be resolved.\n\n"
        if isinstance(self.target, Signature):
            return text + repr(self.methods)
        near = _nearest(self.methods, self.target)[: self.max_suggestions]
        return f"{text}Closest candidates are the following:\n{_listed(near)}\n"


def _listed(methods: Iterable[Method]) -> str:
    return "\n".join(method._text(indent=" " * 4) for method in methods)


def _nearest(methods: Iterable[Method], target: tuple[Any, ...]) -> list[Method]:
    return sorted(methods, key=lambda m: m.signature.compute_distance(target))


def _unwrap_invoked_methods(f: Any) -> Any:
    """The implementation behind what `Function.invoke` returned."""
    while hasattr(f, "__wrapped_method__"):
        f = f.__wrapped_method__
    return f


def _change_function_name(f: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A copy of the function `f` with another name."""
    if not isinstance(f, types.FunctionType):
        return f
    new = types.FunctionType(
        f.__code__, f.__globals__, name, f.__defaults__, f.__closure__
    )
    new.__kwdefaults__ = f.__kwdefaults__
    new.__doc__ = f.__doc__
    return new


def _document(f: Callable[..., Any], name: str | None = None) -> str:
    """Signature and documentation of `f`, under a separator or, for Sphinx, as
    a directive."""
    head = f"{name or f.__name__}{inspect_signature(f)}"
    text = inspect.cleandoc(f.__doc__).rstrip() if f.__doc__ else ""
    if "sphinx" in sys.modules:
        head = f".. py:function:: {head}\n   :noindex:"
    else:
        head = f"<separator>\n\n{head}"
    return f"{head}\n\n{text}".rstrip()


def best(methods: Iterable[Method]) -> list[Method]:
    """The most specific methods: one if the choice is clear."""
    methods = list(methods)
    least = [
        method
        for method in methods
        if not any(other.signature < method.signature for other in methods)
    ]
    if len(least) > 1:
        top = max(method.signature.precedence for method in least)
        preferred = [m for m in least if m.signature.precedence == top]
        if len(preferred) == 1:
            return preferred
    return least


class Resolver:
    """The methods of a function.

    Args:
        function_name: Name of the function.
        warn_redefinition: Warn when a method replaces another one.
        shown_name: Its name in errors, with the class that it belongs to.
    """

    def __init__(
        self,
        function_name: str | None = None,
        warn_redefinition: bool = False,
        shown_name: str | None = None,
    ) -> None:
        self.function_name = function_name
        self.shown_name = shown_name or function_name
        self.warn_redefinition = warn_redefinition
        self.methods: MethodList = MethodList()
        self.is_faithful = True

    def __len__(self) -> int:
        return len(self.methods)

    def doc(self, exclude: Callable[..., Any] | None = None) -> str:
        """The documentation of all methods but that of `exclude`."""
        parts = [
            _document(_unwrap_invoked_methods(m.implementation), self.function_name)
            for m in self.methods
            if exclude is None or m.implementation is not exclude
        ]
        return "\n\n".join(dict.fromkeys(parts))

    def register(self, method: Method) -> None:
        """Adds a method; one of an equal signature is replaced."""
        equal = [i for i, m in enumerate(self.methods) if _replaces(method, m)]
        if len(equal) > 1:
            raise AssertionError(
                f"The added method `{method}` is equal to {len(equal)} existing "
                f"methods: there should never be more than one."
            )
        if equal:
            self._warn(self.methods[equal[0]], method)
            self.methods[equal[0]] = method
        else:
            self.methods.append(method)
        self.is_faithful = all(m.signature.is_faithful for m in self.methods)

    def _warn(self, old: Method, new: Method) -> None:
        if not self.warn_redefinition:
            return
        places = [
            source_of(_unwrap_invoked_methods(m.implementation)) for m in (new, old)
        ]
        warnings.warn(
            f"`{new}` (`{places[0]}`) overwrites the earlier definition "
            f"`{old}` (`{places[1]}`).",
            MethodRedefinitionWarning,
            stacklevel=2,
        )

    def resolve(self, target: tuple[Any, ...] | Signature) -> Method:
        """The method for arguments, or for types."""
        if isinstance(target, Signature):
            fitting = [m for m in self.methods if target <= m.signature]
        else:
            fitting = [m for m in self.methods if m.signature.match(target)]
        found = best(fitting)
        if not found:
            raise NotFoundLookupError(self.shown_name, target, self.methods)
        if len(found) > 1:
            raise AmbiguousLookupError(self.shown_name, target, MethodList(found))
        return found[0]


def _replaces(new: Method, old: Method) -> bool:
    """Are the signatures equal, whatever the precedence?"""
    a, b = new.signature, old.signature
    if (len(a.types), a.has_varargs) != (len(b.types), b.has_varargs):
        return False
    return a <= b and b <= a
