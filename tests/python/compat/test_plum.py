"""`latebind.compat.plum`: what programs that use plum-dispatch rely on."""
# ruff: noqa: F811

import abc
import gc
import inspect
import math
import sys
import threading
import warnings
import weakref
from collections.abc import Callable
from numbers import Number, Real
from typing import Annotated, Any, Literal

import pytest

from latebind.compat import plum
from latebind.compat.plum import Signature


class Animal:
    pass


class Cat(Animal):
    pass


class Dog(Animal):
    pass


class Both(Cat, Dog):
    pass


@pytest.fixture
def dispatch() -> plum.Dispatcher:
    return plum.Dispatcher()


@pytest.fixture
def conversions():
    """Conversions and promotions that a test adds go with it."""
    from latebind.compat.plum._promotion import _convert, _promotion_rule

    functions = (_convert, _promotion_rule)
    known = [(f, f.methods and list(f._resolved)) for f in functions]
    yield
    for function, resolved in known:
        function._pending, function._resolved = [], resolved
        function.clear_cache()


# --- choosing ---------------------------------------------------------------


def test_methods_are_chosen_by_all_positional_arguments(dispatch):
    @dispatch
    def meet(a: Cat, b: Cat):
        return "cats"

    @dispatch
    def meet(a: Cat, b: Dog):
        return "cat, dog"

    @dispatch
    def meet(a: Animal, b: Animal):
        return "animals"

    assert meet(Cat(), Cat()) == "cats"
    assert meet(Cat(), Dog()) == "cat, dog"
    assert meet(Dog(), Cat()) == "animals"


def test_a_hit_has_no_frame_between_the_caller_and_the_method(dispatch):
    @dispatch
    def f(x: int):
        return sys._getframe(1).f_code

    class C:
        @dispatch
        def m(self, x: int):
            return sys._getframe(1).f_code

    here = sys._getframe().f_code
    f(1), C().m(1)
    assert f(1) is here
    assert C().m(1) is here
    assert C.m(C(), 1) is here


def test_two_bases_are_equally_specific(dispatch):
    """The order of the bases counts in latebind, in plum it does not."""

    @dispatch
    def f(x: Cat):
        return "cat"

    @dispatch
    def f(x: Dog):
        return "dog"

    with pytest.raises(plum.AmbiguousLookupError):
        f(Both())

    @dispatch
    def f(x: Both):
        return "both"

    assert f(Both()) == "both"


def test_precedence_decides_what_would_be_ambiguous_and_nothing_else(dispatch):
    @dispatch(precedence=1)
    def f(x: Cat):
        return "cat"

    @dispatch
    def f(x: Dog):
        return "dog"

    @dispatch
    def f(x: Animal):
        return "animal"

    @dispatch(precedence=9)
    def f(x):
        return "anything"

    assert f(Both()) == "cat"
    assert f(Dog()) == "dog"
    assert f(1) == "anything"


def test_any_is_less_specific_than_object(dispatch):
    @dispatch
    def f(x: object):
        return "object"

    @dispatch
    def f(x):
        return "any"

    assert f(1) == "object"
    assert f.invoke(Any)(1) == "any"
    assert len(f.methods) == 2


def test_a_fixed_number_is_more_specific_than_any_number(dispatch):
    @dispatch
    def f(*xs: int):
        return "some"

    @dispatch
    def f(x: int, *xs: int):
        return "one and some"

    @dispatch
    def f(x: int, y: int):
        return "two"

    assert [f(), f(0), f(0, 0)] == ["some", "one and some", "two"]
    assert f(0, 0, 0) == "one and some"


def test_variable_arguments_that_nothing_was_passed_for_can_be_ambiguous(dispatch):
    @dispatch
    def f(x: int, *rest: str):
        return "str"

    @dispatch
    def f(x: int, *rest: bytes):
        return "bytes"

    assert (f(1, "a"), f(1, b"a")) == ("str", "bytes")
    with pytest.raises(plum.AmbiguousLookupError):
        f(1)


def test_every_element_of_a_list_is_looked_at(dispatch):
    """plum looks at one, by chance."""

    @dispatch
    def f(x: list[int]):
        return "ints"

    @dispatch
    def f(x: list):
        return "list"

    many = [1] * 1000
    assert f(many) == "ints"
    many[773] = "a"
    assert {f(many) for _ in range(20)} == {"list"}


def test_literals_unions_and_predicates_choose(dispatch):
    class Positive:
        def __call__(self, value):
            return value > 0

    @dispatch
    def f(x: Literal["fast"]):
        return "fast"

    @dispatch
    def f(x: str | bytes):
        return "text"

    @dispatch
    def f(x: Annotated[int, Positive()]):
        return "positive"

    @dispatch
    def f(x: int):
        return "int"

    assert [f(x) for x in ("fast", "slow", b"", 3, -3)] == [
        "fast",
        "text",
        "text",
        "positive",
        "int",
    ]


def test_numbers_tower_chooses_by_subset(dispatch):
    @dispatch
    def f(x: Number):
        return "number"

    @dispatch
    def f(x: Real):
        return "real"

    @dispatch
    def f(x: int):
        return "int"

    assert [f(x) for x in (1, 1.0, 1j)] == ["int", "real", "number"]


def test_the_same_signature_replaces_and_can_warn():
    dispatch = plum.Dispatcher(warn_redefinition=True)

    @dispatch
    def f(x: int):
        return "first"

    assert f(1) == "first"

    @dispatch
    def f(x: int | bool):
        return "second"

    with pytest.warns(plum.MethodRedefinitionWarning, match="overwrites") as caught:
        assert f(1) == "second"
    assert str(caught[0].message).count("test_plum.py:") == 2
    assert len(f.methods) == 1


# --- keywords and defaults --------------------------------------------------


def test_keywords_choose_nothing_and_arrive(dispatch):
    @dispatch
    def f(x: int, *, unit="m"):
        return f"{x} {unit}"

    @dispatch
    def f(x: str, **options):
        return options

    assert f(1) == "1 m"
    assert f(1, unit="s") == "1 s"
    assert f("a", b=1) == {"b": 1}
    with pytest.raises(plum.NotFoundLookupError, match=r"`f\(\)` could not"):
        f(x=1)
    with pytest.raises(TypeError, match="unexpected keyword"):
        f(1, b=2)


def test_a_default_makes_a_shorter_method(dispatch):
    @dispatch
    def f(x: int, y: str = "default", *zs: int):
        return x, y, zs

    assert f(1) == (1, "default", ())
    assert f(1, y="b") == (1, "b", ())
    assert f(1, "b", 2, 3) == (1, "b", (2, 3))
    assert len(f.methods) == 2


def test_a_default_of_another_type_is_an_error_that_names_it(dispatch):
    @dispatch
    def f(x: int = "one"):
        return x

    with pytest.raises(TypeError, match="'one'.*`int`"):
        f(1)


# --- classes ----------------------------------------------------------------


shared = plum.Dispatcher()


class Base:
    def do(self, x):
        return "base", x

    def abstract(self, x):
        raise AssertionError("abstract methods are not called")

    abstract.__isabstractmethod__ = True

    @shared
    def __init__(self):
        self.made = "base"


class Middle(Base):
    pass


class Derived(Middle):
    @shared
    def __init__(self, size: int):
        self.made = size

    @shared
    def do(self, x: int):
        return "derived", x

    @shared
    def abstract(self, x: int):
        return x

    @shared
    def __lt__(self, other: int):
        return True

    @shared
    def same(self, other: "Derived"):
        return self is other


def test_what_no_method_takes_goes_on_along_the_bases():
    assert Derived(3).made == 3
    assert Derived().made == "base"
    assert Derived().do(1) == ("derived", 1)
    assert Derived().do("a") == ("base", "a")
    assert Derived.do(Derived(), "a") == ("base", "a")


def test_object_and_abstract_methods_are_no_way_on():
    with pytest.raises(plum.NotFoundLookupError, match=r"`Derived\.__lt__\("):
        assert Derived() < "a"
    with pytest.raises(plum.NotFoundLookupError):
        Derived().abstract("a")
    with pytest.raises(plum.NotFoundLookupError, match=r"`Base\.__init__\("):
        Derived("size")


def test_a_class_can_be_named_in_its_own_body():
    one = Derived()
    assert one.same(one)
    assert not one.same(Derived())


def test_a_bound_function_shows_what_the_function_has():
    bound = Derived().do
    assert bound(2) == ("derived", 2)
    assert bound.methods is Derived.do.methods
    assert bound.invoke(int)(5) == ("derived", 5)
    assert Derived.do.invoke(Derived, int)(Derived(), 5) == ("derived", 5)
    assert bound.__name__ == "do"
    assert bound.__module__ == __name__
    assert bound == bound._f.__get__(bound._instance)
    assert Derived.do.owner is Derived


def test_static_and_class_methods_are_functions_of_the_class(dispatch):
    class C:
        @staticmethod
        @dispatch
        def static(x: int):
            return "int"

        @staticmethod
        @dispatch
        def static(x: str):
            return "str"

        @classmethod
        @dispatch
        def of_class(cls, x: int):
            return cls, x

    assert (C.static(1), C().static("a")) == ("int", "str")
    assert C.of_class(1) == (C, 1)
    assert set(dispatch.classes) == {f"{C.__module__}.{C.__qualname__}"}


def test_classes_of_one_name_in_two_places_have_functions_of_their_own(dispatch):
    class Outer:
        class Inner:
            @dispatch
            def f(self, x: int):
                return "inner"

        @dispatch
        def f(self, x: int):
            return "outer"

    assert (Outer().f(1), Outer.Inner().f(1)) == ("outer", "inner")


# --- annotations ------------------------------------------------------------


def test_annotations_are_read_at_the_first_call(dispatch):
    @dispatch
    def f(x: "Later"):  # noqa: F821
        return "later"

    with pytest.raises(NameError):
        f(1)
    globals()["Later"] = int
    try:
        assert f(1) == "later"
    finally:
        del globals()["Later"]


def test_a_promise_is_kept_before_the_first_call(dispatch):
    promised = plum.PromisedType("Wheel")

    @dispatch
    def f(x: promised | None):
        return "wheel"

    promised.deliver(Cat)
    assert f(Cat()) == f(None) == "wheel"
    with pytest.raises(plum.NotFoundLookupError):
        f(Dog())


def test_a_type_of_a_module_counts_once_the_module_is_there(dispatch, monkeypatch):
    kind = plum.ModuleType("made_up_module", "Thing")

    @dispatch
    def f(x: kind):
        return "thing"

    @dispatch
    def f(x):
        return "other"

    module = type(sys)("made_up_module")
    module.Thing = Cat
    assert f(Cat()) == "other"
    monkeypatch.setitem(sys.modules, "made_up_module", module)
    plum.clear_all_cache()
    assert f(Cat()) == "thing"


def test_threads_that_call_first_find_all_methods(dispatch):
    for _ in range(20):
        local = plum.Dispatcher()

        @local
        def f(x: "int"):
            return "int"

        @local
        def f(x: "bool"):
            return "bool"

        wrong: list[Any] = []
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


def test_c_functions_can_be_methods(dispatch):
    @dispatch
    def root(x: str):
        return "text"

    root.dispatch_multi((int,), (float,))(math.sqrt)
    assert (root(4), root(4.0), root("4")) == (2.0, 2.0, "text")


# --- results ----------------------------------------------------------------


def test_results_are_converted_to_the_return_annotation(dispatch, conversions):
    @dispatch
    def f(x: int | bytes) -> int:
        return x

    assert f(1) == 1
    with pytest.raises(TypeError, match="Cannot convert `b'1'` to `int`"):
        f(b"1")
    plum.add_conversion_method(bytes, int, int)
    assert f(b"1") == 1
    assert f.invoke(bytes)(b"2") == 2


def test_a_conversion_is_asked_also_for_what_is_an_instance(dispatch, conversions):
    @dispatch
    def f(x: int) -> Animal:
        return Cat()

    assert type(f(1)) is Cat
    plum.add_conversion_method(Cat, Animal, lambda cat: "a cat")
    assert f(1) == "a cat"


def test_default_conversions_make_tuples_and_lists():
    assert plum.convert(1, tuple) == (1,)
    assert plum.convert([1, 2], tuple) == (1, 2)
    assert plum.convert((1,), list) == [1]
    assert plum.convert(b"a", str) == "a"


def test_the_most_specific_conversion_is_taken(conversions):
    plum.add_conversion_method(Animal, str, lambda x: "animal")
    plum.add_conversion_method(Cat, str, lambda x: "cat")

    @plum.conversion_method(Dog, str)
    def dog_to_str(x):
        return "dog"

    found = [plum.convert(animal(), str) for animal in (Animal, Cat, Dog)]
    assert found == ["animal", "cat", "dog"]
    assert dog_to_str(1) == "dog"
    with pytest.raises(TypeError, match="Cannot convert"):
        plum.convert(Animal(), bytes)


def test_a_conversion_holds_for_the_types_below_its_own(conversions):
    plum.add_conversion_method(str, int | float, float)
    assert plum.convert("1", float) == 1.0
    with pytest.raises(TypeError):
        plum.convert("1", complex)


def test_values_are_promoted_to_a_common_type(conversions):
    with pytest.raises(TypeError, match="No promotion rule for `int` and `float`"):
        plum.promote(1, 2.0)
    plum.add_promotion_rule(int, float, float)
    plum.add_conversion_method(int, float, float)
    promoted = plum.promote(1, 2.0, 3)
    assert promoted == (1.0, 2.0, 3.0)
    assert all(type(x) is float for x in promoted)
    assert plum.promote() == ()
    assert plum.promote("a") == ("a",)


def test_converters_keep_no_class_alive(dispatch):
    def scenario():
        class Passing:
            pass

        plum.convert(Passing(), Passing)
        return weakref.ref(Passing)

    gone = [scenario() for _ in range(200)]
    gc.collect()
    assert sum(ref() is not None for ref in gone) <= 64


# --- asking -----------------------------------------------------------------


def test_errors_name_the_call_and_the_nearest_methods(dispatch):
    @dispatch
    def f(x: int, y: int):
        return 1

    @dispatch
    def f(x: str, y: str, z: str):
        return 2

    with pytest.raises(plum.NotFoundLookupError) as caught:
        f(1, "a")
    text = str(caught.value)
    assert text.startswith("`f(1, 'a')` could not be resolved.\n\nClosest candidates")
    assert text.index("f(x: int, y: int)") < text.index("f(x: str, y: str, z: str)")
    assert "test_plum.py:" in text
    assert isinstance(caught.value, LookupError)


def test_an_ambiguity_lists_the_candidates_only(dispatch):
    @dispatch
    def f(x: int, y):
        return 1

    @dispatch
    def f(x, y: int):
        return 2

    @dispatch
    def f(x, y):
        return 3

    with pytest.raises(plum.AmbiguousLookupError) as caught:
        f(1, 1)
    text = str(caught.value)
    assert text.startswith("`f(1, 1)` is ambiguous.")
    assert "f(x: int, y: Any)" in text and "f(x: Any, y: int)" in text
    assert "f(x: Any, y: Any)" not in text


def test_invoke_takes_types_in_place_of_arguments(dispatch):
    @dispatch
    def f(x: int | str):
        """Documented."""
        return "either"

    @dispatch
    def f(x: bool):
        return "bool"

    assert f.invoke(int)(None) == "either"
    assert f.invoke(bool)(None) == "bool"
    assert f.invoke(int | str)(None) == "either"
    assert f.invoke(int).__name__ == "f"
    with pytest.raises(plum.NotFoundLookupError):
        f.invoke(float)


def test_what_invoke_gave_can_be_a_method_for_other_types(dispatch):
    @dispatch
    def f(x: int):
        return type(x)

    dispatch.multi((float,), Signature(complex))(f.invoke(int))
    assert (f(1), f(1.0), f(1j)) == (int, float, complex)


def test_abstract_makes_a_function_without_methods(dispatch):
    @dispatch.abstract
    def area(shape):
        """The area."""

    assert area.methods == []
    assert area.__doc__ == "The area."
    with pytest.raises(plum.NotFoundLookupError):
        area(1)


def test_overloads_are_the_methods(dispatch):
    @plum.overload
    def double(x: int) -> int:
        return x + x

    @plum.overload
    def double(x: str) -> str:
        return x * 2

    @dispatch
    def double(x):
        raise AssertionError("only the overloads are methods")

    assert (double(2), double("a")) == (4, "aa")
    with pytest.raises(plum.NotFoundLookupError):
        double(2.0)


def test_documentation_joins_that_of_all_methods(dispatch):
    @dispatch
    def f(x: int):
        """For ints."""

    @dispatch
    def f(x: str):
        """For strings."""

    lines = f.__doc__.splitlines()
    assert lines[0] == "For ints."
    assert lines[-1] == "For strings."
    assert "f(x: str)" in lines
    assert any(set(line) == {"-"} for line in lines)
    assert list(inspect.signature(f).parameters) == ["x"]


def test_extending_a_function_of_somebody_else(dispatch):
    @dispatch
    def f(x: int):
        return "theirs"

    @f.dispatch
    def other_name(x: str):
        return "ours"

    assert other_name is f
    assert (f(1), f("a")) == ("theirs", "ours")
    assert f("a") == f.clone()("a")


def test_redefining_after_calls_is_seen(dispatch):
    @dispatch
    def f(x: Animal):
        return "animal"

    assert f(Cat()) == "animal"

    @dispatch
    def f(x: Cat):
        return "cat"

    assert f(Cat()) == "cat"
    f.clear_cache()
    assert f(Cat()) == "cat"


# --- signatures and types ---------------------------------------------------


def test_signatures_are_partially_ordered():
    assert Signature(int) < Signature(Number) < Signature(Any)
    assert not Signature(int).is_comparable(Signature(str))
    assert Signature(int, bool) < Signature(int, int)
    assert Signature(int | bool) == Signature(int)
    assert hash(Signature(int | bool)) == hash(Signature(int))
    assert Signature(int) < Signature(int, varargs=int) < Signature(int, Number)


def test_a_signature_says_what_does_not_fit():
    signature = Signature(int, str, varargs=float)
    assert signature.match((1, "a", 1.0))
    assert not signature.match((1, "a", "b"))
    assert signature.compute_distance(("a", "b")) == 1
    assert signature.compute_mismatches(("a", "b", "c")) == ({0}, False)
    assert repr(signature) == "Signature(int, str, varargs=float)"


def test_faithful_types_are_those_that_the_class_decides():
    class Decides(type):
        def __instancecheck__(cls, value):
            return True

    class Odd(metaclass=Decides):
        pass

    class Said(metaclass=Decides):
        __faithful__ = True

    faithful = [int, Animal, Number, int | None, Any, Said]
    others = [Literal[1], list[int], Odd, int | list[int], Callable[[int], int]]
    assert all(map(plum.is_faithful, faithful))
    assert not any(map(plum.is_faithful, others))


def test_a_class_that_looks_at_the_instance_chooses(dispatch):
    class Even(type):
        def __instancecheck__(cls, value):
            return isinstance(value, int) and value % 2 == 0

    class EvenInt(int, metaclass=Even):
        pass

    @dispatch
    def f(x: int):
        return "int"

    @dispatch
    def f(x: EvenInt):
        return "even"

    assert [f(1), f(2), f(3), f(4)] == ["int", "even", "int", "even"]


def test_isinstance_and_issubclass_understand_hints():
    assert plum.isinstance([1, 2], list[int])
    assert not plum.isinstance([1, "a"], list[int])
    assert plum.issubclass(list[bool], list[int])
    assert plum.issubclass(int | str, int | str | None)
    assert not plum.issubclass(int | str, int)


def test_an_alias_is_shown_in_place_of_a_union():
    if sys.version_info >= (3, 14):
        pytest.skip("the text of unions cannot be changed any more")
    from typing import Union

    before = repr(Union[int, str])  # noqa: UP007
    plum.activate_union_aliases()
    try:
        plum.set_union_alias(Union[int, str], alias="Key")  # noqa: UP007
        assert repr(Union[int, str]) == "typing.Union[Key]"  # noqa: UP007
        assert repr(Union[str, int, None]) == "typing.Union[Key, None]"  # noqa: UP007
        with pytest.raises(RuntimeError, match="already has alias"):
            plum.set_union_alias(Union[int, str], alias="Other")  # noqa: UP007
    finally:
        plum.deactivate_union_aliases()
        from latebind.compat.plum import _alias

        _alias._ALIASED_UNIONS.clear()
    assert repr(Union[int, str]) == before  # noqa: UP007


# --- parametric classes -----------------------------------------------------


def test_a_parametric_class_has_a_class_per_parameter():
    @plum.parametric
    class Box:
        def __init__(self, *content):
            self.content = content

    assert Box[int] is Box[int]
    assert Box[int] is not Box[str]
    assert Box[1] is not Box[True]
    assert type(Box(1)) is Box[int]
    assert type(Box(1, "a")) is Box[int, str]
    assert plum.type_parameter(Box(1)) is int
    assert Box.__name__ == "Box" and Box[int].__name__ == "Box[int]"
    assert plum.type_unparametrized(Box(1)) is Box
    assert plum.type_nonparametric(Box(1)) is Box.__mro__[1]
    with pytest.raises(TypeError):
        Box[int][int]


def test_parametric_classes_are_covariant(dispatch):
    @plum.parametric
    class Box:
        def __init__(self, content):
            self.content = content

    class Crate(Box):
        pass

    @plum.parametric
    class Chest(Crate):
        pass

    assert issubclass(Box[int], Box[Number])
    assert isinstance(Box(1), Box[Number])
    assert not issubclass(Box[Number], Box[int])
    assert not issubclass(Crate, Box[int])
    assert issubclass(Chest[int], Box[Number])

    @dispatch
    def f(x: Box):
        return "box"

    @dispatch
    def f(x: Box[Number]):
        return "number"

    @dispatch
    def f(x: Box[int]):
        return "int"

    assert [f(Box(x)) for x in ("a", 1.0, 1)] == ["box", "number", "int"]
    assert f(Chest(1)) == "int"


def test_a_class_says_what_its_parameters_are():
    @plum.parametric
    class Vector:
        def __init__(self, *numbers):
            self.numbers = numbers

        @classmethod
        def __infer_type_parameter__(cls, *numbers):
            return len(numbers)

        @classmethod
        def __init_type_parameter__(cls, length):
            if not isinstance(length, int):
                raise TypeError("a length is an int")
            return length

        @classmethod
        def __le_type_parameter__(cls, left, right):
            return left >= right

    assert type(Vector(1, 2, 3)) is Vector[3]
    assert issubclass(Vector[3], Vector[2])
    assert not issubclass(Vector[2], Vector[3])
    with pytest.raises(TypeError, match="a length"):
        Vector["a"]


def test_init_subclass_sees_each_class_once():
    seen = []

    class Registered:
        def __init_subclass__(cls, **options):
            seen.append(cls)

    @plum.parametric
    class Box(Registered):
        pass

    boxes = [Box[int], Box[int], Box[str]]
    assert len(set(seen)) == len(seen)
    assert set(boxes) <= set(seen)


def test_kinds_hold_values():
    kind = plum.kind(Animal)
    assert kind["a"] is kind["a"] and kind["a"] is not plum.Kind["a"]
    assert issubclass(kind["a"], Animal)
    assert kind["a"](1).get() == 1
    assert kind["a"](1, 2).get() == (1, 2)


def test_no_warning_without_a_reason(dispatch):
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        @dispatch
        def f(x: Cat):
            return 1

        @dispatch
        def f(x: Dog):
            return 2

        assert (f(Cat()), f(Dog())) == (1, 2)


def test_functions_that_nobody_holds_go():
    def make():
        @plum.Dispatcher()
        def f(x: int):
            return x

        f(1)
        return weakref.ref(f)

    ref = make()
    gc.collect()
    assert ref() is None


def test_a_class_registered_after_a_call_is_seen_by_the_next_one(dispatch):
    class Shape(abc.ABC):  # noqa: B024
        pass

    class Circle:
        pass

    @dispatch
    def f(x: Shape):
        return "shape"

    @dispatch
    def f(x):
        return "any"

    assert f(Circle()) == "any"
    Shape.register(Circle)
    assert f(Circle()) == "shape"


def test_bases_changed_after_a_call_are_seen_by_the_next_one(dispatch):
    class Changing(Cat):
        pass

    @dispatch
    def f(x: Cat):
        return "cat"

    @dispatch
    def f(x: Dog):
        return "dog"

    assert f(Changing()) == "cat"
    Changing.__bases__ = (Dog,)
    assert f(Changing()) == "dog"


def test_a_call_can_be_explained(dispatch):
    @dispatch
    def f(x: int):
        return "int"

    @dispatch
    def f(x: str):
        return "str"

    assert f(1) == "int"
    explanation = f.explain(1)
    assert explanation.status == "ok"
    assert explanation.chosen.function is f.methods[0].implementation
    assert [method.peer for method, *_ in explanation.rejected] == [f.methods[1]]


def test_a_dispatcher_tells_its_functions(dispatch):
    @dispatch
    def f(x: int):
        return x

    assert repr(dispatch) == (
        f"Dispatcher(warn_redefinition=False, functions={{'f': {f!r}}}, classes={{}})"
    )


def test_names_of_typing_can_be_imported_as_from_the_original():
    assert plum.Union[int, str] == int | str
    assert plum.List[int] and plum.Tuple[int] and plum.Dict[int, str]
