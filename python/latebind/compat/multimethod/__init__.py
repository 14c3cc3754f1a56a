"""The API of the package multimethod (2.x) on latebind's generic functions.

`from latebind.compat.multimethod import multimethod` instead of `from multimethod
import multimethod`, or unchanged programs under
`latebind.compat.install("multimethod")`. What differs is in docs/compat.md.
"""

from ._function import DispatchError, multidispatch, multimeta, multimethod
from ._overload import isa, overload
from ._signature import signature
from ._types import parametric, subtype

__all__ = [
    "DispatchError",
    "isa",
    "multidispatch",
    "multimeta",
    "multimethod",
    "overload",
    "parametric",
    "signature",
    "subtype",
]
