"""The engine against the slow model in oracle.py, on random programs.

What must agree: the method that runs, the methods that next_method reaches, the
way the chain ends, the error with its candidates, `resolve`, `chain`, `explain`
and `ambiguities`; after every kind of change, in any order.
"""

import abc
import contextlib
import itertools
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Optional, Union

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from oracle import FIRST, Chain, Rule, Rules, compare, holds, method_of, signature_of

import latebind
from latebind import AmbiguousMethodError, NoMethodError

SETTINGS = settings(
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    report_multiple_bugs=False,
    max_examples=40,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def positive(value: Any) -> bool:
    return not isinstance(value, str) and value is not None and value > 0


def truthy(value: Any) -> bool:
    return bool(value)


BUILTIN_HINTS = [
    int,
    bool,
    float,
    str,
    list,
    None,
    Optional[int],  # noqa: UP045
    int | str,
    bool | None,
    Literal[1],
    Literal[1, 2],
    Literal["a"],
    Literal["a", "b"],
    str | Literal[1],
    list[int],
    list[bool],
    Annotated[int, positive],
    Annotated[int, truthy],
]
BUILTIN_VALUES = [0, 1, 2, True, False, 1.0, "a", "b", "", None, [1], [True], ["a"], []]


# ------------------------------------------------------------ class lattices


class Lattice:
    """Random classes below one root, abstract ones beside it, and what was
    registered with them."""

    def __init__(self) -> None:
        self.root = type("Root", (), {})
        self.real: list[type] = [self.root]
        self.virtual: list[abc.ABCMeta] = []

    def add_class(self, numbers: Sequence[int]) -> type:
        name = f"C{len(self.real)}"
        bases: list[type] = []
        for number in numbers:
            base = self.real[number % len(self.real)]
            if not any(issubclass(one, base) for one in bases):
                bases = [one for one in bases if not issubclass(base, one)] + [base]
        for count in range(len(bases), 0, -1):
            try:
                cls = type(name, tuple(bases[:count]), {})
            except TypeError:  # no order for these bases
                continue
            self.real.append(cls)
            return cls
        raise AssertionError("one base always has an order")

    def add_virtual(self, number: int | None) -> None:
        base = (
            [self.virtual[number % len(self.virtual)]]
            if self.virtual and number is not None
            else []
        )
        name = f"V{len(self.virtual)}"
        self.virtual.append(abc.ABCMeta(name, tuple(base), {}))

    def register(self, number: int, other: int) -> bool:
        if not self.virtual:
            return False
        virtual = self.virtual[number % len(self.virtual)]
        cls = self.real[1:][other % (len(self.real) - 1)]
        virtual.register(cls)
        return True

    def rebase(self, number: int, others: Sequence[int]) -> bool:
        """Give a class other bases, of those that stand before it."""
        index = 1 + number % (len(self.real) - 1)
        cls, before = self.real[index], self.related()
        old, bases = cls.__bases__, [self.real[one % index] for one in others]
        try:
            cls.__bases__ = tuple(dict.fromkeys(bases))
        except TypeError:  # no order, here or in a subclass
            return False
        if self.related() != before:  # a union is as it was when it was written
            cls.__bases__ = old
            return False
        return True

    def related(self) -> list[bool]:
        """Of the pairs of which there are unions: does one cover the other?"""
        return [issubclass(two, one) for one, two in itertools.pairwise(self.real[1:])]

    def hints(self) -> list[Any]:
        found: list[Any] = [*self.real, *self.virtual]
        pairs = [
            (one, two)
            for one, two in itertools.pairwise(self.real[1:])
            if not issubclass(two, one)  # else the union is its first member
        ]
        found += [Union[pair] for pair in pairs]  # noqa: UP007
        found += [Annotated[cls, marked] for cls in self.real[1:3]]
        return found

    def class_hints(self) -> list[type]:
        return list(self.real)


def marked(value: Any) -> bool:
    """A predicate on instances of the lattice."""
    return getattr(value, "mark", False)


def one_of(values: Sequence[Any]) -> st.SearchStrategy[Any]:
    """As st.sampled_from, which would keep the classes of each example alive."""
    return st.integers(0, len(values) - 1).map(lambda number: values[number])


@st.composite
def lattices(draw: st.DrawFn, virtual: bool = True) -> Lattice:
    lattice = Lattice()
    numbers = st.lists(st.integers(0, 7), min_size=1, max_size=3)
    for _ in range(draw(st.integers(2, 6))):
        lattice.add_class(draw(numbers))
    if virtual:
        for _ in range(draw(st.integers(0, 2))):
            lattice.add_virtual(draw(st.none() | st.integers(0, 1)))
        for _ in range(draw(st.integers(0, 3))):
            lattice.register(draw(st.integers(0, 7)), draw(st.integers(0, 7)))
    return lattice


# ------------------------------------------------------- both sides of a test


class Pair:
    """The same methods in a generic function and in the model."""

    def __init__(self, order: str = "symmetric", precedence: Any = None) -> None:
        options: dict[str, Any] = {"order": order, "silent": True}
        if precedence is not None:
            options["precedence"] = tuple(f"p{number}" for number in precedence)

        def both(*args: Any, **named: Any) -> Any: ...

        def of_two(p0: Any, p1: Any) -> Any: ...

        declaration = both if precedence is None else of_two
        self.generic = latebind.generic(**options)(declaration)
        self.model = Rules(order, precedence)
        self.count = 0
        self.methods: dict[str, Any] = {}

    def add(self, signature: Any, **how: Any) -> Rule:
        label = f"m{self.count}"
        self.count += 1
        one = Rule(label, signature, **how)
        function = method_of(one, NoMethodError, AmbiguousMethodError)
        self.model.add(one)
        options = {"commutative": True} if one.commutative else {}
        self.methods[label] = self.generic.add(function, **options)
        return one

    def remove(self, one: Rule) -> None:
        self.model.remove(one)
        self.generic.remove(self.methods.pop(one.label))

    def agree(self, args: Sequence[Any], named: dict[str, Any] | None = None) -> None:
        named = named or {}
        expected = self.model.chain(args, named)
        note(f"call {args!r} {named!r}: {expected}")
        if expected.labels:
            assert self.generic(*args, **named) == self.model.trail(args, named)
        else:
            error = (
                AmbiguousMethodError if expected.end == "ambiguous" else NoMethodError
            )
            with pytest.raises(error) as caught:
                self.generic(*args, **named)
            assert type(caught.value) is error
            assert caught.value.generic is self.generic
            if error is AmbiguousMethodError:
                found = {label_of(one) for one in caught.value.candidates}
                assert found == expected.candidates
        self.explained(args, named, expected)

    def explained(
        self, args: Sequence[Any], named: dict[str, Any], expected: Chain
    ) -> None:
        explanation = self.generic.explain(*args, **named)
        assert str(explanation)
        assert [label_of(one) for one in explanation.chain] == expected.labels
        chosen = explanation.chosen and label_of(explanation.chosen)
        assert chosen == (expected.labels[0] if expected.labels else None)
        applicable = {one.rule.label for one in self.model.applicable(args, named)}
        rejected = {label_of(one) for one, _reason, _argument in explanation.rejected}
        known = {one.label for one in self.model.rules}
        assert known - applicable <= rejected
        assert rejected.isdisjoint(expected.labels)


def label_of(method: Any) -> str:
    return method.function.__name__.removeprefix("method_")


def instances(classes: Sequence[type]) -> list[Any]:
    made = []
    for cls in classes:
        made.append(cls())
    if len(made) > 1:
        made[1].mark = True
    return made


# ---------------------------------------------------------------- the tests


@SETTINGS
@given(st.data())
def test_one_argument_of_random_classes(data: st.DataObject) -> None:
    lattice = data.draw(lattices())
    pair = Pair()
    for hint in data.draw(st.lists(one_of(lattice.hints()), max_size=6)):
        pair.add(signature_of([hint]))
    for value in instances(lattice.real):
        pair.agree([value])
        pair.agree([value])  # now from the table


@SETTINGS
@given(st.data())
def test_several_arguments_of_random_classes(data: st.DataObject) -> None:
    lattice = data.draw(lattices())
    count = data.draw(st.integers(2, 3))
    pair = Pair()
    hints = one_of(lattice.hints())
    for _ in range(data.draw(st.integers(1, 8))):
        chosen = data.draw(st.lists(hints, min_size=count, max_size=count))
        pair.add(signature_of(chosen), wants_next=data.draw(st.booleans()))
    values = one_of(instances(lattice.real))
    for _ in range(12):
        pair.agree(data.draw(st.lists(values, min_size=count, max_size=count)))


@SETTINGS
@given(st.data())
def test_more_arguments_than_the_engine_dispatches_on(data: st.DataObject) -> None:
    """Nine and more: what is left over is looked at together."""
    lattice = data.draw(lattices(virtual=False))
    count = data.draw(st.integers(9, 11))
    pair = Pair()
    hints = one_of([object, *lattice.real])
    where = st.sampled_from([0, 4, count - 3, count - 2, count - 1])
    for _ in range(data.draw(st.integers(1, 5))):
        chosen: list[Any] = [lattice.root] * count
        for place in data.draw(st.lists(where, max_size=3)):
            chosen[place] = data.draw(hints)
        pair.add(signature_of(chosen))
    objects = instances(lattice.real)
    for _ in range(8):
        args = [objects[0]] * count
        for place in data.draw(st.lists(where, max_size=4)):
            args[place] = data.draw(one_of(objects))
        pair.agree(args)


@SETTINGS
@given(st.data())
def test_values_literals_and_unions(data: st.DataObject) -> None:
    pair = Pair()
    count = data.draw(st.integers(1, 2))
    hints = st.sampled_from(BUILTIN_HINTS)
    for _ in range(data.draw(st.integers(1, 7))):
        chosen = data.draw(st.lists(hints, min_size=count, max_size=count))
        pair.add(signature_of(chosen))
    for args in itertools.product(BUILTIN_VALUES, repeat=count):
        if count == 1 or data.draw(st.integers(0, 15)) == 0:
            pair.agree(list(args))


@SETTINGS
@given(st.data())
def test_random_signatures(data: st.DataObject) -> None:
    pair = Pair()
    hints = st.sampled_from([int, bool, str, float, object, int | str, Literal[1]])
    maybe = st.none() | hints
    for _ in range(data.draw(st.integers(1, 6))):
        fixed = data.draw(st.lists(hints, max_size=3))
        named = data.draw(st.dictionaries(st.sampled_from("kq"), hints, max_size=2))
        pair.add(
            signature_of(
                fixed,
                optional=data.draw(st.integers(0, len(fixed))),
                rest=data.draw(maybe),
                named=named,
                named_optional="q",
                named_rest=data.draw(maybe),
                posonly=data.draw(st.integers(0, len(fixed))),
            )
        )
    values = st.sampled_from([1, True, "a", 2.5, 7])
    names = st.sampled_from(["k", "q", "p0", "p1", "p2", "z"])
    for _ in range(15):
        args = data.draw(st.lists(values, max_size=4))
        named = data.draw(st.dictionaries(names, values, max_size=2))
        pair.agree(args, named)


@pytest.mark.parametrize(
    "order",
    ["lexicographic", "weighted", "definition", "reverse_definition", "dylan"],
)
@SETTINGS
@given(data=st.data())
def test_other_orders(order: str, data: st.DataObject) -> None:
    lattice = data.draw(lattices(virtual=False))
    precedence = None
    if order == "lexicographic" and data.draw(st.booleans()):
        precedence = [1, 0]
    pair = Pair(order, precedence)
    if order == "dylan":  # of classes alone the same as symmetric
        pair.model.order = "symmetric"
    hints = one_of(lattice.class_hints())
    for _ in range(data.draw(st.integers(1, 7))):
        pair.add(signature_of(data.draw(st.lists(hints, min_size=2, max_size=2))))
    values = one_of(instances(lattice.real))
    for _ in range(10):
        pair.agree(data.draw(st.lists(values, min_size=2, max_size=2)))


@SETTINGS
@given(st.data())
def test_commutative_methods(data: st.DataObject) -> None:
    lattice = data.draw(lattices(virtual=False))
    pair = Pair()
    hints = one_of(lattice.class_hints())
    for _ in range(data.draw(st.integers(1, 6))):
        pair.add(
            signature_of(data.draw(st.lists(hints, min_size=2, max_size=2))),
            commutative=data.draw(st.booleans()),
        )
    values = one_of(instances(lattice.real))
    for _ in range(10):
        pair.agree(data.draw(st.lists(values, min_size=2, max_size=2)))


@SETTINGS
@given(st.data())
def test_resolving_by_classes_is_calling_with_instances(data: st.DataObject) -> None:
    lattice = data.draw(lattices())
    pair = Pair()
    hints = one_of([*lattice.real, *lattice.virtual])
    for _ in range(data.draw(st.integers(1, 6))):
        pair.add(signature_of(data.draw(st.lists(hints, min_size=2, max_size=2))))
    for args in itertools.product(instances(lattice.real), repeat=2):
        expected = pair.model.chain(args)
        classes = [type(one) for one in args]
        if expected.labels:
            assert label_of(pair.generic.resolve(*classes)) == expected.labels[0]
            chain = pair.generic.chain(*classes)
            assert [label_of(one) for one in chain] == expected.labels
        else:
            error = (
                AmbiguousMethodError if expected.end == "ambiguous" else NoMethodError
            )
            with pytest.raises(error):
                pair.generic.resolve(*classes)


@SETTINGS
@given(st.data())
def test_each_reported_ambiguity_is_one_and_none_is_forgotten(
    data: st.DataObject,
) -> None:
    lattice = data.draw(lattices(virtual=False))
    pair = Pair()
    hints = one_of(lattice.class_hints())
    for _ in range(data.draw(st.integers(2, 6))):
        pair.add(signature_of(data.draw(st.lists(hints, min_size=2, max_size=2))))
    for args in itertools.product(instances(lattice.real), repeat=2):
        with contextlib.suppress(AmbiguousMethodError, NoMethodError):
            pair.generic(*args)  # every class is known now
    reports = pair.generic.ambiguities()
    for report in reports:
        args = [cls() for cls in report.witness]
        forms = {one.rule.label: one for one in pair.model.applicable(args)}
        first, second = forms[label_of(report.first)], forms[label_of(report.second)]
        values = dict(enumerate(args))
        assert not pair.model.precedes(values, first, second)
        assert not pair.model.precedes(values, second, first)
    reported = {
        frozenset((label_of(one.first), label_of(one.second))) for one in reports
    }
    for args in itertools.product(instances(lattice.real), repeat=2):
        chain = pair.model.chain(args)
        if chain.end == "ambiguous" and not chain.labels:
            pairs = map(frozenset, itertools.combinations(chain.candidates, 2))
            assert any(one in reported for one in pairs), args


class Changes(RuleBasedStateMachine):
    """Calls between changes of every kind: never an answer from before one."""

    @initialize()
    def begin(self) -> None:
        self.lattice = Lattice()
        for numbers in ((0,), (0,), (1, 2), (3,)):
            self.lattice.add_class(numbers)
        self.lattice.add_virtual(None)
        self.pair = Pair()
        self.objects = instances(self.lattice.real)

    numbers = st.integers(0, 11)

    def hint(self, number: int) -> Any:
        hints = self.lattice.hints()
        return hints[number % len(hints)]

    @rule(first=numbers, second=numbers)
    def add_method(self, first: int, second: int) -> None:
        self.pair.add(signature_of([self.hint(first), self.hint(second)]))

    @rule(first=numbers)
    def add_variadic_method(self, first: int) -> None:
        self.pair.add(signature_of([self.hint(first)], rest=object))

    @precondition(lambda self: self.pair.model.rules)
    @rule(number=numbers)
    def remove_method(self, number: int) -> None:
        rules = self.pair.model.rules
        self.pair.remove(rules[number % len(rules)])

    @rule(numbers=st.lists(numbers, min_size=1, max_size=3))
    def add_class(self, numbers: list[int]) -> None:
        if len(self.lattice.real) < 10:
            self.objects.append(self.lattice.add_class(numbers)())

    @rule(number=numbers, other=numbers)
    def register(self, number: int, other: int) -> None:
        self.lattice.register(number, other)

    @rule(number=numbers)
    def add_virtual(self, number: int) -> None:
        if len(self.lattice.virtual) < 3:
            self.lattice.add_virtual(number)

    @rule(number=numbers, others=st.lists(numbers, min_size=1, max_size=3))
    def rebase(self, number: int, others: list[int]) -> None:
        self.lattice.rebase(number, others)

    @rule(number=numbers, other=numbers)
    def change_class_of_object(self, number: int, other: int) -> None:
        target = self.objects[number % len(self.objects)]
        cls = self.lattice.real[1:][other % (len(self.lattice.real) - 1)]
        if type(target) is not self.lattice.root:
            target.__class__ = cls

    @rule(number=numbers)
    def write_to_class(self, number: int) -> None:
        cls = self.lattice.real[number % len(self.lattice.real)]
        cls.written = getattr(cls, "written", 0) + 1

    @rule(number=numbers)
    def mark(self, number: int) -> None:
        target = self.objects[number % len(self.objects)]
        target.mark = not getattr(target, "mark", False)

    @rule(first=numbers, second=numbers)
    def call(self, first: int, second: int) -> None:
        args = [self.objects[one % len(self.objects)] for one in (first, second)]
        self.pair.agree(args)

    @invariant()
    def methods_are_listed(self) -> None:
        if hasattr(self, "pair"):
            listed = sorted(label_of(one) for one in self.pair.generic.methods)
            wanted = sorted(one.label for one in self.pair.model.rules)
            assert listed == wanted


class TestChanges(Changes.TestCase):
    settings = settings(SETTINGS, max_examples=60, stateful_step_count=40)


@pytest.mark.slow
class TestChangesAtLength(Changes.TestCase):
    settings = settings(
        SETTINGS, max_examples=1500, stateful_step_count=60, derandomize=False
    )


# ------------------------------------------------ the model itself, by example


def test_the_model_knows_what_everybody_agrees_on() -> None:
    class Top: ...

    class Left(Top): ...

    class Right(Top): ...

    class Bottom(Left, Right): ...

    rules = Rules()
    for label, hints in {"lr": (Left, Right), "rl": (Right, Left)}.items():
        rules.add(Rule(label, signature_of(hints)))
    assert rules.chain([Left(), Right()]).labels == ["lr"]
    assert rules.chain([Right(), Left()]).labels == ["rl"]
    assert rules.chain([Bottom(), Bottom()]).candidates == {"lr", "rl"}
    assert rules.chain([Top(), Top()]).labels == []
    assert compare(Bottom(), Left, Right) == FIRST
    assert holds(True, int) and not holds(True, Literal[1])
    assert holds([1, True], list[int]) and not holds([1, "a"], list[int])
