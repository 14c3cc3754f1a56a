"""Hints as objects: what they accept, how they compare, what of them a type decides.

The random tests hold the C code against a few lines of Python that say the same.
"""

from __future__ import annotations

import copy
import enum
import gc
import pickle
import sys
import typing
import weakref
from abc import ABC
from collections import OrderedDict, UserDict, UserList, defaultdict, deque
from collections import abc as collections_abc
from typing import Any, Protocol, runtime_checkable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from latebind._core import Hint

INT, STR, BOOL = map(Hint.instance, (int, str, bool))
NONE = Hint.instance(type(None))
ANY = Hint.any()


def positive(value: Any) -> bool:
    return value > 0


def even(value: Any) -> bool:
    return value % 2 == 0


# ----------------------------------------------------------------- one per structure


def test_equal_hints_are_the_same_object() -> None:
    assert Hint.instance(int) is INT
    assert Hint.items(list, INT) is Hint.items(list, INT)
    assert Hint.fixed(tuple, INT, STR) is not Hint.fixed(tuple, STR, INT)
    assert Hint.mapping(dict, STR, INT) is Hint.mapping(dict, STR, INT)
    assert Hint.where(INT, positive) is Hint.where(INT, positive)
    assert Hint.opaque(INT, positive, "a") is Hint.opaque(INT, positive, "b")
    assert Hint.where(INT, positive) is not Hint.opaque(INT, positive, "a")


def test_the_order_of_a_union_a_literal_and_predicates_does_not_matter() -> None:
    assert Hint.union(INT, STR) is Hint.union(STR, INT, STR)
    assert Hint.literal(1, "a") is Hint.literal("a", 1, 1)
    both = Hint.where(Hint.where(INT, positive), even)
    assert both is Hint.where(Hint.where(INT, even), positive)
    assert both is Hint.where(both, positive)


def test_literals_tell_types_apart() -> None:
    assert Hint.literal(1) is not Hint.literal(True)
    assert Hint.literal(1) is not Hint.literal(1.0)
    assert Hint.literal("a") is not Hint.literal(b"a")


def test_what_means_the_same_is_the_same() -> None:
    assert Hint.instance(object) is ANY
    assert Hint.items(list, ANY) is Hint.instance(list)
    assert Hint.mapping(dict, ANY, ANY) is Hint.instance(dict)
    assert Hint.subclass(ANY) is Hint.instance(type)
    assert Hint.literal(None) is NONE
    assert Hint.literal(1, None) is Hint.union(Hint.literal(1), NONE)
    assert Hint.union(INT, ANY) is ANY
    assert Hint.union(INT, BOOL) is INT
    assert Hint.union(Hint.literal(1, "a"), INT) is Hint.union(INT, Hint.literal("a"))
    assert Hint.union(Hint.literal(1), Hint.literal(2)) is Hint.literal(1, 2)
    assert Hint.union(Hint.items(list, INT), Hint.instance(list)).text == "list"
    each = Hint.union(Hint.subclass(INT), Hint.subclass(STR))
    assert Hint.subclass(Hint.union(INT, STR)) is each


def test_a_union_inside_a_union_is_none() -> None:
    inner = Hint.union(INT, NONE)
    assert Hint.union(inner, STR).parts == (INT, NONE, STR)


def test_equal_predicates_are_one() -> None:
    class Below:
        def __init__(self, limit: int) -> None:
            self.limit = limit

        def __call__(self, value: int) -> bool:
            return value < self.limit

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Below) and self.limit == other.limit

        def __hash__(self) -> int:
            return self.limit

    assert Hint.where(INT, Below(3)) is Hint.where(INT, Below(3))
    assert Hint.where(INT, Below(3)) is not Hint.where(INT, Below(4))
    numbers = [1]
    assert Hint.where(INT, numbers.count) is Hint.where(INT, numbers.count)


def test_predicates_without_hash_are_told_by_identity() -> None:
    class Unhashable:
        __hash__ = None  # type: ignore[assignment]

        def __call__(self, value: object) -> bool:
            return True

    one = Unhashable()
    assert Hint.where(INT, one) is Hint.where(INT, one)
    assert Hint.where(INT, one) is not Hint.where(INT, Unhashable())


def test_hints_are_copied_and_pickled_as_themselves() -> None:
    hints = [
        ANY,
        INT,
        Hint.union(INT, STR),
        Hint.literal(1, "a", None),
        Hint.items(list, INT),
        Hint.mapping(dict, STR, Hint.items(set, INT)),
        Hint.fixed(tuple),
        Hint.fixed(tuple, INT, STR),
        Hint.subclass(INT),
        Hint.where(INT, positive, "positive"),
        Hint.opaque(INT, even, "Even"),
    ]
    for hint in hints:
        assert copy.copy(hint) is hint
        assert copy.deepcopy([hint])[0] is hint
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            assert pickle.loads(pickle.dumps(hint, protocol)) is hint


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (ANY, "Any"),
        (NONE, "None"),
        (Hint.instance(OrderedDict), "OrderedDict"),
        (Hint.union(INT, NONE), "int | None"),
        (Hint.literal("a", 1, b"x", True), "Literal['a', 1, b'x', True]"),
        (Hint.items(list, Hint.union(INT, STR)), "list[int | str]"),
        (Hint.items(tuple, INT), "tuple[int, ...]"),
        (Hint.fixed(tuple, INT, STR), "tuple[int, str]"),
        (Hint.fixed(tuple), "tuple[()]"),
        (Hint.mapping(dict, STR, ANY), "dict[str, Any]"),
        (Hint.subclass(INT), "type[int]"),
        (Hint.where(INT, positive), "Annotated[int, positive]"),
        (Hint.where(Hint.where(INT, positive), even, "x"), None),
        (Hint.opaque(INT, positive, "Positive"), "Positive"),
    ],
)
def test_the_text_is_what_one_would_write(hint: Hint, text: str | None) -> None:
    text = text or "Annotated[int, positive, x]"
    assert hint.text == text
    assert repr(hint) == f"<Hint {text}>"


def test_local_classes_and_members_are_written_by_their_names() -> None:
    class Local:
        class Inner:
            pass

    class Colour(enum.Enum):
        RED = 1

    assert Hint.instance(Local.Inner).text == "Local.Inner"
    assert Hint.literal(Colour.RED).text == "Literal[Colour.RED]"


def test_a_hint_tells_what_it_is_made_of() -> None:
    hint = Hint.mapping(dict, STR, INT)
    assert (hint.kind, hint.cls, hint.parts) == ("mapping", dict, (STR, INT))
    assert Hint.literal(3).parts == (3,)
    assert Hint.where(INT, positive).predicate is positive
    assert (INT.parts, INT.predicate) == ((), None)


def test_nothing_of_a_hint_can_be_changed() -> None:
    for name in ("text", "kind", "cls", "items", "predicate", "other"):
        with pytest.raises(AttributeError):
            setattr(INT, name, 1)
    with pytest.raises(TypeError):
        Hint()
    with pytest.raises(TypeError):
        type("Sub", (Hint,), {})


# -------------------------------------------------------------------------- lifetime


def test_a_hint_dies_with_its_last_user() -> None:
    class Local:
        pass

    hint = Hint.items(list, Hint.instance(Local))
    gone = [weakref.ref(hint), weakref.ref(hint.parts[0]), weakref.ref(Local)]
    del hint, Local
    gc.collect()
    assert [ref() for ref in gone] == [None, None, None]


def test_a_class_that_holds_its_own_hint_is_collected() -> None:
    class Local:
        pass

    Local.hint = Hint.fixed(tuple, Hint.instance(Local))  # type: ignore[attr-defined]
    gone = weakref.ref(Local)
    del Local
    gc.collect()
    assert gone() is None


def test_a_predicate_that_holds_its_own_hint_is_collected() -> None:
    def cycle() -> weakref.ref[Hint]:
        def predicate(value: object) -> bool:
            return hint is not None

        hint = Hint.where(INT, predicate)
        return weakref.ref(hint)

    gone = cycle()
    gc.collect()
    assert gone() is None


def test_many_hints_come_and_go() -> None:
    kept = [Hint.literal(i) for i in range(5000)]
    assert [Hint.literal(i) for i in range(5000)] == kept
    ids = {id(hint) for hint in kept}
    assert len(ids) == 5000
    del kept[::2]
    assert id(Hint.literal(1)) in ids
    assert Hint.literal(0).check(0)


def test_equality_of_a_literal_may_make_hints_itself() -> None:
    class Meddler:
        def __init__(self, name: str) -> None:
            self.name = name

        def __hash__(self) -> int:
            return 7

        def __eq__(self, other: object) -> bool:
            made.append(Hint.literal(len(made) + 1000))
            return isinstance(other, Meddler) and self.name == other.name

    made: list[Hint] = []
    one = Hint.literal(Meddler("a"))
    with pytest.raises(RuntimeError, match="made new hints"):
        Hint.literal(Meddler("b"))
    made.append(one)
    assert Hint.literal(Meddler("a")) is one


def test_deep_hints_are_freed_without_recursion() -> None:
    hint = INT
    for _ in range(3000):
        hint = Hint.items(list, hint)
    del hint
    assert Hint.items(list, INT).check([1])


def test_hints_too_deep_to_compare_are_an_error() -> None:
    hint, other = INT, ANY
    for _ in range(15 * sys.getrecursionlimit()):
        hint, other = Hint.fixed(list, hint), Hint.fixed(list, other)
    value: list[Any] = []
    value.append(value)
    for ask in (
        lambda: hint.check(value),
        lambda: hint.implies(other),
        lambda: hint.disjoint(other),
    ):
        with pytest.raises(RecursionError):
            ask()


# --------------------------------------------------------------------------- checking


def test_a_list_that_contains_itself_is_checked_as_deep_as_the_hint() -> None:
    value: list[Any] = []
    value.append(value)
    deep = Hint.instance(list)
    for _ in range(50):
        deep = Hint.items(list, deep)
    assert deep.check(value)
    assert not Hint.items(list, Hint.items(list, INT)).check(value)


def test_literals_are_equal_and_of_the_same_type() -> None:
    assert Hint.literal(1).check(1)
    assert not Hint.literal(1).check(True)
    assert not Hint.literal(1).check(1.0)
    assert not Hint.literal(True).check(1)
    assert Hint.literal(1 << 70).check((1 << 69) * 2)
    assert Hint.literal("ab").check("".join(["a", "b"]))
    assert not Hint.literal("a").check(b"a")
    assert Hint.literal(b"ab").check(bytes([97, 98]))
    assert Hint.literal("a", None).check(None)
    assert Hint.literal((1, 2)).check(tuple([1, 2]))

    class Text(str):
        pass

    assert not Hint.literal("a").check(Text("a"))


def test_members_of_an_enumeration_are_themselves_only() -> None:
    class Same(enum.Enum):
        A = 1
        B = 2

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 1

    class Number(enum.IntEnum):
        ONE = 1

    assert Hint.literal(Same.A).check(Same.A)
    assert not Hint.literal(Same.A).check(Same.B)
    assert Hint.literal(Number.ONE).check(Number.ONE)
    assert not Hint.literal(Number.ONE).check(1)
    assert not Hint.literal(1).check(Number.ONE)


@pytest.mark.parametrize(
    ("cls", "good", "bad"),
    [
        (list, [1, 2, True], [1, "2"]),
        (tuple, (1, 2), (1, 2, None)),
        (set, {1, 2}, {1, "2"}),
        (frozenset, frozenset([1]), frozenset("a")),
        (deque, deque([1, 2]), deque([1, "a"])),
        (collections_abc.Sequence, UserList([1, 2]), UserList([1, ""])),
        (collections_abc.Collection, {1: "a"}, {"a": 1}),
        (collections_abc.Sequence, range(3), "abc"),
    ],
)
def test_every_element_is_looked_at(cls: type, good: Any, bad: Any) -> None:
    hint = Hint.items(cls, INT)
    assert hint.check(good)
    assert not hint.check(bad)
    assert not hint.check(3)
    wider = Hint.items(cls, Hint.where(INT, lambda value: value >= 0))
    assert wider.check(good)
    assert not wider.check(bad)


def test_the_class_of_a_container_matters() -> None:
    assert not Hint.items(list, INT).check((1,))
    assert not Hint.items(set, INT).check(frozenset([1]))
    assert not Hint.mapping(defaultdict, STR, INT).check({})


def test_a_subclass_that_iterates_otherwise_is_iterated() -> None:
    class Texts(list):  # type: ignore[type-arg]
        def __iter__(self) -> Any:
            return (str(each) for each in list.__iter__(self))

    assert Hint.items(list, STR).check(Texts([1, 2]))
    assert not Hint.items(list, INT).check(Texts([1, 2]))
    assert Hint.fixed(list, STR, STR).check(Texts([1, 2]))


@pytest.mark.parametrize("make", [dict, OrderedDict, UserDict])
def test_keys_and_values_of_mappings_are_looked_at(make: Any) -> None:
    hint = Hint.mapping(make, STR, INT)
    assert hint.check(make())
    assert hint.check(make({"a": 1, "b": True}))
    assert not hint.check(make({"a": 1, "b": None}))
    assert not hint.check(make({1: 1}))


def test_a_fixed_tuple_has_that_length() -> None:
    hint = Hint.fixed(tuple, INT, STR)
    assert hint.check((1, "a"))
    assert not any(map(hint.check, [(1,), (1, "a", 2), ("a", 1), [1, "a"], ()]))
    assert Hint.fixed(tuple).check(())
    assert not Hint.fixed(tuple).check((1,))
    pair = Hint.fixed(collections_abc.Sequence, INT, STR)
    assert pair.check(UserList([1, "a"]))
    assert not pair.check(UserList([1]))
    assert not pair.check(UserList([1, "a", 1]))

    class Point(typing.NamedTuple):
        x: int
        y: str

    assert hint.check(Point(1, "a"))


def test_classes_are_asked_about_their_instances() -> None:
    assert Hint.subclass(INT).check(bool)
    assert not Hint.subclass(INT).check(str)
    assert not Hint.subclass(INT).check(3)
    assert Hint.subclass(Hint.union(STR, INT)).check(bool)
    assert Hint.subclass(Hint.instance(collections_abc.Sized)).check(list)
    assert not Hint.subclass(Hint.instance(collections_abc.Sized)).check(int)


def test_a_predicate_is_asked_last() -> None:
    hint = Hint.where(INT, positive)
    assert hint.check(1)
    assert not hint.check(-1)
    assert not hint.check("a")  # comparing it would have raised
    assert Hint.opaque(INT, even, "Even").check(2)
    assert not Hint.opaque(INT, even, "Even").check(3)


@runtime_checkable
class Closes(Protocol):
    def close(self) -> None: ...


@runtime_checkable
class Named(Protocol):
    name: str


class File:
    name = "x"

    def close(self) -> None:
        pass


class OddMeta(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, int) and value % 2 == 1


class Odd(metaclass=OddMeta):
    pass


def test_abstract_classes_and_protocols_decide_as_in_python() -> None:
    assert Hint.instance(collections_abc.Sequence).check([])
    assert not Hint.instance(collections_abc.Sequence).check({})
    assert Hint.instance(Closes).check(File())
    assert not Hint.instance(Closes).check(1)
    assert Hint.instance(Named).check(File())
    assert not Hint.instance(Named).check(1)
    assert Hint.instance(Odd).check(3)
    assert not Hint.instance(Odd).check(2)


def test_what_the_users_code_raises_comes_out() -> None:
    class Wrong(Exception):
        pass

    def wrong(*_: object) -> Any:
        raise Wrong

    class Meta(type):
        __instancecheck__ = wrong

    class Asked(metaclass=Meta):
        pass

    class Value:
        __eq__ = wrong

        def __hash__(self) -> int:
            return 1

    class Endless(list):  # type: ignore[type-arg]
        __iter__ = wrong

    class Half(list):  # type: ignore[type-arg]
        def __iter__(self) -> Any:
            yield 1
            raise Wrong

    class NoBool:
        __bool__ = wrong

    failing = Hint.where(INT, wrong, "wrong")
    checks = [
        (failing, 1),
        (Hint.where(INT, lambda _: NoBool(), "x"), 1),
        (Hint.items(list, failing), [1]),
        (Hint.items(tuple, failing), (1,)),
        (Hint.items(set, failing), {1}),
        (Hint.mapping(dict, failing, ANY), {1: 1}),
        (Hint.mapping(dict, ANY, failing), {1: 1}),
        (Hint.mapping(OrderedDict, ANY, failing), OrderedDict({1: 1})),
        (Hint.fixed(tuple, failing), (1,)),
        (Hint.union(STR, failing), 1),
        (Hint.instance(Asked), 1),
        (Hint.items(list, Hint.instance(Asked)), [1]),
        (Hint.literal(Value()), Value()),
        (Hint.items(list, INT), Endless()),
        (Hint.items(list, INT), Half()),
        (Hint.fixed(list, INT), Half()),
    ]
    for hint, value in checks:
        with pytest.raises(Wrong):
            hint.check(value)
    with pytest.raises(Wrong):
        Hint.literal(1).implies(failing)
    with pytest.raises(Wrong):
        failing.disjoint(Hint.literal(1))
    with pytest.raises(Wrong):
        Hint.literal(Value(), Value())


def test_containers_may_change_while_they_are_checked() -> None:
    values = list(range(100))
    shrinking = Hint.where(INT, lambda _: values.clear() or True, "shrinks")
    assert Hint.items(list, shrinking).check(values)
    assert values == []

    table = {str(i): i for i in range(10)}
    growing = Hint.where(INT, lambda i: table.update({f"x{i}": i}) or True, "grows")
    with pytest.raises(RuntimeError, match="changed size"):
        Hint.mapping(dict, STR, growing).check(table)

    several = {1, 2, 3}
    with pytest.raises(RuntimeError, match="changed size"):
        Hint.items(set, Hint.where(INT, lambda _: not several.clear())).check(several)

    held: list[Any] = [object() for _ in range(20)]
    Hint.items(list, Hint.where(ANY, lambda _: held.__setitem__(0, 1) or True)).check(
        held
    )


# ------------------------------------------------------------------- constructor calls


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: Hint.instance(3), r"Hint.instance\(\) takes a class, not 3"),
        (lambda: Hint.items(int), r"Hint.items\(\) takes 2 arguments, 1 given"),
        (lambda: Hint.items(list, int), r"takes a Hint, not <class 'int'>"),
        (lambda: Hint.items(INT, INT), r"takes a class, not <Hint int>"),
        (lambda: Hint.union(), r"Hint.union\(\) takes 1"),
        (lambda: Hint.union(int, str), r"takes a Hint"),
        (lambda: Hint.literal(), r"Hint.literal\(\) takes 1"),
        (lambda: Hint.literal([]), r"unhashable"),
        (lambda: Hint.mapping(dict, STR), r"takes 3 arguments, 2 given"),
        (lambda: Hint.fixed(tuple, int), r"takes a Hint"),
        (lambda: Hint.subclass(int), r"takes a Hint"),
        (lambda: Hint.subclass(Hint.items(list, INT)), r"not list\[int\]"),
        (lambda: Hint.where(INT, 3), r"a callable of one value, not 3"),
        (lambda: Hint.where(INT), r"takes 2 to 3 arguments, 1 given"),
        (lambda: Hint.where(INT, positive, 3), r"takes a str as its text, not 3"),
        (lambda: Hint.opaque(INT, positive, 3), r"takes a str as its text, not 3"),
        (lambda: INT.implies(int), r"Hint.implies\(\) takes a Hint"),
        (lambda: INT.disjoint(None), r"Hint.disjoint\(\) takes a Hint"),
    ],
)
def test_wrong_arguments_are_named(call: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        call()


# --------------------------------------------------------------------------- relations


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (BOOL, INT),
        (INT, Hint.union(INT, STR)),
        (Hint.union(BOOL, NONE), Hint.union(INT, NONE, STR)),
        (Hint.literal(1), INT),
        (Hint.literal(1), Hint.literal(1, 2)),
        (Hint.literal(1, "a"), Hint.union(INT, STR)),
        (Hint.literal((1, 2)), Hint.items(tuple, INT)),
        (Hint.literal(2), Hint.where(INT, even)),
        (Hint.items(list, BOOL), Hint.items(list, INT)),
        (Hint.items(list, INT), Hint.instance(list)),
        (Hint.items(list, INT), Hint.items(collections_abc.Sequence, INT)),
        (Hint.items(list, INT), Hint.instance(collections_abc.Sized)),
        (Hint.fixed(tuple, BOOL, INT), Hint.items(tuple, INT)),
        (Hint.fixed(tuple), Hint.items(tuple, STR)),
        (Hint.fixed(tuple, BOOL, STR), Hint.fixed(tuple, INT, STR)),
        (Hint.mapping(dict, STR, BOOL), Hint.mapping(dict, STR, INT)),
        (Hint.mapping(dict, STR, BOOL), Hint.items(collections_abc.Collection, STR)),
        (Hint.subclass(BOOL), Hint.subclass(INT)),
        (Hint.subclass(BOOL), Hint.instance(type)),
        (Hint.where(INT, even), INT),
        (Hint.where(BOOL, even), Hint.where(INT, even)),
        (Hint.where(Hint.where(INT, even), positive), Hint.where(INT, positive)),
        (Hint.where(Hint.where(INT, even), positive), Hint.where(INT, even)),
        (Hint.where(Hint.union(INT, STR), bool), Hint.union(INT, STR, NONE)),
        (Hint.opaque(INT, even, "Even"), INT),
        (Hint.instance(File), Hint.instance(Closes)),
        (Hint.fixed(dict), Hint.mapping(dict, STR, INT)),
        (INT, ANY),
    ],
)
def test_the_narrower_implies_the_wider_and_not_the_reverse(
    narrow: Hint, wide: Hint
) -> None:
    assert narrow.implies(wide)
    assert not wide.implies(narrow)
    assert narrow.implies(narrow)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Hint.items(list, INT), Hint.items(list, STR)),
        (Hint.items(list, INT), Hint.items(set, INT)),
        (Hint.where(INT, even), Hint.where(INT, positive)),
        (Hint.opaque(INT, even, "a"), Hint.opaque(INT, positive, "b")),
        (Hint.opaque(INT, even, "a"), Hint.where(INT, even)),
        (Hint.fixed(tuple, INT), Hint.fixed(tuple, INT, INT)),
        (INT, STR),
        (INT, Hint.instance(Named)),
    ],
)
def test_the_others_imply_neither(one: Hint, other: Hint) -> None:
    assert not one.implies(other)
    assert not other.implies(one)


class Plain:
    pass


class Other:
    pass


class Colour(enum.Enum):
    RED = 1


class Shape(enum.Enum):
    ROUND = 1


class Empty(enum.Enum):
    pass


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (INT, STR),
        (Hint.instance(list), Hint.instance(dict)),
        (Hint.instance(OSError), Hint.instance(ImportError)),
        (NONE, INT),
        (NONE, Hint.instance(Plain)),
        (NONE, Hint.instance(collections_abc.Sized)),
        (BOOL, Hint.instance(Plain)),
        (Hint.instance(Colour), Hint.instance(Shape)),
        (Hint.literal(1), Hint.literal(2)),
        (Hint.literal(1), Hint.literal(True)),
        (Hint.literal(1), STR),
        (Hint.literal(1, "a"), NONE),
        (Hint.items(list, INT), Hint.items(tuple, INT)),
        (Hint.fixed(tuple, INT), Hint.fixed(tuple, INT, INT)),
        (Hint.fixed(tuple, INT), Hint.fixed(tuple, STR)),
        (Hint.fixed(tuple, INT), Hint.items(tuple, STR)),
        (Hint.fixed(tuple, INT), Hint.fixed(collections_abc.Sequence)),
        (Hint.union(INT, NONE), STR),
        (Hint.where(INT, even), Hint.where(STR, even)),
        (Hint.where(INT, even), Hint.literal(3)),
        (Hint.subclass(INT), Hint.subclass(STR)),
        (Hint.subclass(INT), INT),
    ],
)
def test_what_certainly_shares_no_value_is_disjoint(one: Hint, other: Hint) -> None:
    assert one.disjoint(other)
    assert other.disjoint(one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ANY, NONE),
        (INT, INT),
        (INT, BOOL),
        (Hint.instance(Plain), Hint.instance(Other)),
        (Hint.instance(Plain), Hint.instance(list)),
        (Hint.instance(Empty), Hint.instance(Plain)),
        (Hint.instance(ValueError), Hint.instance(KeyError)),
        (INT, Hint.instance(collections_abc.Sized)),
        (Hint.items(list, INT), Hint.items(list, STR)),
        (Hint.fixed(tuple), Hint.items(tuple, STR)),
        (Hint.mapping(dict, STR, INT), Hint.mapping(dict, INT, INT)),
        (Hint.where(INT, even), Hint.where(INT, positive)),
        (Hint.literal(1, 2), Hint.literal(2, 3)),
        (Hint.union(INT, STR), Hint.union(NONE, STR)),
        (Hint.instance(Odd), STR),
        (Hint.subclass(Hint.instance(Plain)), Hint.subclass(Hint.instance(Other))),
    ],
)
def test_what_may_share_a_value_is_not(one: Hint, other: Hint) -> None:
    assert not one.disjoint(other)
    assert not other.disjoint(one)


def test_long_chains_of_predicates_are_compared_quickly() -> None:
    one, other = INT, STR
    for i in range(40):
        predicate = [i].count
        one, other = Hint.where(one, predicate), Hint.where(other, predicate)
    assert not one.implies(other)
    assert one.disjoint(other)
    assert not one.implies(Hint.where(Hint.literal(1), bool))


# ------------------------------------------------------------------------------- split


def is_class_part(hint: Hint) -> bool:
    return hint.split() == ((hint, None),)


def test_a_type_decides_classes_their_unions_and_any() -> None:
    for hint in (ANY, INT, Hint.union(INT, STR, NONE), Hint.instance(Closes)):
        assert is_class_part(hint)
    assert is_class_part(Hint.instance(collections_abc.Sequence))


@pytest.mark.parametrize(
    ("hint", "bases"),
    [
        (Hint.literal(1), [INT]),
        (Hint.literal("a", 1, "b"), [STR, INT]),
        (Hint.literal(Colour.RED), [Hint.instance(Colour)]),
        (Hint.items(list, INT), [Hint.instance(list)]),
        (Hint.mapping(dict, STR, INT), [Hint.instance(dict)]),
        (Hint.fixed(tuple, INT), [Hint.instance(tuple)]),
        (Hint.subclass(INT), [Hint.instance(type)]),
        (Hint.where(INT, even), [INT]),
        (Hint.where(ANY, even), [ANY]),
        (Hint.opaque(INT, even, "x"), [INT]),
        (Hint.where(Hint.union(INT, STR), even), [Hint.union(INT, STR)]),
        (Hint.instance(Named), [ANY]),
        (Hint.instance(Odd), [ANY]),
    ],
)
def test_a_value_part_stands_on_its_class(hint: Hint, bases: list[Hint]) -> None:
    assert [base for base, _ in hint.split()] == bases
    if len(bases) == 1:
        assert hint.split()[0][1] is hint


def test_each_type_of_a_literal_is_an_alternative() -> None:
    assert Hint.literal("a", 1, "b").split() == (
        (STR, Hint.literal("a", "b")),
        (INT, Hint.literal(1)),
    )


def test_the_classes_of_a_union_are_one_alternative() -> None:
    ints = Hint.items(list, INT)
    hint = Hint.union(STR, Hint.literal(1), NONE, ints)
    assert hint.split() == (
        (Hint.union(STR, NONE), None),
        (INT, Hint.literal(1)),
        (Hint.instance(list), ints),
    )


def test_a_predicate_goes_to_each_alternative() -> None:
    ints = Hint.items(list, INT)
    hint = Hint.where(Hint.union(STR, ints), bool)
    assert hint.split() == (
        (STR, Hint.where(STR, bool)),
        (Hint.instance(list), Hint.where(ints, bool)),
    )


# ---------------------------------------------------------- against a model, at random


class A:
    def __repr__(self) -> str:
        return type(self).__name__ + "()"


class B(A):
    pass


class C(A):
    pass


class D(B, C):
    pass


class Registered(ABC):  # noqa: B024 (classes are registered to it)
    pass


Registered.register(B)


def is_small(value: Any) -> bool:
    return len(repr(value)) < 6


def is_odd_sized(value: Any) -> bool:
    return len(repr(value)) % 2 == 1


INSTANCES = [A(), B(), C(), D()]
CLASSES = [object, int, bool, str, type(None), list, tuple, A, B, C, D, Registered]
CLASSES += [dict, collections_abc.Sequence, collections_abc.Sized]

# A model is a tuple of the constructor's name and its arguments.
Model = tuple[Any, ...]


def make(model: Model) -> Hint:
    name, *rest = model
    return getattr(Hint, name)(
        *[make(each) if isinstance(each, tuple) else each for each in rest]
    )


def accepts(model: Model, value: Any) -> bool:
    name, *rest = model
    if name == "any":
        return True
    if name == "instance":
        return isinstance(value, rest[0])
    if name == "union":
        return any(accepts(each, value) for each in rest)
    if name == "literal":
        return any(type(value) is type(each) and value == each for each in rest)
    if name == "subclass":
        kinds = rest[0][1:] if rest[0][0] == "union" else rest
        return isinstance(value, type) and any(
            kind[0] == "any" or issubclass(value, kind[1]) for kind in kinds
        )
    if name in ("where", "opaque"):
        return accepts(rest[0], value) and rest[1](value)
    if not isinstance(value, rest[0]):
        return False
    parts = rest[1:]
    if name == "items":
        return all(accepts(parts[0], each) for each in value)
    if name == "mapping":
        return all(
            accepts(parts[0], key) and accepts(parts[1], each)
            for key, each in value.items()
        )
    return len(value) == len(parts) and all(map(accepts, parts, value))


def instances() -> st.SearchStrategy[Model]:
    return st.tuples(st.just("instance"), st.sampled_from(CLASSES))


def containers(inner: st.SearchStrategy[Model]) -> st.SearchStrategy[Model]:
    just = st.just
    sequences = st.sampled_from([list, tuple, collections_abc.Sequence])
    predicates = st.sampled_from([is_small, is_odd_sized])
    several = st.lists(inner, min_size=1, max_size=3)
    few = st.lists(inner, max_size=3)
    return st.one_of(
        several.map(lambda all_: ("union", *all_)),
        st.tuples(just("items"), sequences, inner),
        st.tuples(just("mapping"), just(dict), inner, inner),
        st.tuples(sequences, few).map(lambda pair: ("fixed", pair[0], *pair[1])),
        st.tuples(just("where"), inner, predicates),
        st.tuples(just("opaque"), inner, predicates, just("x")),
        st.tuples(just("subclass"), instances()),
    )


SCALARS = st.sampled_from([0, 1, 2, True, False, "", "a", "bb", None])
LITERALS = st.lists(SCALARS, min_size=1, max_size=3).map(lambda v: ("literal", *v))
MODELS = st.recursive(
    st.one_of(st.just(("any",)), instances(), instances(), LITERALS),
    containers,
    max_leaves=5,
)
VALUES = st.recursive(
    st.one_of(SCALARS, st.sampled_from(INSTANCES), st.sampled_from(CLASSES)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(SCALARS, inner, max_size=3),
    ),
    max_leaves=5,
)


@settings(max_examples=400, deadline=None)
@given(MODELS, VALUES)
def test_check_is_what_the_model_says(model: Model, value: Any) -> None:
    assert make(model).check(value) == accepts(model, value)


@settings(max_examples=400, deadline=None)
@given(MODELS, VALUES)
def test_the_alternatives_together_are_the_hint(model: Model, value: Any) -> None:
    hint = make(model)
    alternatives = hint.split()
    assert all(is_class_part(base) for base, _ in alternatives)
    assert all(
        part is None or part.implies(base) or base.check(value) or not part.check(value)
        for base, part in alternatives
    )
    found = [(part or base).check(value) for base, part in alternatives]
    assert any(found) == hint.check(value)


@settings(max_examples=400, deadline=None)
@example(
    ("where", ("any",), is_odd_sized), ("where", ("literal", True), is_small), True
)
@given(MODELS, MODELS, VALUES)
def test_implied_and_disjoint_hints_keep_their_word(
    one: Model, other: Model, value: Any
) -> None:
    a, b = make(one), make(other)
    if a.implies(b):
        assert accepts(other, value) or not accepts(one, value)
    if a.disjoint(b):
        assert not (accepts(one, value) and accepts(other, value))
    assert a.disjoint(b) == b.disjoint(a)


@settings(max_examples=400, deadline=None)
@given(MODELS, st.lists(SCALARS, min_size=1, max_size=3), VALUES)
def test_what_is_narrowed_implies_what_it_was(
    model: Model, values: list[Any], value: Any
) -> None:
    """Pairs that are related, which two random hints rarely are."""
    hint = make(model)
    narrower = [
        Hint.where(hint, is_small),
        Hint.opaque(hint, is_small, "x"),
        Hint.where(Hint.where(hint, is_odd_sized), is_small),
    ]
    for each in narrower:
        assert each.implies(hint)
    assert hint.implies(Hint.union(hint, Hint.literal(*values)))
    assert Hint.items(list, hint).implies(Hint.items(collections_abc.Sequence, hint))
    assert Hint.fixed(tuple, hint, hint).implies(Hint.items(tuple, hint))
    if None not in values:  # that is its class, not a literal
        assert Hint.literal(*values).implies(hint) == all(map(hint.check, values))


def has_predicate(model: Model) -> bool:
    return model[0] in ("where", "opaque") or any(
        isinstance(each, tuple) and has_predicate(each) for each in model[1:]
    )


@settings(max_examples=400, deadline=None)
@given(MODELS, MODELS, MODELS)
def test_implication_is_a_partial_order(one: Model, two: Model, three: Model) -> None:
    a, b, c = make(one), make(two), make(three)
    assert a.implies(a)
    # Unions keep a literal beside a predicate that its value passes.
    if a is not b and not (has_predicate(one) or has_predicate(two)):
        assert not (a.implies(b) and b.implies(a))
    for x, y, z in ((a, b, c), (a, b, Hint.union(b, c)), (a, Hint.union(a, b), c)):
        if x.implies(y) and y.implies(z):
            assert x.implies(z)


@settings(max_examples=300, deadline=None)
@given(MODELS, MODELS)
def test_hints_of_the_same_model_are_one(one: Model, other: Model) -> None:
    a, b = make(one), make(other)
    assert make(one) is a
    assert pickle.loads(pickle.dumps(a)) is a
    assert (a is b) == (a == b)
    if not (has_predicate(one) or has_predicate(other)):
        assert Hint.union(a, b) is Hint.union(b, a)
