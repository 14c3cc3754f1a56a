"""Short names for unions, shown instead of all their members."""

from __future__ import annotations

import sys
import types
import typing
from typing import Any, TypeVar

__all__ = ["activate_union_aliases", "deactivate_union_aliases", "set_union_alias"]

_T = TypeVar("_T")
_UNIONS = (typing.Union, types.UnionType)

#: Alias by members; the larger unions are looked for first.
_ALIASED_UNIONS: dict[frozenset[Any], str] = {}
_ALIASES_ARE_ACTIVE = False

#: The class of unions, which can be made to write itself until Python 3.13.
_UNION_CLASS: Any = getattr(typing, "_UnionGenericAlias", None)
_CAN_PATCH = sys.version_info < (3, 14) and _UNION_CLASS is not None
_PLAIN_REPR = _UNION_CLASS.__repr__ if _CAN_PATCH else None


def _members(union: Any) -> tuple[Any, ...]:
    if typing.get_origin(union) in _UNIONS:
        return typing.get_args(union)
    return (union,)


def set_union_alias(union: _T, alias: str) -> _T:
    """Gives `union` the name `alias` and returns `union`."""
    members = frozenset(_members(union))
    known = _ALIASED_UNIONS.get(members)
    if known not in (None, alias):
        raise RuntimeError(f"`{union}` already has alias `{known}`.")
    _ALIASED_UNIONS[members] = alias
    return union


def _parts(union: Any) -> list[str] | None:
    """The members' names after aliases; None if there is no alias in it."""
    from .repr import repr_short

    left, names = list(_members(union)), []
    for members in sorted(_ALIASED_UNIONS, key=len, reverse=True):
        if members <= set(left):
            names.append(_ALIASED_UNIONS[members])
            left = [member for member in left if member not in members]
    if not names:
        return None
    return names + ["None" if m is type(None) else repr_short(m) for m in left]


def alias_of(x: Any) -> str | None:
    """How a union with aliases is written, or None."""
    if not _ALIASED_UNIONS or not _ALIASES_ARE_ACTIVE:
        return None
    if typing.get_origin(x) is not typing.Union:
        return None
    parts = _parts(x)
    return None if parts is None else f"typing.Union[{', '.join(parts)}]"


def _aliased_repr(self: Any) -> str:
    text = alias_of(self)
    return _PLAIN_REPR(self) if text is None else text


def activate_union_aliases() -> None:
    """Shows aliases. Until Python 3.13 in all that writes unions."""
    global _ALIASES_ARE_ACTIVE
    _ALIASES_ARE_ACTIVE = True
    if _CAN_PATCH:
        _UNION_CLASS.__repr__ = _aliased_repr


def deactivate_union_aliases() -> None:
    """Shows all members of unions again."""
    global _ALIASES_ARE_ACTIVE
    _ALIASES_ARE_ACTIVE = False
    if _CAN_PATCH:
        _UNION_CLASS.__repr__ = _PLAIN_REPR
