"""The API of the package plum-dispatch on latebind's generic functions.

`from latebind.compat import plum` instead of `import plum`, or unchanged programs
under `latebind.compat.install("plum")`. What differs is in docs/compat.md.
"""

from __future__ import annotations

import os

# Programs import all but Any from the original, too.
from typing import Any, Dict, List, Tuple, Union  # noqa: F401, UP035

from ._alias import (
    activate_union_aliases,
    deactivate_union_aliases,
    set_union_alias,
)
from ._autoreload import activate_autoreload, deactivate_autoreload
from ._dispatcher import Dispatcher, clear_all_cache, dispatch
from ._function import Function
from ._method import Method, extract_return_type
from ._overload import get_overloads, overload
from ._parametric import (
    CovariantMeta,
    Kind,
    kind,
    parametric,
    type_nonparametric,
    type_parameter,
    type_unparametrized,
)
from ._promotion import (
    add_conversion_method,
    add_promotion_rule,
    conversion_method,
    convert,
    promote,
)
from ._resolver import (
    AmbiguousLookupError,
    MethodRedefinitionWarning,
    NotFoundLookupError,
)
from ._signature import Signature, append_default_args, inspect_signature
from ._type import (
    ModuleType,
    PromisedType,
    is_below,
    is_faithful,
    is_instance,
    resolve_type_hint,
    type_mapping,
)
from ._util import (
    Callable,
    Comparable,
    Missing,
    TypeHint,
    argsort,
    get_class,
    get_context,
    is_in_class,
    wrap_lambda,
)

#: The peer says by this whether it runs as C.
COMPILED = True

__all__ = [
    "COMPILED",
    "AmbiguousLookupError",
    "Callable",
    "Comparable",
    "CovariantMeta",
    "Dispatcher",
    "Function",
    "Kind",
    "Method",
    "MethodRedefinitionWarning",
    "Missing",
    "ModuleType",
    "NotFoundLookupError",
    "PromisedType",
    "Signature",
    "TypeHint",
    "activate_autoreload",
    "activate_union_aliases",
    "add_conversion_method",
    "add_promotion_rule",
    "append_default_args",
    "argsort",
    "clear_all_cache",
    "conversion_method",
    "convert",
    "deactivate_autoreload",
    "deactivate_union_aliases",
    "dispatch",
    "extract_return_type",
    "get_class",
    "get_context",
    "get_overloads",
    "inspect_signature",
    "is_faithful",
    "is_in_class",
    "kind",
    "overload",
    "parametric",
    "promote",
    "resolve_type_hint",
    "set_union_alias",
    "type_mapping",
    "type_nonparametric",
    "type_parameter",
    "type_unparametrized",
    "wrap_lambda",
]


def isinstance(instance: Any, c: Any) -> bool:  # noqa: A001 - the peer's name
    """Is `instance` of the type or type hint `c`?"""
    return is_instance(instance, resolve_type_hint(c))


def issubclass(cls: Any, class_or_tuple: Any) -> bool:  # noqa: A001
    """Is every value of the type or type hint `cls` one of the other?"""
    return is_below(resolve_type_hint(cls), resolve_type_hint(class_or_tuple))


if os.environ.get("PLUM_AUTORELOAD", "0") == "1":
    activate_autoreload()
