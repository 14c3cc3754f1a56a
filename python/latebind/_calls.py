"""Which calls a generic function can get: forms of call, and classes for them.

A form is how many arguments are given by position and which by name. The forms
that differ in nothing that dispatch sees are one here. For an argument of a form,
the classes are those that methods name there, with their subclasses.

For reports and checks, which look at all calls; no call needs this.
"""

from __future__ import annotations

import sys

from latebind._core import Hint
from latebind._errors import rest_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from latebind._core import GenericFunction, Method

_INSIDE = ("where", "opaque")  # hints whose first part is what they narrow


class Form:
    """A form of call: what is given, which methods take it, what decides."""

    __slots__ = ("counts", "methods", "names", "positional", "slots")

    def __init__(
        self, positional: int, names: tuple[str, ...], methods: tuple[Method, ...]
    ) -> None:
        self.positional = positional
        self.names = names
        self.methods = methods
        self.counts = [positional]  # also these many, to the same effect
        self.slots = tuple(
            i
            for i in range(positional + len(names))
            if any(hint_at(one, self, i) is not None for one in methods)
        )

    def argument(self, i: int) -> str:
        """What the methods call an argument."""
        if i >= self.positional:
            return self.names[i - self.positional]
        found = dict.fromkeys(
            one.parameter_names[i] if i < one.positional else rest_of(one)
            for one in self.methods
        )
        return " or ".join(found) if len(found) < 3 else f"argument {i + 1}"

    @property
    def text(self) -> str:
        """E.g. "2 to 3 arguments, and loud="."""
        low, high = self.counts[0], self.counts[-1]
        count = str(low) if low == high else f"{low} to {high}"
        given = f"{count} argument{'' if low == high == 1 else 's'}"
        return ", ".join([given, *(f"{name}=" for name in self.names)])


def takes(method: Method, positional: int, names: tuple[str, ...]) -> bool:
    """Whether such a call fits the method's parameters, of whatever type."""
    if positional > method.positional and method.rest is False:
        return False
    known = method.parameter_names
    missing = set(range(positional, method.required))
    for i in range(method.positional, len(known)):
        bit = 1 << (i - method.positional)
        if method.keyword_required & bit and not method.next_bit & bit:
            missing.add(i)
    for name in names:
        at = _place_by_name(method, name)
        if at >= positional or at >= method.positional:
            missing.discard(at)
        elif at >= 0 or method.others is False:
            return False
    return not missing


def _place_by_name(method: Method, name: str) -> int:
    """Of a parameter that can be given by name; -1: there is none."""
    known, own = method.parameter_names, method.positional
    at = known.index(name) if name in known else -1
    is_next = at >= own and method.next_bit >> (at - own) & 1
    return -1 if is_next or at < method.positional_only else at


def hint_at(method: Method, form: Form, i: int) -> Hint | None:
    """What a method says of an argument of a form that it takes; None: nothing."""
    hints = method.parameter_hints
    if i < form.positional:
        return hints[i] if i < method.positional else method.rest or None
    at = _place_by_name(method, form.names[i - form.positional])
    return hints[at] if at >= 0 else method.others or None


def _given_by_name(method: Method) -> Iterator[tuple[str, ...]]:
    """Those that must be, and those and whatever else has a type."""
    own = method.parameter_names
    needed, typed = [], []
    for i in range(method.positional, len(own)):
        bit = 1 << (i - method.positional)
        if method.next_bit & bit:
            continue
        if method.keyword_required & bit:
            needed.append(own[i])
        if method.keyword_required & bit or method.parameter_hints[i] is not None:
            typed.append(own[i])
    yield tuple(sorted(needed))
    if len(typed) != len(needed):
        yield tuple(sorted(typed))


def forms_of(generic: GenericFunction) -> list[Form]:
    """All forms of call that some method takes, the smallest first."""
    wanted: set[tuple[int, tuple[str, ...]]] = set()
    for method in generic._methods:
        most = method.positional + (method.rest is not False)
        for names in _given_by_name(method):
            wanted.update((n, names) for n in range(method.required, most + 1))
    found: list[Form] = []
    for positional, names in sorted(wanted, key=lambda one: (one[1], one[0])):
        methods = tuple(m for m in generic._methods if takes(m, positional, names))
        form = Form(positional, names, methods)
        last = found[-1] if found else None
        if last is not None and _is_alike(last, form):
            last.counts.append(positional)
        else:
            found.append(form)
    return found


def _is_alike(a: Form, b: Form) -> bool:
    if (a.names, a.methods) != (b.names, b.methods):
        return False
    # Places shift when names follow, so that only slots before them compare.
    return a.slots == b.slots and not a.names


# ------------------------------------------------------------------ classes


def classes_in(hint: Hint | None) -> Iterator[type]:
    """The classes that a hint names, outside of containers."""
    if hint is None or hint.kind == "any":
        yield object
    elif hint.kind == "union":
        for part in hint.parts:
            yield from classes_in(part)
    elif hint.kind == "literal":
        yield from dict.fromkeys(type(value) for value in hint.parts)
    elif hint.kind in _INSIDE:
        yield from classes_in(hint.parts[0] if hint.parts else None)
    else:
        yield hint.cls or object


def registered_with(cls: type) -> list[type]:
    """The classes that an abstract class was told of by register()."""
    try:
        from _abc import _get_dump

        references = _get_dump(cls)[0]
    except Exception:  # no abstract class, or another implementation of them
        return []
    return sorted(
        (one for one in (reference() for reference in references) if one is not None),
        key=lambda one: (one.__module__, one.__qualname__),
    )


def subclasses_of(cls: type, limit: int) -> list[type] | None:
    """All that exist, itself first; None when there are more than `limit`."""
    found = {cls: None}
    waiting = [cls]
    while waiting:
        one = waiting.pop()
        for below in (*type.__subclasses__(one), *registered_with(one)):
            if below not in found:
                found[below] = None
                waiting.append(below)
        if len(found) > limit:
            return None
    return list(found)


def _is_library(cls: type) -> bool:
    """One of Python's own, which has subclasses that nobody here means."""
    return cls.__module__.partition(".")[0] in sys.stdlib_module_names


def classes_at(form: Form, i: int, seen: Iterable[type], limit: int) -> list[type]:
    """The classes to show for an argument: named, seen in calls, and if they are few
    their subclasses; families together."""
    named: dict[type, None] = {}
    for method in form.methods:
        named.update(dict.fromkeys(classes_in(hint_at(method, form, i))))
    named.update(dict.fromkeys(seen))
    more = dict(named)
    for cls in named:
        below = None if _is_library(cls) else subclasses_of(cls, limit)
        more.update(dict.fromkeys(below or ()))
    return in_families(more if len(more) <= limit else named)


def parents_among(cls: type, known: Iterable[type]) -> list[type]:
    """Its nearest superclasses among `known`, also those that it is registered
    with; for a drawing, so that an error in somebody's check means no."""
    above = []
    for one in known:
        try:
            if one is not cls and issubclass(cls, one):
                above.append(one)
        except Exception:
            continue
    real = [one for one in above if one in cls.__mro__]
    order = {one: i for i, one in enumerate(cls.__mro__)}
    real.sort(key=order.__getitem__)
    virtual = [one for one in above if one not in cls.__mro__]
    nearest = []
    for one in real + virtual:
        if not any(o is not one and _is_below(o, one) for o in above):
            nearest.append(one)
    return nearest


def _is_below(cls: type, other: type) -> bool:
    try:
        return issubclass(cls, other)
    except Exception:
        return False


def in_families(classes: Iterable[type]) -> list[type]:
    """Each class after its first base, before the next family."""
    known = list(classes)
    children: dict[type | None, list[type]] = {}
    for cls in known:
        base = next((one for one in cls.__mro__[1:] if one in known), None)
        children.setdefault(base, []).append(cls)
    found: list[type] = []
    waiting = list(reversed(children.get(None, [])))
    while waiting:
        cls = waiting.pop()
        found.append(cls)
        waiting.extend(reversed(children.get(cls, [])))
    return found
