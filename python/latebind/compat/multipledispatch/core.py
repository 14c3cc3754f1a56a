"""`dispatch`: functions of one name are methods of one dispatcher."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

from .dispatcher import Dispatcher, MethodDispatcher, ambiguity_warn

__all__ = ["ambiguity_warn", "dispatch", "global_namespace", "ismethod"]

global_namespace: dict[str, Dispatcher] = {}


def dispatch(
    *types: Any,
    namespace: dict[str, Dispatcher] = global_namespace,
    on_ambiguity: Callable[[Dispatcher, set[Any]], Any] | None = None,
) -> Callable[[Callable[..., Any]], Dispatcher]:
    """Makes a function a method of the dispatcher of its name, for these classes.

    A tuple of classes stands for each of them, a list of one class, in the last
    place, for any number of its instances. Without classes the annotations count.
    The dispatchers of functions are in `namespace`, those of methods, which have
    a parameter `self`, in the class body.
    """

    def define(func: Callable[..., Any]) -> Dispatcher:
        name = func.__name__
        if ismethod(func):
            dispatcher = sys._getframe(1).f_locals.get(name)
            if not isinstance(dispatcher, Dispatcher):
                dispatcher = MethodDispatcher(name)
        else:
            if name not in namespace:
                namespace[name] = Dispatcher(name)
            dispatcher = namespace[name]
        dispatcher.add(types, func, on_ambiguity)
        return dispatcher

    return define


def ismethod(func: Callable[..., Any]) -> bool:
    """Whether `func` is meant as a method: it has a parameter `self`."""
    return "self" in inspect.signature(func).parameters
