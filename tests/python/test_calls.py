"""Ways to call: positions, descriptors, wrong numbers of arguments."""

import collections
import dataclasses
import enum
import functools
import gc
import inspect
import itertools
import math
import operator
import random
import sys
from collections.abc import Iterator
from types import GeneratorType
from typing import Any, ClassVar, NamedTuple

import pytest

from latebind import GenericFunction, NoMethodError, dispatch, generic


class Plain:
    @dispatch
    def m(self, x: int) -> Any:
        return (self, "int", x)

    @dispatch
    def m(self, x: str) -> Any:
        return (self, "str", x)


def test_a_method_is_called_on_an_object() -> None:
    o = Plain()
    assert o.m(1) == (o, "int", 1)
    assert o.m("a") == (o, "str", "a")


def test_a_method_is_called_on_its_class() -> None:
    o = Plain()
    assert Plain.m(o, 1) == (o, "int", 1)
    assert Plain.m is Plain.__dict__["m"]


def test_a_bound_method_is_one_like_any_other() -> None:
    o = Plain()
    bound = o.m
    assert bound("a") == (o, "str", "a")
    assert bound.__self__ is o
    assert bound.__func__ is Plain.m
    assert bound == o.m and hash(bound) == hash(o.m)
    assert inspect.ismethod(bound)
    assert list(inspect.signature(bound).parameters) == ["x"]


def test_a_bound_method_called_in_a_loop_and_by_tools() -> None:
    o = Plain()
    assert [one[1] for one in map(o.m, [1, "a", 2])] == ["int", "str", "int"]
    assert functools.partial(o.m, 3)() == (o, "int", 3)
    assert operator.methodcaller("m", "z")(o) == (o, "str", "z")


def test_a_class_method_outside() -> None:
    class C:
        @classmethod
        @dispatch
        def make(cls, x: int) -> Any:
            return (cls, "int")

        @classmethod
        @dispatch
        def make(cls, x: str) -> Any:
            return (cls, "str")

    class D(C): ...

    assert C.make(1) == (C, "int")
    assert D.make("a") == (D, "str")
    assert D().make(1) == (D, "int")


def test_a_class_method_inside() -> None:
    class C:
        @dispatch
        @classmethod
        def make(cls, x: int) -> Any:
            return (cls, "int")

        @dispatch
        @classmethod
        def make(cls, x: str) -> Any:
            return (cls, "str")

    class D(C): ...

    assert C.make(1) == (C, "int")
    assert D.make("a") == (D, "str")
    assert D().make(1) == (D, "int")


def test_a_static_method_outside() -> None:
    class C:
        @staticmethod
        @dispatch
        def make(x: int) -> str:
            return "int"

        @staticmethod
        @dispatch
        def make(x: str) -> str:
            return "str"

    assert (C.make(1), C.make("a"), C().make(1)) == ("int", "str", "int")


def test_a_static_method_inside() -> None:
    class C:
        @dispatch
        @staticmethod
        def make(x: int) -> str:
            return "int"

        @dispatch
        @staticmethod
        def make(x: str) -> str:
            return "str"

    assert (C.make(1), C.make("a"), C().make(1)) == ("int", "str", "int")


def test_a_property_may_stand_on_a_generic_function() -> None:
    class Base: ...

    class Special(Base): ...

    @dispatch
    def kind(self: Base) -> str:
        return "base"

    @dispatch
    def kind(self: Special) -> str:
        return "special"

    Base.kind = property(kind)
    assert (Base().kind, Special().kind) == ("base", "special")


def test_a_function_put_into_a_class_later_binds() -> None:
    @dispatch
    def m(self: object, x: int) -> Any:
        return (self, x)

    class C: ...

    C.m = m
    o = C()
    assert o.m(1) == (o, 1)
    o.own = m
    assert o.own(o, 2) == (o, 2)


def test_a_partial_method_passes_its_arguments_on() -> None:
    class C:
        @dispatch
        def m(self, x: int, y: str) -> str:
            return "int, str"

        @dispatch
        def m(self, x: int, y: int) -> str:
            return "int, int"

        one = functools.partialmethod(m, 1)

    assert (C().one("a"), C().one(2)) == ("int, str", "int, int")


def test_special_methods_are_found_by_the_operators() -> None:
    class Number:
        def __init__(self, value: int) -> None:
            self.value = value

        @dispatch
        def __add__(self, other: int) -> Any:
            return self.value + other

        @dispatch
        def __add__(self, other: object) -> Any:
            return NotImplemented

        @dispatch
        def __getitem__(self, key: int) -> str:
            return "index"

        @dispatch
        def __getitem__(self, key: slice) -> str:
            return "slice"

        @dispatch
        def __call__(self, x: int) -> str:
            return "called"

        @dispatch
        def __len__(self) -> int:
            return self.value

    n = Number(3)
    assert n + 4 == 7
    with pytest.raises(TypeError, match="unsupported operand"):
        n + "a"
    assert (n[1], n[1:2], n(1), len(n)) == ("index", "slice", "called", 3)


def test_several_constructors() -> None:
    class Point:
        @dispatch
        def __init__(self, x: int, y: int) -> None:
            self.at = (x, y)

        @dispatch
        def __init__(self, text: str) -> None:
            self.__init__(*map(int, text.split(",")))

        @dispatch
        def __init__(self, *, origin: bool) -> None:
            self.at = (0, 0)

    assert Point(1, 2).at == Point("1,2").at == (1, 2)
    assert Point(origin=True).at == (0, 0)
    with pytest.raises(NoMethodError):
        Point(1.5)


def test_a_metaclass_may_have_generic_methods() -> None:
    class Meta(type):
        @dispatch
        def make(cls, x: int) -> Any:
            return (cls, x)

    class C(metaclass=Meta): ...

    assert C.make(1) == (C, 1)


@pytest.mark.parametrize("slots", [False, True])
def test_a_data_class_keeps_its_generic_methods(slots: bool) -> None:
    class Base:
        __slots__ = ()

        def m(self, x: Any) -> str:
            return "base"

    @dataclasses.dataclass(slots=slots)
    class Data(Base):
        size: int
        count: ClassVar[int] = 0

        @dispatch
        def m(self, x: int) -> Any:
            return self.size + x

    assert Data(3).m(4) == 7
    assert Data(3).m("a") == "base"
    assert [one.name for one in dataclasses.fields(Data)] == ["size"]


def test_enumerations_and_named_tuples_may_have_generic_methods() -> None:
    class Colour(enum.Enum):
        RED = 1

        @dispatch
        def mixed(self, other: int) -> str:
            return "int"

        @dispatch
        def mixed(self, other: str) -> str:
            return "str"

    class Pair(NamedTuple):
        left: int

        @dispatch
        def plus(self, other: int) -> int:
            return self.left + other

    assert list(Colour) == [Colour.RED]
    assert Colour.RED.mixed("a") == "str"
    assert Pair(1).plus(2) == 3


def test_no_argument_at_all() -> None:
    @dispatch
    def f() -> str:
        return "none"

    @dispatch
    def f(x: int) -> str:
        return "one"

    assert (f(), f(1)) == ("none", "one")
    assert f(*()) == f(**{}) == "none"


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 17, 20, 40])
def test_any_number_of_arguments_selects(count: int) -> None:
    names = [f"a{number}" for number in range(count)]
    space: dict[str, Any] = {}
    for hint in ("int", "str"):
        parameters = ", ".join([f"{name}: int" for name in names[:-1]] + [""])
        exec(
            f"def on_{hint}({parameters}{names[-1]}: {hint}):\n"
            f"    return {hint!r}, {names[0]}, {names[-1]}",
            space,
        )

    @generic
    def f(*args): ...

    f.register(space["on_int"])
    f.register(space["on_str"])
    args = list(range(count - 1))
    for _ in range(2):
        assert f(*args, 7) == ("int", (args + [7])[0], 7)
        assert f(*args, "a") == ("str", (args + ["a"])[0], "a")
        with pytest.raises(NoMethodError):
            f(*args, 1.5)
        with pytest.raises(NoMethodError):
            f(*args)
        if count > 1:
            with pytest.raises(NoMethodError):
                f("a", *args[1:], 7)


def test_many_variadic_arguments_are_all_checked() -> None:
    @dispatch
    def f(*numbers: int) -> int:
        return len(numbers)

    @dispatch
    def f(*any: object) -> str:
        return "any"

    for count in (1, 5, 9, 16, 100, 1000):
        assert f(*range(count)) == count
        assert f(*range(count), "a") == "any"
        assert f("a", *range(count)) == "any"


def test_fixed_before_optional_before_variadic_when_types_are_equal() -> None:
    @dispatch
    def f(*x: int) -> str:
        return "variadic"

    @dispatch
    def f(x: int, y: int = 0, z: int = 0) -> str:
        return "optional"

    @dispatch
    def f(x: int, y: int) -> str:
        return "fixed"

    assert f(1) == f(1, 2, 3) == "optional"
    assert f(1, 2) == "fixed"
    assert f() == f(1, 2, 3, 4) == "variadic"


def test_types_go_before_the_form_of_the_signature() -> None:
    @dispatch
    def f(x: object, y: object) -> str:
        return "fixed"

    @dispatch
    def f(*x: int) -> str:
        return "variadic"

    assert f(1, 2) == "variadic"
    assert f(1, "a") == "fixed"


def test_a_default_need_not_fit_its_hint() -> None:
    @dispatch
    def f(x: int = None, y: str = None) -> Any:
        return (x, y)

    assert f() == (None, None)
    assert f(1) == (1, None)
    with pytest.raises(NoMethodError):
        f(None)


@pytest.mark.parametrize("args", [(), (1, 2), (1, 2, 3)])
def test_a_wrong_number_of_arguments_is_said(args: tuple[int, ...]) -> None:
    @dispatch
    def only(x: int) -> None: ...

    with pytest.raises(NoMethodError, match="only"):
        only(*args)


def test_what_a_method_is_given_is_what_was_passed() -> None:
    @dispatch
    def f(x: object, *rest: object, key: object, **more: object) -> Any:
        return x, rest, key, more

    a, b, c, d = (object() for _ in range(4))
    x, rest, key, more = f(a, b, key=c, other=d)
    assert x is a and rest[0] is b and key is c and more["other"] is d


def test_subclasses_of_builtins_are_dispatched_as_such() -> None:
    class Int(int): ...

    class Str(str): ...

    @dispatch
    def f(x: int) -> str:
        return "int"

    @dispatch
    def f(x: Int) -> str:
        return "Int"

    @dispatch
    def f(x: str) -> str:
        return "str"

    assert [f(1), f(Int(1)), f(Str("a")), f(True)] == ["int", "Int", "str", "int"]


def test_classes_as_arguments() -> None:
    class Meta(type): ...

    class C(metaclass=Meta): ...

    class D(int): ...

    @dispatch
    def f(x: type) -> str:
        return "type"

    @dispatch
    def f(x: Meta) -> str:
        return "Meta"

    @dispatch
    def f(x: type[int]) -> str:
        return "type[int]"

    assert [f(str), f(C), f(int), f(D)] == ["type", "Meta", "type[int]", "type[int]"]


def test_an_object_that_lies_about_its_class_goes_by_its_type() -> None:
    class Liar:
        @property
        def __class__(self) -> type:  # type: ignore[override]
            return int

    @dispatch
    def f(x: int) -> str:
        return "int"

    @dispatch
    def f(x: object) -> str:
        return "object"

    assert isinstance(Liar(), int)
    assert f(Liar()) == "object"


def test_none_selects_as_its_own_type() -> None:
    @dispatch
    def f(x: None) -> str:
        return "none"

    @dispatch
    def f(x: int | None) -> str:
        return "int or none"

    assert (f(None), f(1)) == ("none", "int or none")


def test_two_thousand_methods_of_one_function() -> None:
    classes = [type(f"T{number}", (), {}) for number in range(2_000)]

    @generic
    def f(x): ...

    for number, cls in enumerate(classes):
        f.register(cls, lambda x, number=number: number)
    assert [f(cls()) for cls in classes] == list(range(2_000))


def test_a_call_holds_its_method_while_it_runs() -> None:
    @generic
    def f(x): ...

    def method(x: int) -> str:
        f.remove(f.resolve(int))
        nonlocal_name["method"] = None
        return sys._getframe().f_code.co_name

    nonlocal_name = {"method": method}
    f.register(method)
    del method
    assert f(1) == "method"
    with pytest.raises(NoMethodError):
        f(1)


def test_c_functions_of_every_convention_may_be_methods() -> None:
    """Some have no vectorcall, as those that take a tuple of arguments."""
    f = GenericFunction("f")
    f.add(max, int, int)
    f.add(math.hypot, float, float)
    f.add(math.log, int, float)
    f.add(operator.is_, str, str)
    f.add(str.upper, str)
    f.add(len, list)
    f.add(dict.fromkeys, tuple)
    for _ in range(3):
        assert f(2, 3) == 3
        assert f(3.0, 4.0) == 5.0
        assert f(8, 2.0) == 3.0
        assert f("a", "a") is True
        assert f("a") == "A"
        assert f([1, 2]) == 2
        assert f((1,)) == {1: None}


def test_a_c_function_lives_as_long_as_its_call() -> None:
    """Nothing but the call holds it, and with it its object, in the end."""

    class Last(collections.deque[int]):
        def __del__(self) -> None:
            ended.append(list(self))

    def numbers(*values: int, remove: bool = False) -> Iterator[int]:
        yield values[0]
        if remove:
            f.remove(f.methods[0])
            gc.collect()
        assert not ended
        yield from values[1:]

    ended: list[list[int]] = []
    f = GenericFunction("f")
    f.add(Last().extend, GeneratorType)
    for _ in range(3):
        f(numbers(1, 2))
    f(numbers(3, 4, remove=True))
    assert ended == [[1, 2, 1, 2, 1, 2, 3, 4]]


def test_every_pair_of_many_classes_is_told_from_the_others() -> None:
    """Also while classes are written to, and in any order of first calls."""
    classes = [type(f"T{number}", (), {}) for number in range(30)]
    pairs = list(itertools.product(range(30), repeat=2))
    random.Random(1).shuffle(pairs)

    @generic
    def f(x, y): ...

    for a, b in pairs:
        f.register(classes[a], classes[b], lambda x, y, pair=(a, b): pair)
    for number in range(4):
        for a, b in pairs[:: number + 1]:
            if (a + b) % 7 == number:
                classes[a].written = b
            assert f(classes[a](), classes[b]()) == (a, b)


def test_the_second_argument_alone_may_select() -> None:
    class Owner:
        @dispatch
        def m(self, x: int) -> str:
            return "int"

        @dispatch
        def m(self, x: str) -> str:
            return "str"

    o = Owner()
    for _ in range(3):
        assert (o.m(1), o.m("a"), Owner.m(o, 2)) == ("int", "str", "int")


def test_mapping_counts_its_calls_as_others() -> None:
    f = GenericFunction("f")
    f.add(lambda x: "int", int)
    assert f.map([1, 2]) == ["int", "int"]
    f.counting = True
    f.map([1, 2, 3])
    assert sum(f.counts.values()) == 3
