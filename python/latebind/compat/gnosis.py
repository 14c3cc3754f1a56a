"""The `Dispatch` of David Mertz's "Charming Python: Multiple Dispatch" (2003).

    dispatch = Dispatch([((Rock, Scissors), wins), ((Thing, Thing), loses)])
    dispatch.add_rule((Fire, Thing), burn, AT_END)
    dispatch(rock, scissors)             # a list: the results of all that ran

A rule is a tuple of classes, a function, and whether the next rule runs by itself:
before the function (`AT_START`), after it (`AT_END`), or not (`SKIP`). What comes
next is said by an order, a function of the classes of the call and of the rules
that apply, which gives those rules from the most specific on. The article left
Dylan's order open; here it is `unambiguous_lexicographic_mro`, or `dylan_order`.

On the first call with some classes the order is asked and the rules are strung
together in the order in which they run; from then on the engine runs them and
makes the list.

Differences: calls may run side by side, so there is no need to `clone` for each
thread, nor are there attributes that say how far the last call came. A rule
replaces the one with equal classes. Abstract classes count, too; in an order of
classes they stand behind the last one that derives from them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from latebind._core import Method
from latebind.compat._chooser import Chooser, hint_of, method_of

__all__ = [
    "AT_END",
    "AT_START",
    "SKIP",
    "Dispatch",
    "def_order",
    "dylan_order",
    "lexicographic_mro",
    "reverse_def",
    "unambiguous_lexicographic_mro",
    "weighted_mro",
]

AT_START, SKIP, AT_END = -1, 0, 1

Signature = tuple[type, ...]
Rule = tuple[Signature, Callable[..., Any], int]
Order = Callable[[Sequence[type], list[Rule]], Sequence[Rule]]


# ---- orders ------------------------------------------------------------------


def _distance(cls: type, base: type) -> float:
    """How far `base` is from `cls` in its method resolution order."""
    mro = cls.__mro__
    if base in mro:
        return mro.index(base)
    return max(i for i, each in enumerate(mro) if issubclass(each, base)) + 0.5


def _distances(classes: Sequence[type], rule: Rule) -> list[float]:
    return [_distance(cls, base) for cls, base in zip(classes, rule[0], strict=True)]


def def_order(signature: Sequence[type], matches: list[Rule]) -> list[Rule]:
    """First defined, first run."""
    return list(matches)


def reverse_def(signature: Sequence[type], matches: list[Rule]) -> list[Rule]:
    """Last defined, first run."""
    return list(reversed(matches))


def lexicographic_mro(signature: Sequence[type], matches: list[Rule]) -> list[Rule]:
    """The first argument for which two rules differ decides, as in CLOS."""
    return sorted(matches, key=lambda rule: _distances(signature, rule))


def weighted_mro(signature: Sequence[type], matches: list[Rule]) -> list[Rule]:
    """The least sum of distances first, as in Perl's Class::Multimethods."""
    return sorted(matches, key=lambda rule: sum(_distances(signature, rule)))


def unambiguous_lexicographic_mro(
    signature: Sequence[type], matches: list[Rule]
) -> list[Rule]:
    """As in Dylan: a rule must be as specific in all arguments, more so in one.

    The list ends where nothing decides; if that is before its first rule, it is a
    TypeError.
    """
    left, order = list(matches), []
    while left:
        first = [
            rule
            for rule in left
            if not any(_precedes(signature, other, rule) for other in left)
        ]
        if len(first) > 1:
            break
        order += first
        left.remove(first[0])
    if left and not order:
        rules = " and ".join(_text(rule[0]) for rule in first)
        raise TypeError(f"no order between the rules {rules} for {_text(signature)}")
    return order


dylan_order = unambiguous_lexicographic_mro


def _precedes(classes: Sequence[type], a: Rule, b: Rule) -> bool:
    """Whether `a` is nowhere less specific than `b`, and somewhere more."""
    if a[0] == b[0]:
        return False
    return all(
        mine is yours or _before(cls, mine, yours)
        for cls, mine, yours in zip(classes, a[0], b[0], strict=True)
    )


def _before(cls: type, a: type, b: type) -> bool:
    """Whether `a` is a subclass, or else nearer in the order of `cls`."""
    if issubclass(a, b) or issubclass(b, a):
        return issubclass(a, b)
    return _distance(cls, a) < _distance(cls, b)


def _text(classes: Iterable[type]) -> str:
    return f"<{', '.join(cls.__name__ for cls in classes)}>"


# ---- the dispatcher ----------------------------------------------------------


class _Place(NamedTuple):
    """Where a call stands: its arguments, its rules, the first that has not run."""

    args: tuple[Any, ...]
    line: Sequence[Rule]
    at: int


class _Running(threading.local):
    """The rules that know their place and are running, innermost last. What the
    engine called has its place found when it is asked for."""

    def __init__(self) -> None:
        self.stack: list[_Place | tuple[Rule, tuple[Any, ...]]] = []


class Dispatch(Chooser):
    """Rules by the classes of all arguments."""

    _combination = "list"

    def __init__(
        self, table: Iterable[Sequence[Any]] = (), order: Order = lexicographic_mro
    ) -> None:
        self.table: list[Rule] = []
        self._by_signature: dict[Signature, Method] = {}
        self._order = order
        self._running = _Running()
        for rule in table:
            self.add_rule(*rule)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self._as_it_is(instance, owner)

    @property
    def order(self) -> Order:
        """The function that orders the rules of a call."""
        return self._order

    @order.setter
    def order(self, order: Order) -> None:
        self._order = order
        for method in self._by_signature.values():
            self._remove(method)
        for method in self._by_signature.values():
            self._put(method)

    def clone(self) -> Dispatch:
        """Another dispatcher with the same rules and the same order."""
        return type(self)(self.table, self.order)

    def add_rule(
        self,
        signature: Sequence[type],
        func: Callable[..., Any],
        propagate: int = SKIP,
    ) -> None:
        """Lets `func` take arguments of these classes."""
        rule = (tuple(signature), func, propagate)
        hints = [hint_of(cls) for cls in rule[0]]
        method = method_of(self._function(rule), hints)
        method.rule = rule
        self.table = [old for old in self.table if old[0] != rule[0]]
        self.table.append(rule)
        self._by_signature[rule[0]] = method
        self._put(method)

    def add_dispatchable(
        self,
        signature: Sequence[type],
        func: Callable[..., Any],
        propagate: int = SKIP,
    ) -> None:
        """The same for a function that takes the dispatcher as its last argument."""
        self.add_rule((*signature, Dispatch), func, propagate)

    def remove_rule(self, signature: Sequence[type]) -> None:
        """Takes the rule for these classes away, if there is one."""
        method = self._by_signature.pop(tuple(signature), None)
        if method is not None:
            self.table.remove(method.rule)
            self._remove(method)

    def with_dispatch(self, *args: Any) -> list[Any]:
        """Calls with the dispatcher itself as one more argument."""
        return self(*args, self)

    def next_method(self) -> Any:
        """From within a rule's function: the result of the next rule.

        The rule must take the dispatcher (`add_dispatchable`), or its function name
        this method.
        """
        stack = self._running.stack
        if not stack:
            raise RuntimeError(
                "next_method() is for functions that take the dispatcher, while they "
                "run: see add_dispatchable()"
            )
        place = stack[-1]
        if not isinstance(place, _Place):
            place = self._place(*place)
        args, line, at = place
        if at == len(line):
            raise IndexError(f"there is no rule after {_text(line[at - 1][0])}")
        stack.append(_Place(args, line, at + 1))
        try:
            return line[at][1](*args)
        finally:
            stack.pop()

    def _place(self, rule: Rule, args: tuple[Any, ...]) -> _Place:
        line = self._line(tuple(map(type, args)))
        at = next(i for i, each in enumerate(line) if each[0] == rule[0])
        # Those that an AT_START lets run first are behind it already.
        while at < len(line) and line[at][2] != SKIP and rule[2] == AT_START:
            at += 1
        return _Place(args, line, min(at + 1, len(line)))

    def _choose(
        self, types: tuple[type, ...], methods: tuple[Method, ...]
    ) -> Sequence[Method]:
        by_rule = {method.rule[0]: method for method in methods}
        line = self.order(list(types), [method.rule for method in methods])
        return [by_rule[rule[0]] for rule in _in_turn(line)]

    def _fail(self, status: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        types = tuple(map(type, args))
        if self._fitting(types):
            return []  # the order wants none of them
        raise TypeError(f"{type(self).__name__} instance: no rule for {_text(types)}")

    def _fitting(self, types: Signature) -> list[Rule]:
        return [
            rule
            for rule in self.table
            if len(rule[0]) == len(types) and all(map(issubclass, types, rule[0]))
        ]

    def _line(self, types: Signature) -> Sequence[Rule]:
        return self.order(list(types), self._fitting(types))

    def _function(self, rule: Rule) -> Callable[..., Any]:
        """The rule's function; when it may ask for the next one, with its place."""
        signature, func, _ = rule
        names = getattr(getattr(func, "__code__", None), "co_names", ())
        takes_dispatcher = any(
            isinstance(cls, type) and issubclass(cls, Dispatch) for cls in signature
        )
        if not takes_dispatcher and "next_method" not in names:
            return func

        def run(*args: Any) -> Any:
            stack = self._running.stack
            stack.append((rule, args))
            try:
                return func(*args)
            finally:
                stack.pop()

        return run


def _in_turn(line: Sequence[Rule]) -> list[Rule]:
    """The rules in the order in which they run, up to one that goes no further."""
    turn: list[Rule] = []
    place = 0
    for rule in line:
        turn.insert(place, rule)
        if rule[2] == SKIP:
            break
        place += rule[2] > SKIP
    return turn
