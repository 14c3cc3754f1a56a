"""How types, functions and methods are written."""

from __future__ import annotations

import inspect
import sys
from typing import Any

from ._alias import alias_of

__all__ = ["repr_short", "repr_type", "repr_source"]

_WIDTH = 80


def repr_short(x: Any) -> str:
    """A class by its name, with its module unless that is builtins."""
    alias = alias_of(x)
    if alias is not None:
        return alias
    if not isinstance(x, type) or hasattr(x, "__args__"):
        return repr(x)
    if x.__module__ in ("builtins",):
        return x.__qualname__
    return f"{x.__module__}.{x.__qualname__}"


def repr_type(x: Any) -> Any:
    """The same for a terminal: rich's Text where rich is installed."""
    text = x.__name__ if inspect.ismodule(x) else repr_short(x)
    return as_rich(text)


def as_rich(text: str) -> Any:
    try:
        from rich.text import Text
    except ImportError:
        return text
    return Text(text)


def source_of(f: Any) -> str:
    """`file:line` of a function, or what is known of it."""
    code = getattr(inspect.unwrap(f), "__code__", None)
    if code is not None:
        return f"{code.co_filename}:{code.co_firstlineno}"
    try:
        return _safe_getfile(f)
    except OSError:
        return ""


def _safe_getfile(obj: Any) -> str:
    """inspect.getfile, with OSError also for what is built in."""
    try:
        return inspect.getfile(obj)
    except TypeError:
        module = sys.modules.get(getattr(obj, "__module__", None) or "")
        if getattr(module, "__file__", None):
            return str(module.__file__)  # type: ignore[union-attr]
        raise OSError("source code not available") from None


def repr_source(f: Any, indent: str = "") -> str:
    """A function and where it stands, on two lines if it is too long for one."""
    head = f"{indent}{f!r} @"
    place = source_of(f)
    if not place:
        return head
    if len(head) + 1 + len(place) <= _WIDTH:
        return f"{head} {place}"
    return f"{head}\n{indent}{place}"
