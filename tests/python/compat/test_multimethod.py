"""`latebind.compat.multimethod`: what programs that use multimethod rely on."""
# ruff: noqa: F811

import abc
import asyncio
import enum
import gc
import inspect
import sys
import threading
import weakref
from array import array
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from typing import Annotated, Any, Generic, Literal, NewType, TypeVar

import pytest

from latebind.compat.multimethod import (
    DispatchError,
    isa,
    multidispatch,
    multimeta,
    multimethod,
    overload,
    parametric,
    signature,
    subtype,
)

T = TypeVar("T")


class Animal:
    pass


class Cat(Animal):
    pass


class Dog(Animal):
    pass


class Both(Cat, Dog):
    pass


# --- choosing ---------------------------------------------------------------


def test_methods_are_chosen_by_all_positional_arguments():
    @multimethod
    def meet(a: Cat, b: Dog):
        return "cat, dog"

    @multimethod
    def meet(a: Animal, b: Animal):
        return "animals"

    assert meet(Cat(), Dog()) == "cat, dog"
    assert meet(Dog(), Cat()) == "animals"
    with pytest.raises(DispatchError, match="meet: 0 methods found"):
        meet(1, 2)


def test_a_hit_has_no_frame_between_the_caller_and_the_method():
    @multimethod
    def f(x: int):
        return sys._getframe(1).f_code

    class C:
        @multimethod
        def m(self, x: int):
            return sys._getframe(1).f_code

    here = sys._getframe().f_code
    f(1), C().m(1)
    assert f(1) is here
    assert C().m(1) is here


def test_two_bases_are_equally_specific():
    """The order of the bases counts in latebind, in multimethod it does not."""

    @multimethod
    def f(x: Cat):
        return "cat"

    @multimethod
    def f(x: Dog):
        return "dog"

    with pytest.raises(DispatchError, match="2 methods found") as caught:
        f(Both())
    assert caught.value.args[1:] == ((Both,), {(Cat,), (Dog,)})
    f[Both,] = f[Cat,]
    assert f(Both()) == "cat"


def test_equally_specific_keys_of_one_function_are_not_ambiguous():
    @multimethod
    def f(x, y):
        return "base"

    @f.register(Cat, Animal)
    @f.register(Animal, Cat)
    def _(x, y):
        return "a cat"

    assert f(Cat(), Cat()) == "a cat"
    assert f(Dog(), Dog()) == "base"


def test_elements_of_collections_choose():
    @multimethod
    def f(x: list[int]):
        return "ints"

    @multimethod
    def f(x: dict[str, int]):
        return "mapping"

    @multimethod
    def f(x: tuple[int, str]):
        return "pair"

    @multimethod
    def f(x: Sequence[Callable[[int], bool]]):
        return "tests"

    @multimethod
    def f(x):
        return "other"

    def is_even(x: int) -> bool:
        return x % 2 == 0

    assert f([1, 2]) == "ints"
    assert f([1, "a"]) == "other"  # the second element counts, too
    assert f({"a": 1}) == "mapping"
    assert f((1, "a")) == "pair"
    assert f((1, 2)) == "other"
    assert f([is_even]) == "tests"


def test_literals_and_enumerations_choose():
    Colour = enum.Enum("Colour", "RED GREEN")

    @multimethod
    def f(x: Literal["on", 1]):
        return "on"

    @multimethod
    def f(x: Colour):
        return "colour"

    @multimethod
    def f(x: type[Colour]):
        return "colours"

    @multimethod
    def f(x: object):
        return "other"

    found = [f(x) for x in ("on", 1, True, "off", Colour.RED, Colour, int)]
    assert found == ["on", "on", "other", "other", "colour", "colours", "other"]


def test_a_generic_class_of_ones_own_chooses_by_its_parameter():
    class Box(Generic[T]):
        pass

    @multimethod
    def f(x: Box):
        return "box"

    @multimethod
    def f(x: Box[int]):
        return "box of int"

    assert f(Box[int]()) == "box of int"
    assert f(Box[str]()) == f(Box()) == "box"


def test_a_class_can_be_named_in_its_own_body():
    globals()["Node"] = Node = type("Node", (), {})

    @multimethod
    def f(x: "Node"):
        return "node"

    @multimethod
    def f(x: "NotYet"):  # noqa: F821
        return "not yet"

    assert len(f.pending) == 1
    with pytest.raises(NameError):
        f(Node())
    globals()["NotYet"] = Cat
    try:
        assert (f(Node()), f(Cat())) == ("node", "not yet")
        assert not f.pending
    finally:
        del globals()["NotYet"], globals()["Node"]


# --- arguments --------------------------------------------------------------


def test_keywords_choose_nothing_and_arrive():
    @multimethod
    def f(x: int, *, unit="m"):
        return f"{x} {unit}"

    @multimethod
    def f(x: str, **options):
        return options

    assert f(1, unit="s") == "1 s"
    assert f("a", b=1) == {"b": 1}
    with pytest.raises(DispatchError):
        f(x=1)
    with pytest.raises(TypeError, match="unexpected keyword"):
        f(1, b=1)


def test_a_typed_argument_with_a_default_may_be_missing():
    @multimethod
    def f(x: int, y: float = 0.5):
        return x, y

    assert f(1) == (1, 0.5)
    assert f(1, 2.5) == f(1, y=2.5) == (1, 2.5)
    with pytest.raises(DispatchError, match="0 methods"):
        f(1, "a")


def test_an_exact_key_goes_before_one_with_a_default():
    @multimethod
    def f(x: int):
        return "one"

    @multimethod
    def f(x: int, y: str = ""):
        return "two"

    assert (f(1), f(1, "a")) == ("one", "two")


def test_missing_arguments_are_an_error_that_says_where_the_function_is():
    @multimethod
    def f(x: int, y):
        return x, y

    with pytest.raises(DispatchError, match="test_multimethod.py"):
        f(1)
    assert f(1, y=2) == f(1, 2) == (1, 2)


def test_an_error_inside_a_method_arrives_as_it_is():
    error = TypeError("of the method")

    @multimethod
    def f(x: int):
        raise error

    with pytest.raises(TypeError) as caught:
        f(1)
    assert caught.value is error


# --- definitions ------------------------------------------------------------


def test_another_object_of_the_name_is_shadowed():
    f = 1

    @multimethod
    def f(x: int):
        return "int"

    @multimethod
    def f(x: str):
        return "str"

    assert (f(1), f("a")) == ("int", "str")


def test_register_gives_the_function_back_under_another_name():
    @multimethod
    def f(x: int):
        return "int"

    @f.register
    def other(x: str):
        return "str"

    @f.register
    def f(x: bytes):
        return "bytes"

    assert inspect.isfunction(other) and isinstance(f, multimethod)
    assert (f(1), f("a"), f(b"")) == ("int", "str", "bytes")


def test_a_multimethod_is_a_mapping_of_signatures():
    @multimethod
    def f(x: int, y: str):
        return "int, str"

    @multimethod
    def f(x: object):
        return "object"

    assert set(f) == {(int, str), (object,)} and len(f) == 2
    assert f[int, str](None, None) == "int, str"
    assert f[bool, str] is f[int, str]  # resolved
    assert f.get((bool, str)) is None
    assert (int, str) in f and (str, int) not in f
    copy = f.copy()
    assert copy == f and copy is not f
    del f[int, str]
    assert copy != f
    with pytest.raises(DispatchError):
        f[int, int]
    assert copy(1, "a") == "int, str"
    f.clear()
    with pytest.raises(DispatchError):
        f(1)


def test_types_of_calls_count_as_keys_until_something_changes():
    @multimethod
    def f(x: int):
        return "int"

    assert f(True) == "int"
    assert list(f) == [(int,), (bool,)]
    f[str,] = f[int,]
    assert list(f) == [(int,), (str,)]


def test_a_change_after_calls_is_seen():
    @multimethod
    def f(x: Animal):
        return "animal"

    assert f(Cat()) == "animal"
    f[Cat,] = lambda x: "cat"
    assert f(Cat()) == "cat"
    del f[Cat,]
    assert f(Cat()) == "animal"


def test_documentation_is_that_of_all_functions():
    @multimethod
    def f(x: int):
        """For ints."""

    @f.register
    def _(x: str):
        """For strings."""

    @f.register
    def _(x: float):
        pass

    assert "For ints." in f.__doc__ and "For strings." in f.__doc__
    assert "float" not in f.__doc__
    assert multimethod.__doc__ and "For" not in multimethod.__doc__


def test_bound_static_and_class_methods():
    class C:
        @multimethod
        def m(self, x: int):
            return self, x

        @multimethod
        def m(self, x: str):
            return x

        @multimethod
        def s(x: int):
            return x

        s = staticmethod(s)

        @multimethod
        def c(cls, x: int):
            return cls, x

        c = classmethod(c)

    class D(C):
        m = multimethod(C.m)

        @m.register
        def of_float(self, x: float):
            return "float"

    c = C()
    assert c.m(1) == C.m(c, 1) == (c, 1)
    assert (C.s(1), C().s(1), C.c(1), D.c(1)) == (1, 1, (C, 1), (D, 1))
    assert (D().m(1.0), D().m("a")) == ("float", "a")
    with pytest.raises(DispatchError):
        c.m(1.0)


def test_all_functions_of_a_multimeta_class_are_multimethods():
    class C(metaclass=multimeta):
        constant = 1

        def f(self, x: int):
            return "int"

        def f(self, x: str):
            return "str"

        def g(self):
            return "g"

        constant = 2

    assert isinstance(C.f, multimethod) and isinstance(C.g, multimethod)
    assert (C().f(1), C().f("a"), C().g(), C.constant) == ("int", "str", "g", 2)


def test_threads_that_call_first_find_all_methods():
    for _ in range(20):

        @multimethod
        def f(x: int):
            return "int"

        @multimethod
        def f(x: bool):
            return "bool"

        wrong = []
        barrier = threading.Barrier(4)

        def work(f=f, barrier=barrier, wrong=wrong):
            barrier.wait()
            try:
                found = f(True), f(1)
            except Exception as error:
                found = error
            if found != ("bool", "int"):
                wrong.append(found)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        del f


def test_classes_that_calls_came_with_are_not_kept():
    @multimethod
    def f(x: Animal):
        return "animal"

    def scenario():
        passing = type("Passing", (Animal,), {})
        assert f(passing()) == "animal"
        return weakref.ref(passing)

    gone = [scenario() for _ in range(50)]
    gc.collect()
    assert not any(ref() for ref in gone)
    assert len(f) == 1


# --- multidispatch ----------------------------------------------------------


def test_multidispatch_chooses_by_keywords_too():
    @multidispatch
    def f(x, y=None):
        return "base"

    @f.register
    def _(x: int, y: str = ""):
        return "int, str"

    @f.register
    def _(x: int, y: int):
        return "int, int"

    assert f(1, "a") == f(1, y="a") == f(y="a", x=1) == "int, str"
    assert f(1, 2) == f(y=2, x=1) == "int, int"
    assert f(1.0, y=2) == f(x=None) == "base"


def test_multidispatch_takes_anything_by_its_first_function():
    @multidispatch
    def f(x: int):
        return "base"

    assert f("not an int") == "base"


def test_multidispatch_in_a_class_binds():
    class C:
        f = multidispatch(lambda self, x: "base")

        @f.register(object, int)
        def _(self, x):
            return "int"

    assert (C().f(1), C().f(x="a"), C.f(C(), 1)) == ("int", "base", "int")


# --- types ------------------------------------------------------------------


def test_subtype_gives_plain_classes_back():
    Name = NewType("Name", str)
    assert subtype(int) is int
    assert subtype(Any) is subtype(T) is object
    assert subtype(Name) is subtype(Annotated[str, "a"]) is str
    assert subtype(bool | int) is int
    assert subtype(subtype(list[int])) == subtype(list[int])
    assert subtype(list[int]) == subtype(list[int]) != subtype(list[str])
    assert len({subtype(int | str), subtype(str | int)}) == 1


def test_subtype_knows_instances():
    cases = [
        (int | list[int], [1, True, [1], []], [1.0, ["a"], (1,)]),
        (tuple[int, ...], [(), (1,), (1, 2)], [[1], ("a",)]),
        (tuple[int, str], [(1, "a")], [(1,), (1, 2)]),
        (Mapping[str, int], [{}, {"a": 1}], [{1: 1}, {"a": "b"}]),
        (Literal["a", 0], ["a", 0], ["b", 0.0, False]),
        (type[int], [int, bool, type[int] and bool], [1, str]),
        (Iterable[str], [["a"], {"a": 1}], [[1], iter("a")]),
        (Set[int] | None, [{1}, None], [{"a"}]),
    ]
    for hint, good, bad in cases:
        cls = subtype(hint)
        assert all(isinstance(value, cls) for value in good), hint
        assert not any(isinstance(value, cls) for value in bad), hint


def test_subtype_knows_subsets():
    good = [
        (list[bool], list[int]),
        (list[int], Iterable[int]),
        (list[int], list),
        (tuple[int, int], tuple[int, ...]),
        (Literal[1, "a"], int | str),
        (int, int | str),
        (int | str, int | str | None),
        (type[bool], type[int]),
        (Callable[[int], bool], Callable[[bool], int]),
        (Mapping | Set, Collection),
    ]
    for left, right in good:
        assert issubclass(subtype(left), subtype(right)), (left, right)
        if not isinstance(left, type) or left is not right:
            assert not issubclass(subtype(right), subtype(left)), (right, left)


def test_parametric_narrows_a_class_by_tests_and_attributes():
    coroutine = parametric(Callable, inspect.iscoroutinefunction)
    bytes_ = parametric(array, typecode="b")
    small = parametric(array, lambda a: len(a) < 3)
    assert isinstance(asyncio.sleep, coroutine)
    assert not isinstance(len, coroutine)
    assert issubclass(bytes_, array) and not issubclass(array, bytes_)
    both = bytes_ & small
    assert issubclass(both, bytes_) and issubclass(both, small)
    assert not issubclass(small, both)

    @multimethod
    def f(x: array):
        return "array"

    @multimethod
    def f(x: bytes_):
        return "bytes"

    @multimethod
    def f(x: both):
        return "few bytes"

    found = [f(array(*x)) for x in (("i",), ("b", [1] * 9), ("b", [1]))]
    assert found == ["array", "bytes", "few bytes"]


def test_a_metaclass_can_register_what_its_classes_ask():
    class Decides(type):
        def __instancecheck__(cls, value):
            return isinstance(value, int) and value % 2 == 0

    class Even(int, metaclass=Decides):
        pass

    subtype.origins.register(Decides, lambda cls: cls.__bases__)

    @multimethod
    def f(x: Even):
        return "even"

    @multimethod
    def f(x: int):
        return "int"

    assert [f(x) for x in (1, 2, 3)] == ["int", "even", "int"]


def test_issubclass_counts_for_arguments_and_isinstance_for_elements():
    class Says(type):
        def __instancecheck__(cls, value):
            return value == "var"

    class Var(metaclass=Says):
        pass

    @multimethod
    def f(x: Var | bytes):
        return "var"

    @multimethod
    def f(x: list[Var]):
        return "vars"

    @multimethod
    def f(x: object):
        return "object"

    found = [f(x) for x in (Var(), "var", b"", ["var"], ["x"])]
    assert found == ["var", "object", "var", "vars", "object"]


def test_signatures_are_tuples_of_types():
    def f(a, b: int, /, c: str = "", d=None, *, e: float = 0.0):
        pass

    assert signature.from_hints(f) == (object, int, str)
    assert signature([int]).subtypes(bool)
    assert not signature([int, str]).subtypes(int)
    assert signature([list[int]]).instances([1])


def test_a_signature_knows_how_many_types_are_required():
    def f(a: int, b: int = 1, *rest): ...

    assert signature.from_hints(f).required == 1
    assert signature.from_hints(f).subtypes(bool)
    assert signature([int, str], 1).instances(5)
    assert signature([int, str]).required == 2
    assert not signature([int, str], 1).subtypes()


def test_parents_may_have_defaults():
    @multimethod
    def f(x: int):
        return 1

    @multimethod
    def f(x: int, y: int = 2):
        return 2

    assert f.parents((int,)) == {(int, int)}


def test_dispatch_looks_at_values_as_a_call_does():
    @multimethod
    def f(x: list[int]):
        return "ints"

    @multimethod
    def f(x: list):
        return "list"

    for value in ([1], ["x"], []):
        assert f.dispatch(value)(value) == f(value)
    with pytest.raises(DispatchError, match="f: 0 methods found"):
        f.dispatch(1)


def test_setdefault_adds_what_is_not_there():
    @multimethod
    def f(x: int):
        return "int"

    added = f.setdefault((str,), lambda x: "str")
    assert f("x") == added("x") == "str"
    assert f.setdefault((int,), len) is f[(int,)] is not len


# --- of multimethod 1.x -----------------------------------------------------


def test_overload_tries_predicates_from_the_last_one():
    @overload
    def f(x):
        return "other"

    @overload
    def f(x: isa(str)):
        return "text"

    @overload
    def f(x: str.isdigit):
        return "digits"

    @overload
    def f(x: isa(int, float), y: bool):
        return "number, bool"

    assert [f(x) for x in ("a", "12", 1)] == ["text", "digits", "other"]
    assert f(1, True) == f(1, y=False) == "number, bool"
    with pytest.raises(DispatchError, match="No matching functions for f"):
        f("a", True)


def test_a_class_registered_after_a_call_is_seen_by_the_next_one():
    class Shape(abc.ABC):  # noqa: B024
        pass

    class Circle:
        pass

    @multimethod
    def f(x: Shape):
        return "shape"

    @multimethod
    def f(x):
        return "any"

    assert f(Circle()) == "any"
    Shape.register(Circle)
    assert f(Circle()) == "shape"


def test_a_call_can_be_explained():
    @multimethod
    def f(x: int):
        return "int"

    @multimethod
    def f(x: str):
        return "str"

    assert f(1) == "int"
    explanation = f.explain(1)
    assert explanation.status == "ok"
    assert explanation.chosen.function is f[int,]
