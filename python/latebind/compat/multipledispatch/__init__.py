"""The package `multipledispatch` on the engine of latebind.

    from latebind.compat.multipledispatch import dispatch

or, for a program as it is, `latebind.compat.install("multipledispatch")` before it
imports multipledispatch. Behaves as version 1.0; the options of older versions
that are still in use (`on_ambiguity`) are understood.

- utils.py: lists of signatures; variadic.py: `Variadic`; conflict.py: which
  signature goes before which; dispatcher.py: the dispatchers; core.py: `dispatch`.

Only the types of positional arguments count. A call of known types costs a C
function and no Python frame but the method's.

Differences: methods of a class bind as functions do, so they can be called from
several threads, and by `Class.method(instance, ...)`.
"""

from .core import dispatch
from .dispatcher import (
    Dispatcher,
    MDNotImplementedError,
    halt_ordering,
    restart_ordering,
)

__all__ = [
    "Dispatcher",
    "MDNotImplementedError",
    "dispatch",
    "halt_ordering",
    "restart_ordering",
]

__version__ = "1.0.0"
