"""Multiple dispatch at the price of a forwarded call.

>>> from latebind import dispatch
>>> @dispatch
... def area(shape: Circle) -> float: ...
>>> @dispatch
... def area(shape: Square) -> float: ...

`dispatch` collects functions of one name in one namespace to a generic function;
`generic` makes one from its first definition, to which `register` adds; `Dispatcher`
is a namespace of its own. See docs/python.md for the tutorial.
"""

from latebind._convert import (
    add_conversion_method,
    add_promotion_rule,
    conversion_method,
    convert,
    promote,
)
from latebind._core import GenericFunction, Hint, Method, NextMethod
from latebind._errors import (
    AmbiguityWarning,
    AmbiguousMethodError,
    NoMethodError,
)
from latebind._explain import Ambiguity, Explanation
from latebind._generic import install as _install
from latebind._hints import UnresolvedName
from latebind._namespaces import Dispatcher, dispatch, generic, group

_install()
UnresolvedName.__module__ = "latebind"  # where people find it

# The name that a linter can be told about: see docs/python.md.
overload = dispatch

__version__ = "0.1.0"

__all__ = [
    "Ambiguity",
    "AmbiguityWarning",
    "AmbiguousMethodError",
    "Dispatcher",
    "Explanation",
    "GenericFunction",
    "Hint",
    "Method",
    "NextMethod",
    "NoMethodError",
    "UnresolvedName",
    "add_conversion_method",
    "add_promotion_rule",
    "conversion_method",
    "convert",
    "dispatch",
    "generic",
    "get_include",
    "group",
    "overload",
    "promote",
]


def get_include() -> str:
    """The folder of the C headers, for extensions that use latebind from C."""
    import os

    here = os.path.dirname(os.path.abspath(__file__))
    installed = os.path.join(here, "include")
    source = os.path.join(here, "..", "..", "include")
    return installed if os.path.isdir(installed) else os.path.normpath(source)
