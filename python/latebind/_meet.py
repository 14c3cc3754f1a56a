"""What two hints have in common, as a hint, and how a hint is written.

For proposals only: which method would decide between two that both fit. A common
hint is found by their structure, and implies both of them as dispatch sees it; where
no hint says it, there is none.
"""

from __future__ import annotations

import enum

from latebind._core import Hint
from latebind._hints import _is_known

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


class Meet:
    """hint: for what fits both; None: no hint says what that is. exact: for all of
    it. nothing: certainly no value fits both."""

    __slots__ = ("exact", "hint", "nothing")

    def __init__(
        self, hint: Hint | None, exact: bool = True, nothing: bool = False
    ) -> None:
        self.hint = hint
        self.exact = exact and hint is not None
        self.nothing = nothing


_UNKNOWN, _NOTHING = Meet(None), Meet(None, nothing=True)


def meet(a: Hint, b: Hint, witness: type | None = None) -> Meet:
    """What is common to both; of classes without a common name it is `witness`, a
    class whose instances are of both."""
    try:
        found = _meet(a, b, witness)
        if found.hint is None or (found.hint.implies(a) and found.hint.implies(b)):
            return found
    except Exception:  # of a test of values, or an abstract class
        return _UNKNOWN
    return _UNKNOWN


def _meet(a: Hint, b: Hint, witness: type | None) -> Meet:
    if a.implies(b):
        return Meet(a)
    if b.implies(a):
        return Meet(b)
    if a.disjoint(b):
        return _NOTHING
    for one, other in ((a, b), (b, a)):
        if one.kind == "union":
            return _any_of([_meet(part, other, witness) for part in one.parts])
        if one.kind == "literal":
            return _literals(value for value in one.parts if other.check(value))
    for one, other in ((a, b), (b, a)):
        if one.kind == "where":
            return _tested(one, _meet(one.parts[0], other, witness))
    if a.kind == b.kind == "subclass":
        inner = _meet(a.parts[0], b.parts[0], None)
        return Meet(Hint.subclass(inner.hint)) if inner.exact and inner.hint else inner
    if a.cls is None or b.cls is None or "opaque" in (a.kind, b.kind):
        return _UNKNOWN
    return _of_classes(a, b, witness)


def _any_of(found: list[Meet]) -> Meet:
    hints = [one.hint for one in found if one.hint is not None]
    if not hints:
        return _NOTHING if all(one.nothing for one in found) else _UNKNOWN
    return Meet(Hint.union(*hints), all(one.exact or one.nothing for one in found))


def _literals(values: Iterable[Any]) -> Meet:
    fitting = list(values)
    return Meet(Hint.literal(*fitting)) if fitting else _NOTHING


def _tested(hint: Hint, inner: Meet) -> Meet:
    if inner.hint is None:
        return inner
    name = getattr(hint.predicate, "__name__", None) or repr(hint.predicate)
    return Meet(Hint.where(inner.hint, hint.predicate, name), inner.exact)


def _of_classes(a: Hint, b: Hint, witness: type | None) -> Meet:
    """Both want a class, and perhaps more of it."""
    cls = next(
        (x for x, y in ((a.cls, b.cls), (b.cls, a.cls)) if _is_below(x, y)), None
    )
    named = cls is not None
    cls = cls or witness
    if cls is None or not (_is_below(cls, a.cls) and _is_below(cls, b.cls)):
        return _UNKNOWN
    if "mapping" in (a.kind, b.kind):
        found = _mappings(cls, a, b)
    elif "fixed" in (a.kind, b.kind):
        found = _fixed(cls, a, b)
    elif a.kind == b.kind == "items":
        found = _items(cls, _meet(a.parts[0], b.parts[0], None))
    elif "items" in (a.kind, b.kind):
        found = Meet(Hint.items(cls, (a if a.kind == "items" else b).parts[0]))
    else:
        found = Meet(Hint.instance(cls))
    return Meet(found.hint, found.exact and named, found.nothing)


def _is_below(cls: type | None, other: type | None) -> bool:
    return cls is not None and other is not None and issubclass(cls, other)


def _items(cls: type, element: Meet) -> Meet:
    if element.nothing:
        return Meet(Hint.fixed(cls))  # what has no elements
    if element.hint is None:
        return _UNKNOWN
    return Meet(Hint.items(cls, element.hint), element.exact)


def _mappings(cls: type, a: Hint, b: Hint) -> Meet:
    if a.kind != "mapping":
        a, b = b, a
    key, value = Meet(a.parts[0]), Meet(a.parts[1])
    if b.kind in ("mapping", "items"):
        key = _meet(a.parts[0], b.parts[0], None)
    if b.kind == "mapping":
        value = _meet(a.parts[1], b.parts[1], None)
    if key.nothing or value.nothing:
        return Meet(Hint.fixed(cls))
    if key.hint is None or value.hint is None or b.kind == "fixed":
        return _UNKNOWN
    return Meet(Hint.mapping(cls, key.hint, value.hint), key.exact and value.exact)


def _fixed(cls: type, a: Hint, b: Hint) -> Meet:
    if a.kind != "fixed":
        a, b = b, a
    others = list(a.parts)
    if b.kind == "fixed":
        others = list(b.parts)
    elif b.kind == "items":
        others = [b.parts[0]] * len(a.parts)
    found = [_meet(x, y, None) for x, y in zip(a.parts, others, strict=True)]
    hints = [one.hint for one in found if one.hint is not None]
    if len(hints) < len(found):
        return _UNKNOWN
    return Meet(Hint.fixed(cls, *hints), all(one.exact for one in found))


# ------------------------------------------------------------------ in writing


def class_name(cls: type) -> str:
    """As it is called where it was defined."""
    if cls is type(None):
        return "None"
    return cls.__qualname__.rpartition("<locals>.")[2]


def written(hint: Hint) -> str | None:
    """As an annotation; if there is none for it, as an expression that makes the hint.
    None: it tests something that has no name."""
    return _annotation(hint) or _expression(hint)


def _annotation(hint: Hint) -> str | None:
    if hint.kind in ("any", "instance"):
        return class_name(hint.cls or object)
    if hint.kind == "literal":
        values = [_value(one) for one in hint.parts]
        return None if None in values else f"Literal[{', '.join(map(str, values))}]"
    parts = [_annotation(one) for one in hint.parts]
    if None in parts:
        return None
    inside = ", ".join(map(str, parts))
    if hint.kind == "union":
        return " | ".join(map(str, parts))
    if hint.kind == "subclass":
        return f"type[{inside}]"
    if hint.kind == "where":
        return _with_test(inside, hint.predicate)
    if hint.kind == "items" and hint.cls is tuple:
        return f"tuple[{inside}, ...]"
    if hint.kind == "fixed" and hint.cls is tuple:
        return f"tuple[{inside or '()'}]"
    is_plain = hint.kind in ("items", "mapping") and _is_known(hint.cls)
    return f"{class_name(hint.cls)}[{inside}]" if is_plain else None


def _value(value: object) -> str | None:
    if isinstance(value, enum.Enum):
        return f"{class_name(type(value))}.{value.name}"
    return repr(value) if type(value) in (int, str, bytes, bool, type(None)) else None


def _with_test(inside: str, test: Any) -> str | None:
    name = getattr(test, "__name__", None)
    if not isinstance(name, str) or not name.isidentifier():
        return None
    if inside.startswith("Annotated["):
        return f"{inside[:-1]}, {name}]"
    return f"Annotated[{inside}, {name}]"


def _expression(hint: Hint) -> str | None:
    if hint.kind == "any":
        return "Hint.any()"
    if hint.kind == "instance":
        name = "type(None)" if hint.cls is type(None) else class_name(hint.cls)
        return f"Hint.instance({name})"
    if hint.kind not in ("union", "items", "mapping", "fixed"):
        return None
    parts = [_expression(one) for one in hint.parts]
    if None in parts:
        return None
    own = [] if hint.kind == "union" else [class_name(hint.cls)]
    return f"Hint.{hint.kind}({', '.join([*own, *map(str, parts)])})"
