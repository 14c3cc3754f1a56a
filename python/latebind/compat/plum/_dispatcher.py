"""Dispatchers: namespaces of functions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ._function import Function
from ._overload import get_overloads
from ._signature import Signature
from ._util import get_class, is_in_class

__all__ = ["Dispatcher", "clear_all_cache", "dispatch"]


class Dispatcher:
    """A namespace: what is decorated with it under one name is one function.

    Args:
        warn_redefinition: Warn when a method replaces another one.
    """

    def __init__(self, warn_redefinition: bool = False) -> None:
        self.warn_redefinition = warn_redefinition
        #: Functions by name.
        self.functions: dict[str, Function] = {}
        #: Those of classes, by the full name of the class.
        self.classes: dict[str, dict[str, Function]] = {}

    def __repr__(self) -> str:
        return (
            f"Dispatcher(warn_redefinition={self.warn_redefinition!r}, "
            f"functions={self.functions!r}, classes={self.classes!r})"
        )

    def __call__(
        self, method: Callable[..., Any] | None = None, precedence: int = 0
    ) -> Any:
        """Decorator: adds a method to the function of its name."""
        if method is None:
            return functools.partial(self, precedence=precedence)
        overloads = get_overloads(method)
        if overloads:  # they are the implementations, this one is not
            function = None
            for overload in overloads:
                function = self._add_method(overload, [None], precedence)
            return function
        return self._add_method(method, [None], precedence)

    def multi(self, *signatures: Signature | tuple[Any, ...]) -> Any:
        """Decorator: adds a method for each of the signatures."""
        return functools.partial(self._add_method, signatures=_checked(signatures))

    def abstract(self, method: Callable[..., Any]) -> Function:
        """Decorator: makes the function, without a method."""
        return self._get_function(method)

    def clear_cache(self) -> None:
        """Forgets what calls found, in every function."""
        for function in self._all():
            function.clear_cache()

    def _all(self) -> list[Function]:
        found = list(self.functions.values())
        for functions in self.classes.values():
            found += functions.values()
        return found

    def _add_method(
        self,
        method: Callable[..., Any],
        signatures: list[Signature | None],
        precedence: int = 0,
    ) -> Function:
        function = self._get_function(method)
        for signature in signatures:
            if signature is not None:
                precedence = signature.precedence
            function.register(method, signature, precedence)
        return function

    def _get_function(self, method: Callable[..., Any]) -> Function:
        name, owner, functions = method.__name__, None, self.functions
        if is_in_class(method):
            cls = get_class(method)
            owner = cls.removeprefix(f"{method.__module__}.")
            functions = self.classes.setdefault(cls, {})
        if name not in functions:
            functions[name] = Function(
                method, owner=owner, warn_redefinition=self.warn_redefinition
            )
        return functions[name]


def _checked(signatures: tuple[Any, ...]) -> list[Signature | None]:
    """The signatures; tuples of types are made to some."""
    found: list[Signature | None] = []
    for signature in signatures:
        if isinstance(signature, tuple):
            signature = Signature(*signature)
        if not isinstance(signature, Signature):
            raise TypeError(
                f"A signature must be a tuple of types or a Signature, "
                f"got {signature!r}."
            )
        found.append(signature)
    return found


def clear_all_cache() -> None:
    """Forgets what calls found, in every function there is; to be called when a
    `ModuleType` has got its type."""
    for function in Function._instances:
        function.clear_cache()


#: The dispatcher of everybody.
dispatch = Dispatcher()
