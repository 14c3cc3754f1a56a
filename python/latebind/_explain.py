"""Which method runs, why, and what comes next; which calls are ambiguous."""

from __future__ import annotations

from latebind import _calls
from latebind._core import Hint
from latebind._errors import (
    _by_class,
    call_text,
    method_text,
    misfit,
    rest_of,
    type_name,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from latebind._core import GenericFunction, Link, Method
    from latebind._meet import Meet

_STATUS = {0: "ok", 8: "missing", 9: "ambiguous", 10: "exhausted"}
_VERDICTS = {
    3: "is tied with another method",
    4: "is behind an ambiguity",
    5: "takes another number of arguments",
    6: "{name} is {given}, wanted {wanted}",
    7: "{name} is another value than {wanted}",
    8: "{name} does not pass the test of {wanted}",
    9: "it depends on the value of {name}",
}
_END, _INHERIT = 5, 6
_STANDARD, _FIRST, _AND, _OR = 0, 1, 4, 5  # combinations
_MEETING = (0, 1, 2)  # orders by which what implies two hints goes before both


def status_of(link: Link) -> str:
    return _STATUS.get(link.status, "failed") if link.kind in (_END, _INHERIT) else "ok"


def inherits(link: Link) -> bool:
    """Does what a class inherits run, perhaps inside other methods?"""
    while link.inner is not None:
        link = link.inner
    return link.kind == _INHERIT


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


def reached_in(generic: GenericFunction, chain: tuple[Method, ...]) -> list[Method]:
    """Those of a chain that the call runs, or may run by next_method."""
    reached: list[Method] = []
    runs_all = generic.combination_code not in (_STANDARD, _FIRST)
    goes_on = True
    for one in chain:
        if one.qualifier != "primary" or goes_on:
            reached.append(one)
        asks = bool(one.next_bit or one.propagate or generic.retry is not None)
        if one.qualifier == "around" and not asks:
            break
        if one.qualifier == "primary":
            goes_on = runs_all or (goes_on and asks)
    return reached


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
    chain: it and those that come next, if they are asked for. reached: those of them
    that run, or may by a next_method. rejected: (method, reason, name of the argument
    that failed or None). inherits: where the call goes on when no method fits, the
    name of a base class's attribute, or None.
    """

    __slots__ = (
        "call",
        "chain",
        "chosen",
        "generic",
        "inherits",
        "reached",
        "rejected",
        "status",
    )

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
        self.inherits = _inherited(generic, types) if inherits(link) else None
        if inherits(link) and self.inherits is None:
            self.status = "missing"
        self.chain = chain_of(link) if self.status == "ok" else ()
        self.chosen = self.chain[0] if self.chain else None
        self.reached = tuple(reached_in(generic, self.chain))
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
            elif argument >= 0:
                own = method.parameter_names[: method.positional]
                name = own[argument] if argument < len(own) else rest_of(method)
            yield (
                method,
                self._reason(method, verdict, argument, name, types, names, values),
                name,
            )

    def _reason(
        self,
        method: Method,
        verdict: int,
        argument: int,
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
        if name is None:
            return "is not reached" if "{" in text else text
        form = _calls.Form(positional, names, (method,))
        hint = _calls.hint_at(method, form, argument)
        wanted = "anything" if hint is None else hint.text
        return text.format(name=name, given=type_name(types[argument]), wanted=wanted)

    def __repr__(self) -> str:
        return f"<Explanation of {self.call}: {self.status}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """As the value of a notebook's cell."""
        printer.text(str(self))

    def __str__(self) -> str:
        lines = [f"{self.call}: {self.status}"]
        for i, method in enumerate(self.chain):
            word = "runs" if self._surely_runs(i) else "next"
            lines.append(f"  {word}  {self._line(method)}{self._unless_reached(i)}")
        if self.inherits:
            lines.append(f"  runs  {self.inherits} of the base class")
        for method, reason, _argument in self.rejected:
            lines.append(f"  not   {self._line(method)}: {reason}")
        return "\n".join(lines)

    def _surely_runs(self, i: int) -> bool:
        """Without being asked for by a next_method."""
        before = [one.qualifier for one in self.chain[:i]]
        if "around" in before:
            return False
        if self.chain[i].qualifier != "primary" or "primary" not in before:
            return True
        code = self.generic.combination_code
        return code not in (_STANDARD, _FIRST, _AND, _OR)

    def _unless_reached(self, i: int) -> str:
        if self.chain[i] in self.reached:
            return ""
        last = next(one for one in reversed(self.chain[:i]) if one in self.reached)
        for one in self.chain[:i]:
            if one in self.reached and one.qualifier in ("primary", "around"):
                last = one
        return f": not reached, {method_text(self.generic, last)} takes no next_method"

    def _line(self, method: Method) -> str:
        qualifier = "" if method.qualifier == "primary" else f" [{method.qualifier}]"
        where = f"  ({method.source})" if method.source else ""
        return f"{method_text(self.generic, method)}{qualifier}{where}"


class Ambiguity:
    """Two methods that both fit a call, and neither is more specific.

    first, second: the methods. witness: types of such a call. missing: the types of
    a method that would decide it, a Hint where it must look at the value; () if there
    is none. code: that method, to paste, or "". advice: what to do, in a few words.
    possible: only if two tests of values hold at once.
    """

    __slots__ = (
        "_form",
        "first",
        "generic",
        "missing",
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
        self.possible = possible
        self._form = _calls.Form(positional, kwnames or (), (first, second))
        self.missing = self._missing(tuple(object if m is None else m for m in missing))

    def _pairs(self) -> Iterator[tuple[Hint, Hint]]:
        """What the two say of each argument."""
        anything = Hint.any()
        for i in range(len(self.witness)):
            yield (
                _calls.hint_at(self.first, self._form, i) or anything,
                _calls.hint_at(self.second, self._form, i) or anything,
            )

    def _missing(self, classes: tuple[type, ...]) -> tuple[Any, ...]:
        """`classes`: where the types alone decide."""
        found = []
        pairs = zip(self._pairs(), classes, self.witness, strict=True)
        for (a, b), cls, witness in pairs:
            if _by_class(a) and _by_class(b):
                found.append(cls)
                continue
            both = _meet(a, b, witness).hint
            if both is None or not self._is_by_meet:
                return ()
            found.append(both.cls if both.kind == "instance" else both)
        return tuple(found)

    @property
    def _is_by_meet(self) -> bool:
        """Would a method whose hints imply those of both go before them?"""
        swapped = self.first.commutative or self.second.commutative
        return not swapped and self.generic.order_code in _MEETING

    def is_settled(self) -> bool:
        """Is there a third method that looks at values, too, and goes before both
        whenever both fit? Those that do not, the engine knows of."""
        pairs = list(self._pairs())
        if not self._is_by_meet or all(_by_class(a) and _by_class(b) for a, b in pairs):
            return False
        both = [_meet(a, b) for a, b in pairs]
        return all(one.exact for one in both) and any(
            self._settles(one, [each.hint for each in both])
            for one in self.generic._methods
        )

    def _settles(self, third: Method, both: list[Any]) -> bool:
        form = self._form
        if (
            third in (self.first, self.second)
            or third.qualifier != self.first.qualifier
            or not _calls.takes(third, form.positional, form.names)
        ):
            return False
        hints = [_calls.hint_at(third, form, i) or Hint.any() for i in range(len(both))]
        return all(
            hint.implies(a) and hint.implies(b) and common.implies(hint)
            for hint, common, (a, b) in zip(hints, both, self._pairs(), strict=True)
        )

    @property
    def code(self) -> str:
        """The method that is missing, as text to paste; "" if it cannot be written."""
        texts = [_short_name(hint) for hint in self.missing]
        if not texts or None in texts:
            return "" if self.witness else self._definition([])
        head = "from latebind import Hint\n" if "Hint." in " ".join(texts) else ""
        return head + self._definition(texts)

    def _definition(self, texts: list[Any]) -> str:
        parameters = []
        for i, (name, text) in enumerate(zip(self._names(), texts, strict=True)):
            if i == self._plain_count():
                parameters.append("*")
            parameters.append(name if text == "object" else f"{name}: {text}")
        name = self.generic.__name__
        return f"@dispatch\ndef {name}({', '.join(parameters)}): ..."

    def _names(self) -> tuple[str, ...]:
        count = self._form.positional
        own = self.first.parameter_names[: min(count, self.first.positional)]
        own += tuple(f"argument{i + 1}" for i in range(len(own), count))
        return own + self._form.names

    def _plain_count(self) -> int:
        """How many are no keyword-only parameters: those given by name are, unless
        both methods have them in just that place."""
        count = self._form.positional
        for name in self._form.names:
            for one in (self.first, self.second):
                if one.parameter_names[: one.positional][count : count + 1] != (name,):
                    return count
            count += 1
        return count

    @property
    def advice(self) -> str:
        if self.code:
            return f"to decide it, add {self.code.splitlines()[-1]}"
        if self.missing:
            return "a method that makes the tests of both would decide it"
        return (
            "no annotation says what fits both; let one of the two take less, e.g. by "
            "a test in Annotated"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ambiguity):
            return NotImplemented
        return {self.first, self.second} == {other.first, other.second}

    def __hash__(self) -> int:
        return hash(frozenset((self.first, self.second)))

    def __repr__(self) -> str:
        return f"<Ambiguity of {self.first!r} and {self.second!r}>"

    @property
    def call(self) -> str:
        """Such a call in words."""
        types = [type_name(cls) for cls in self.witness]
        return call_text(self.generic, types, list(self._form.names))

    def __str__(self) -> str:
        may = "may be" if self.possible else "is"
        lines = [f"{self.call} {may} ambiguous between"]
        for one in (self.first, self.second):
            lines.append(f"  {method_text(self.generic, one)}  ({one.source})")
        if self.code:
            return "\n".join([*lines, "this method would decide it:", self.code])
        return "\n".join([*lines, self.advice])


def _meet(a: Hint, b: Hint, witness: type | None = None) -> Meet:
    from latebind._meet import meet  # rarely needed

    return meet(a, b, witness)


def _short_name(hint: Any) -> str | None:
    from latebind._meet import class_name, written

    return class_name(hint) if isinstance(hint, type) else written(hint)


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
        one = Ambiguity(generic, *item)
        if one not in found and not one.is_settled():
            found[one] = None
    return tuple(found)


def _never_both(first: Method, second: Method) -> bool:
    pairs = zip(first.parameter_hints, second.parameter_hints, strict=False)
    return any(a is not None and b is not None and a.disjoint(b) for a, b in pairs)
