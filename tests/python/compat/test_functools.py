"""`latebind.compat.functools` against its documentation and the original."""

from __future__ import annotations

import abc
import collections
import collections.abc as c
import contextlib
import copy
import functools
import gc
import inspect
import pickle
import random
import sys
import threading
import types
import typing
import weakref
from typing import Any

import pytest

import latebind.compat.functools as ours
from latebind import GenericFunction
from latebind.compat.functools import singledispatch, singledispatchmethod


def package_frames(call: Any) -> list[str]:
    """The names of the package's Python functions that `call()` enters."""
    seen = []

    def profile(frame: types.FrameType, event: str, arg: Any) -> None:
        if event == "call" and "latebind" in frame.f_globals.get("__name__", ""):
            seen.append(frame.f_code.co_name)

    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(None)
    return seen


@singledispatch
def show(value, *, loud=False):
    "Says what it is."
    return "base", loud


@show.register
def show_int(value: int, *, loud=False):
    return "int", loud


# ---- functions ---------------------------------------------------------------


def test_the_class_of_the_first_argument_decides():
    assert show("x") == ("base", False)
    assert show(1) == ("int", False)
    assert show(True, loud=True) == ("int", True)


def test_it_is_a_generic_function():
    assert isinstance(show, GenericFunction)
    assert len(show.methods) == 2


def test_further_arguments_and_keywords_are_passed_on():
    @singledispatch
    def f(first, *rest, **named):
        return first, rest, named

    assert f(1, 2, 3, x=4) == (1, (2, 3), {"x": 4})
    assert f(*range(20)) == (0, tuple(range(1, 20)), {})


def test_a_hit_enters_no_python_function_of_ours():
    def calls():
        return show(1), show("x"), show(2, loud=True)

    calls()
    assert package_frames(calls) == []


def test_a_call_without_positional_arguments_says_what_is_missing():
    with pytest.raises(TypeError, match="show requires at least 1 positional argument"):
        show()
    with pytest.raises(TypeError, match="show requires at least 1 positional argument"):
        show(value=1)


def test_register_takes_a_class_and_a_function_and_returns_the_function():
    f = singledispatch(lambda value: "base")

    def for_int(value):
        return "int"

    assert f.register(int, for_int) is for_int
    assert f.register(str)(for_int) is for_int
    assert f(1) == f("") == "int"


def test_registrations_stack():
    f = singledispatch(lambda value: "base")

    @f.register(int)
    @f.register(list)
    def _(value):
        return "int or list"

    assert [f(1), f([]), f(())] == ["int or list", "int or list", "base"]


def test_register_reads_the_first_annotation():
    f = singledispatch(lambda value: "base")

    @f.register
    def _(value: str | bytes, count: int = 0) -> int:
        return "text"

    @f.register
    def _(value: typing.Optional[int]):  # noqa: UP045
        return "number"

    assert [f(""), f(b""), f(1), f(None), f(())] == [
        "text",
        "text",
        "number",
        "number",
        "base",
    ]


def test_the_last_registration_for_a_class_counts():
    f = singledispatch(lambda value: "base")
    f.register(int, lambda value: "old")
    assert f(1) == "old"
    f.register(int, lambda value: "new")
    assert f(1) == "new"
    assert len(f.registry) == 2
    f.register(object, lambda value: "other base")
    assert f("") == "other base"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (42, r"Invalid first argument to `register\(\)`: 42\. Use either"),
        (lambda value: 0, r"Invalid first argument to `register\(\)`: <function"),
        (list[int], r"Invalid first argument to `register\(\)`"),
        (list[int] | str, r"Invalid first argument to `register\(\)`"),
    ],
)
def test_register_says_what_is_wrong_with_its_argument(wrong, says):
    with pytest.raises(TypeError, match=says):
        singledispatch(lambda value: 0).register(wrong)


def test_register_says_what_is_wrong_with_an_annotation():
    f = singledispatch(lambda value: 0)

    def items(value: list[int]): ...
    def either(value: int | list[int]): ...

    with pytest.raises(TypeError, match=r"for 'value'\. list\[int\] is not a class\."):
        f.register(items)
    with pytest.raises(TypeError, match="not all arguments are classes"):
        f.register(either)
    with pytest.raises(TypeError, match="is not a class or union type"):
        f.register(42, lambda value: 0)
    assert list(f.registry) == [object]


def test_dispatch_and_registry_give_the_implementations():
    base = show.registry[object]
    assert show.dispatch(int) is show.dispatch(bool) is show_int
    assert show.dispatch(str) is show.dispatch(object) is base
    assert dict(show.registry) == {object: base, int: show_int}
    with pytest.raises(TypeError):
        show.registry[str] = base


def test_it_has_the_attributes_of_the_function():
    assert show.__name__ == show.__qualname__ == "show"
    assert show.__module__ == __name__
    assert show.__doc__ == "Says what it is."
    assert show.__wrapped__ is show.registry[object]
    assert str(inspect.signature(show)) == "(value, *, loud=False)"
    assert inspect.getsource(show) == inspect.getsource(show.__wrapped__)
    show.note = 1
    assert show.note == 1
    assert "show" in repr(show)


def test_it_pickles_and_copies_as_a_function_does():
    assert pickle.loads(pickle.dumps(show)) is show
    assert copy.copy(show) is copy.deepcopy(show) is show


def test_in_a_class_body_it_is_a_method_that_looks_at_self():
    @singledispatch
    def describe(self, other):
        return "base", other

    class A:
        method = describe

    class B(A):
        pass

    describe.register(B, lambda self, other: ("B", other))
    assert A().method(1) == ("base", 1)
    assert B().method(other=2) == ("B", 2)
    assert B.method(A(), 3) == ("base", 3)


def test_a_subclass_does_not_go_on_to_the_method_of_its_base():
    class Base:
        @singledispatch
        def f(self):
            return "base"

    class Derived(Base):
        @singledispatch
        def f(self):
            return "derived"

    assert Derived().f() == "derived"


def test_a_recursive_function_finds_itself():
    @singledispatch
    def total(value):
        return value

    @total.register(list)
    def _(value):
        return sum(map(total, value))

    assert total([1, [2, [3, 4]]]) == 10


def test_exceptions_come_through_unchanged():
    f = singledispatch(lambda value: 1 / value)
    with pytest.raises(ZeroDivisionError) as caught:
        f(0)
    names = [entry.name for entry in caught.traceback]
    assert names == [names[0], "<lambda>"]


# ---- abstract classes --------------------------------------------------------


def test_abstract_classes_count_after_real_ones():
    f = singledispatch(lambda value: "base")
    f.register(c.Sized, lambda value: "sized")
    f.register(c.MutableMapping, lambda value: "mapping")
    assert [f({}), f([]), f(1)] == ["mapping", "sized", "base"]
    f.register(dict, lambda value: "dict")
    assert [f({}), f(collections.ChainMap())] == ["dict", "mapping"]


def test_two_unrelated_abstract_classes_are_ambiguous():
    f = singledispatch(lambda value: "base")
    f.register(c.Iterable, lambda value: "iterable")
    f.register(c.Container, lambda value: "container")

    class Both:
        def __iter__(self): ...
        def __contains__(self, value): ...

    for _ in range(2):
        with pytest.raises(RuntimeError, match="Ambiguous dispatch: .* or .*"):
            f(Both())
    with pytest.raises(RuntimeError, match="Ambiguous dispatch"):
        f.dispatch(Both)
    f.register(Both, lambda value: "both")
    assert f(Both()) == "both"


def test_a_class_registered_with_an_abstract_class_later_is_seen():
    f = singledispatch(lambda value: "base")
    f.register(c.Sized, lambda value: "sized")

    class Thing:
        pass

    assert f(Thing()) == "base"
    c.Sized.register(Thing)
    assert f(Thing()) == "sized"
    c.Set.register(Thing)
    f.register(c.Set, lambda value: "set")
    assert f(Thing()) == "set"


def test_bases_assigned_later_are_seen():
    class A: ...

    class B: ...

    class Thing(A): ...

    f = singledispatch(lambda value: "base")
    f.register(A, lambda value: "A")
    f.register(B, lambda value: "B")
    assert f(Thing()) == "A"
    Thing.__bases__ = (B,)
    assert f(Thing()) == "B"


def test_clear_cache_keeps_the_answers():
    f = singledispatch(lambda value: "base")
    f.register(int, lambda value: "int")
    assert [f(1), f("")] == ["int", "base"]
    f._clear_cache()
    assert [f(1), f("")] == ["int", "base"]
    assert len(f.methods) == 2


def hierarchy(seed: int) -> tuple[list[type], list[type]]:
    """Random classes, plain and abstract ones, some registered with others."""
    pick = random.Random(seed)
    classes: list[type] = []
    abstract = [c.Sized, c.Container, c.Iterable, c.Callable, c.Collection, c.Set]
    hooks = ["__len__", "__contains__", "__iter__", "__call__"]
    for i in range(14):
        bases = pick.sample(classes, min(len(classes), pick.choice([0, 1, 1, 2, 3])))
        members = {name: lambda self: 0 for name in hooks if pick.random() < 0.15}
        make = abc.ABCMeta if pick.random() < 0.4 else type
        if any(isinstance(base, abc.ABCMeta) for base in bases):
            make = abc.ABCMeta
        try:
            cls = make(f"K{i}", tuple(bases), members)
        except TypeError:  # no order of these bases
            continue
        classes.append(cls)
        if make is abc.ABCMeta:
            abstract.append(cls)
        if pick.random() < 0.5:
            with contextlib.suppress(RuntimeError):  # a circle
                pick.choice(abstract).register(cls)
    return classes, abstract


def outcome(dispatch: Any, cls: type) -> Any:
    try:
        return dispatch(cls)
    except RuntimeError as error:
        return str(error) if "Ambiguous" in str(error) else "no order"


@pytest.mark.parametrize("seed", range(150))
def test_it_finds_what_the_standard_library_finds(seed):
    classes, abstract = hierarchy(seed)
    pick = random.Random(seed)
    theirs, mine = functools.singledispatch(id), singledispatch(id)
    registered = pick.sample([*classes, *abstract], 7)
    for cls in registered:
        implementation = types.SimpleNamespace(cls=cls)
        function = implementation.__eq__
        theirs.register(cls, function)
        mine.register(cls, function)
        for each in [*classes, dict, list, str, int]:
            assert outcome(mine.dispatch, each) == outcome(theirs.dispatch, each)


# ---- methods -----------------------------------------------------------------


class Shape:
    def __init__(self, value):
        self.value = value

    @singledispatchmethod
    def add(self, other, times=1):
        "Adds."
        return "base", self.value, times

    @add.register
    def _(self, other: int, times=1):
        return "int", self.value, times

    @singledispatchmethod
    @classmethod
    def of(cls, value):
        return cls("base")

    @of.register
    @classmethod
    def _(cls, value: int):
        return cls("int")

    @singledispatchmethod
    @staticmethod
    def check(value):
        return "base"

    @check.register(int)
    @staticmethod
    def _(value):
        return "int"


class Square(Shape):
    pass


def test_the_first_argument_after_self_decides():
    shape = Square(5)
    assert shape.add("") == ("base", 5, 1)
    assert shape.add(1, times=2) == ("int", 5, 2)
    bound = shape.add
    assert bound(1) == ("int", 5, 1)
    assert bound.__self__ is shape


def test_a_hit_of_a_method_enters_no_python_function_of_ours():
    shape = Shape(1)

    def calls():
        # Before 3.11 the interpreter binds a method that is called with keywords.
        named = {} if sys.version_info < (3, 11) else {"times": 3}
        return shape.add(1), shape.add("", 3), named and shape.add("", times=3)

    calls()
    assert package_frames(calls) == []


def test_class_methods_get_the_class():
    assert Square.of(1).value == "int"
    assert type(Square.of("")) is Square
    assert type(Square(0).of(1)) is Square
    assert Square(0).of("").value == "base"


def test_static_methods_get_the_arguments_alone():
    assert [Shape.check(1), Shape.check("")] == ["int", "base"]
    assert [Shape(0).check(1), Shape(0).check("")] == ["int", "base"]


def test_by_the_class_the_first_argument_of_all_decides():
    # As in the standard library: there is no self to leave out.
    with pytest.raises(TypeError):
        Shape.add(1)
    assert Shape.add(Shape(3), 1) == ("base", 3, 1)


def test_a_method_has_the_attributes_of_its_function():
    for method in (Shape.add, Shape(0).add):
        assert method.__name__ == "add"
        assert method.__doc__ == "Adds."
        assert method.__wrapped__ is Shape.__dict__["add"].func
    assert isinstance(Shape.__dict__["add"], singledispatchmethod)
    assert Shape.__dict__["add"].dispatcher.dispatch(str) is Shape.add.__wrapped__


def test_implementations_are_registered_by_the_class_and_by_the_dispatcher():
    class A:
        @singledispatchmethod
        def f(self, value):
            return "base"

    A.f.register(int, lambda self, value: "int")
    A().f.register(str, lambda self, value: "str")
    A.__dict__["f"].dispatcher.register(list, lambda self, value: "list")
    a = A()
    assert [a.f(1), a.f(""), a.f([]), a.f(())] == ["int", "str", "list", "base"]


def test_an_abstract_method_stays_abstract():
    class Abstract(abc.ABC):
        @singledispatchmethod
        @abc.abstractmethod
        def f(self, value): ...

    assert Abstract.f.__isabstractmethod__
    assert Abstract.__dict__["f"].__isabstractmethod__
    with pytest.raises(TypeError, match="abstract"):
        Abstract()
    assert not Shape.add.__isabstractmethod__


def test_other_descriptors_and_callables_are_bound_as_they_are():
    class A:
        @singledispatchmethod
        def f(self, value):
            return "base"

        f.register(int, functools.partialmethod(lambda self, a, b: (a, b), "partial"))
        f.register(str, len)

    assert A().f(7) == ("partial", 7)
    assert A().f("four") == 4


def test_only_callables_and_descriptors_are_taken():
    with pytest.raises(TypeError, match="42 is not callable or a descriptor"):
        singledispatchmethod(42)


def test_a_method_without_arguments_says_what_is_missing():
    with pytest.raises(TypeError, match="add requires at least 1 positional argument"):
        Shape(1).add()
    with pytest.raises(TypeError, match="add requires at least 1 positional argument"):
        Shape.add()


def test_the_original_method_agrees():
    def define(singledispatchmethod):
        class A:
            @singledispatchmethod
            def f(self, value):
                return "base"

            @f.register(c.Sized)
            def _(self, value):
                return "sized"

            @f.register(int)
            @classmethod
            def _(cls, value):
                return cls.__name__

        return A

    theirs, mine = define(functools.singledispatchmethod), define(singledispatchmethod)
    for value in (1, "", [], None, True, {}):
        assert mine().f(value) == theirs().f(value)


# ---- the module --------------------------------------------------------------


def test_the_module_has_all_of_functools():
    assert ours.reduce is functools.reduce
    assert ours.lru_cache is functools.lru_cache
    assert set(functools.__all__) <= set(dir(ours))
    with pytest.raises(AttributeError):
        ours.no_such_name  # noqa: B018


def test_classes_of_calls_are_not_kept_alive():
    f = singledispatch(lambda value: 0)
    f.register(c.Sized, lambda value: 1)

    class Passing:
        pass

    dead = weakref.ref(Passing)
    f(Passing())
    del Passing
    gc.collect()
    assert dead() is None


def test_a_function_dies_with_its_last_reference():
    f = singledispatch(lambda value: 0)
    f.register(int, lambda value: 1)
    f(1)
    dead = weakref.ref(f)
    del f
    gc.collect()
    assert dead() is None


def test_calls_go_on_while_implementations_are_registered():
    f = singledispatch(lambda value: "base")
    kinds = [type(f"T{i}", (), {}) for i in range(40)]
    wrong, stop = [], threading.Event()

    def call() -> None:
        while not stop.is_set():
            for i, kind in enumerate(kinds):
                if f(kind()) not in ("base", i):
                    wrong.append(i)

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for i, kind in enumerate(kinds):
        f.register(kind, lambda value, i=i: i)
        assert f(kind()) == i
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []


# ---- metaclasses -------------------------------------------------------------


@pytest.mark.parametrize("meta", [type, abc.ABCMeta])
def test_types_decide_whatever_the_metaclass_says_of_instances(meta):
    class Counts(meta):
        asked = 0

        def __instancecheck__(cls, value: Any) -> bool:
            Counts.asked += 1
            return True

    Var = Counts("Var", (), {})  # noqa: N806
    Derived = Counts("Derived", (Var,), {})  # noqa: N806
    f = singledispatch(lambda value: "base")
    f.register(Var, lambda value: "var")
    for _ in range(3):  # what was found may be forgotten once, to be compact
        found = [f(each) for each in (Var(), Derived(), 1, [])]
        assert found == ["var", "var", "base", "base"]
    assert Counts.asked == 0
    assert package_frames(lambda: f(Derived())) == []


@typing.runtime_checkable
class Named(typing.Protocol):
    name: str


class Unchecked(typing.Protocol):
    def close(self) -> None: ...


# The original did so up to 3.11.
PEERS_TOO = [
    *([functools.singledispatch] * (sys.version_info < (3, 12))),
    singledispatch,
]


@pytest.mark.parametrize("kind", PEERS_TOO)
@pytest.mark.parametrize("protocol", [Named, Unchecked])
def test_protocols_that_issubclass_refuses_count_when_derived_from(kind, protocol):
    class Derived(protocol):
        name = "x"

    class Like:
        name = "x"

        def close(self): ...

    f = kind(lambda value: "base")
    f.register(protocol, lambda value: "first")
    f.register(protocol, lambda value: "protocol")
    f.register(c.Sized, lambda value: "sized")
    found = [f(each) for each in (Derived(), Like(), 1, [])]
    assert found == ["protocol", "base", "base", "sized"]
    assert [f.dispatch(cls)(0) for cls in (Derived, Like)] == ["protocol", "base"]
    assert len(f.registry) == 3


@pytest.mark.skipif(sys.version_info < (3, 11), reason="list[int] was a class")
@pytest.mark.parametrize("kind", PEERS_TOO)
def test_dispatch_takes_classes(kind):
    f = kind(lambda value: "base")
    f.register(list, lambda value: "list")
    assert f.dispatch(list[int])([]) == "base"
    for other in (1, None, "int"):
        with pytest.raises(TypeError):
            f.dispatch(other)
