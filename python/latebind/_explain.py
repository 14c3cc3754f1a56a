"""Which method runs, why, and what comes next; which calls are ambiguous."""

from __future__ import annotations

from latebind._errors import call_text, method_text, misfit, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from latebind._core import GenericFunction, Link, Method

_STATUS = {0: "ok", 8: "missing", 9: "ambiguous", 10: "exhausted"}
_VERDICTS = {
    3: "is tied with another method",
    4: "is behind an ambiguity",
    5: "takes another number of arguments",
    6: "is not an instance",
    7: "is another value",
    8: "does not pass its test",
    9: "depends on the value",
}
_END, _INHERIT = 5, 6


def status_of(link: Link) -> str:
    return _STATUS.get(link.status, "failed") if link.kind in (_END, _INHERIT) else "ok"


def methods_of(link: Link | None) -> Iterator[Method]:
    """The methods that a chain of links leads to, in the order in which each may
    take part in the call."""
    while link is not None:
        if link.kind in (_END, _INHERIT):
            return
        parts = link.parts or ()
        for part in parts[: link.befores] if link.inner else parts:
            yield from methods_of(part)
        if link.inner is not None:
            yield from methods_of(link.inner)
            for part in parts[link.befores :]:
                yield from methods_of(part)
        if link.method is not None:
            yield link.method
        link = link.next if link.inner is None else None


def chain_of(link: Link) -> tuple[Method, ...]:
    return tuple(dict.fromkeys(methods_of(link)))


def _inherited(generic: GenericFunction, types: tuple[type, ...]) -> str | None:
    """The attribute of a base class that takes the call when no method does."""
    mro = types[0].__mro__ if types else ()
    name, here = generic.name, False
    for cls in mro:
        found = cls.__dict__.get(name)
        if found is not None and here and cls is not object:
            return f"{cls.__qualname__}.{name}"
        here = here or getattr(found, "__func__", found) is generic
    return None


class Explanation:
    """Which method a call runs and why; `str()` of it is for people.

    status: "ok", "missing" or "ambiguous". chosen: the method that runs, or None.
    chain: it and those that next_method reaches. rejected: (method, reason, name of
    the argument that failed or None). inherits: where the call goes on when no method
    fits, the name of a base class's attribute, or None.
    """

    __slots__ = ("call", "chain", "chosen", "generic", "inherits", "rejected", "status")

    def __init__(
        self,
        generic: GenericFunction,
        types: tuple[type, ...],
        names: tuple[str, ...],
        values: tuple[Any, ...] | None,
    ) -> None:
        link, items = generic._explain(types, names or None, values)
        self.generic = generic
        self.call = call_text(generic, [type_name(t) for t in types], list(names))
        self.status = status_of(link)
        self.inherits = _inherited(generic, types) if link.kind == _INHERIT else None
        self.chain = chain_of(link) if self.status == "ok" else ()
        self.chosen = self.chain[0] if self.chain else None
        self.rejected = tuple(self._rejected(items, types, names, values))

    def _rejected(
        self,
        items: list[tuple[Method, int, int, int, bool]],
        types: tuple[type, ...],
        names: tuple[str, ...],
        values: tuple[Any, ...] | None,
    ) -> Iterator[tuple[Method, str, str | None]]:
        verdicts: dict[Method, tuple[int, int]] = {}
        for method, verdict, argument, _rank, _swapped in items:
            known = verdicts.get(method)
            if known is None or verdict < known[0]:
                verdicts[method] = verdict, argument
        positional = len(types) - len(names)
        for method in self.generic._methods:
            if method in self.chain:
                continue
            verdict, argument = verdicts.get(method, (5, -1))
            if verdict <= 2 and self.status == "ambiguous":
                verdict = 3
            name = None
            if argument >= positional:
                name = names[argument - positional]
            elif 0 <= argument < len(method.parameter_names):
                name = method.parameter_names[argument]
            yield (
                method,
                self._reason(method, verdict, name, types, names, values),
                name,
            )

    def _reason(
        self,
        method: Method,
        verdict: int,
        name: str | None,
        types: tuple[type, ...],
        names: tuple[str, ...],
        values: tuple[Any, ...] | None,
    ) -> str:
        positional = len(types) - len(names)
        if values is not None and verdict >= 5:
            found = misfit(
                method,
                values[:positional],
                dict(zip(names, values[positional:], strict=True)),
            )
            if found.weight:
                return found.reason
        text = _VERDICTS.get(verdict, "is not reached")
        return f"{name} {text}" if name else text

    def __repr__(self) -> str:
        return f"<Explanation of {self.call}: {self.status}>"

    def __str__(self) -> str:
        lines = [f"{self.call}: {self.status}"]
        for i, method in enumerate(self.chain):
            lines.append(f"  {'runs' if i == 0 else 'next'}  {self._line(method)}")
        if self.inherits:
            lines.append(f"  next  {self.inherits} of the base class")
        for method, reason, _argument in self.rejected:
            lines.append(f"  not   {self._line(method)}: {reason}")
        return "\n".join(lines)

    def _line(self, method: Method) -> str:
        qualifier = "" if method.qualifier == "primary" else f" [{method.qualifier}]"
        where = f"  ({method.source})" if method.source else ""
        return f"{method_text(self.generic, method)}{qualifier}{where}"


class Ambiguity:
    """Two methods that both fit a call, and neither is more specific.

    first, second: the methods. witness: types of such a call. missing: the types of
    a method that would decide it; code: that method, to paste. possible: only if
    two tests of values hold at once.
    """

    __slots__ = (
        "first",
        "generic",
        "missing",
        "names",
        "possible",
        "second",
        "witness",
    )

    def __init__(
        self,
        generic: GenericFunction,
        first: Method,
        second: Method,
        witness: tuple[Any, ...],
        missing: tuple[Any, ...],
        possible: bool,
        positional: int,
        kwnames: tuple[str, ...] | None,
    ) -> None:
        self.generic = generic
        self.first = first
        self.second = second
        self.witness = tuple(object if one is None else one for one in witness)
        self.missing = tuple(object if one is None else one for one in missing)
        self.possible = possible
        own = first.parameter_names[:positional]
        own += tuple(f"argument{i + 1}" for i in range(len(own), positional))
        self.names = own + (kwnames or ())

    @property
    def code(self) -> str:
        """The method that is missing, as text to paste."""
        parameters = []
        for name, hint in zip(self.names, self.missing, strict=True):
            own = name.replace("*", "")
            if hint is object:
                parameters.append(own)
            else:
                parameters.append(f"{own}: {_short_name(hint)}")
        name = self.generic.__name__
        return f"@dispatch\ndef {name}({', '.join(parameters)}): ..."

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ambiguity):
            return NotImplemented
        return {self.first, self.second} == {other.first, other.second}

    def __hash__(self) -> int:
        return hash(frozenset((self.first, self.second)))

    def __repr__(self) -> str:
        return f"<Ambiguity of {self.first!r} and {self.second!r}>"

    def __str__(self) -> str:
        call = call_text(self.generic, [type_name(t) for t in self.witness], [])
        may = "may be" if self.possible else "is"
        lines = [f"{call} {may} ambiguous between"]
        for one in (self.first, self.second):
            lines.append(f"  {method_text(self.generic, one)}  ({one.source})")
        return "\n".join([*lines, "this method would decide it:", self.code])


def _short_name(hint: Any) -> str:
    if hint is type(None):
        return "None"
    return hint.__qualname__ if isinstance(hint, type) else type_name(hint)


def ambiguities_of(
    generic: GenericFunction, fresh: tuple[Method, ...] | None, engine: bool
) -> tuple[Ambiguity, ...]:
    """Each pair once; with `fresh` only those of these methods."""
    found: dict[Ambiguity, None] = {}
    for item in generic._ambiguities(fresh, engine):
        first, second, _witness, _missing, possible = item[:5]
        if fresh is not None and first not in fresh and second not in fresh:
            continue
        if possible and _never_both(first, second):
            continue
        found.setdefault(Ambiguity(generic, *item))
    return tuple(found)


def _never_both(first: Method, second: Method) -> bool:
    pairs = zip(first.parameter_hints, second.parameter_hints, strict=False)
    return any(a is not None and b is not None and a.disjoint(b) for a, b in pairs)
