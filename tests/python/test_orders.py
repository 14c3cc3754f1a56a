"""Which of several applicable methods comes first, under each order."""
# ruff: noqa: B024

import abc
from typing import Any

import pytest

from latebind import AmbiguousMethodError, generic


class A: ...


class B(A): ...


class C(B): ...


def declare(**options: Any) -> Any:
    @generic(silent=True, **options)
    def f(x, y): ...

    return f


def with_two(**options: Any) -> Any:
    f = declare(**options)
    f.register(B, A, lambda x, y: "B, A")
    f.register(A, B, lambda x, y: "A, B")
    return f


def test_symmetric_is_the_default_and_prefers_no_argument() -> None:
    for f in (with_two(), with_two(order="symmetric")):
        with pytest.raises(AmbiguousMethodError):
            f(B(), B())
        assert (f(B(), A()), f(A(), B())) == ("B, A", "A, B")


def test_lexicographic_looks_from_left_to_right() -> None:
    f = with_two(order="lexicographic")
    assert f(B(), B()) == f(C(), C()) == "B, A"


def test_precedence_names_the_argument_to_look_at_first() -> None:
    f = with_two(order="lexicographic", precedence=("y", "x"))
    assert f(B(), B()) == "A, B"
    f = with_two(order="lexicographic", precedence=("x", "y"))
    assert f(B(), B()) == "B, A"
    f = with_two(order="lexicographic", precedence=("y",))
    assert f(B(), B()) == "A, B"


def test_precedence_of_an_unknown_name_is_refused() -> None:
    with pytest.raises((TypeError, ValueError), match="zebra"):
        with_two(order="lexicographic", precedence=("zebra",))


def test_definition_takes_the_first_that_fits() -> None:
    f = declare(order="definition")
    f.register(A, A, lambda x, y: "wide")
    f.register(C, C, lambda x, y: "narrow")
    assert f(C(), C()) == "wide"


def test_reverse_definition_takes_the_last_that_fits() -> None:
    f = declare(order="reverse_definition")
    f.register(C, C, lambda x, y: "narrow")
    f.register(A, A, lambda x, y: "wide")
    assert f(C(), C()) == "wide"


def test_a_replaced_method_keeps_its_place_in_the_definition_order() -> None:
    f = declare(order="definition")
    f.register(A, A, lambda x, y: "first")
    f.register(B, B, lambda x, y: "second")
    f.register(A, A, lambda x, y: "replaced")
    assert f(B(), B()) == "replaced"


def test_weighted_adds_distances_up() -> None:
    f = declare(order="weighted")
    f.register(C, A, lambda x, y: "0 + 2")
    f.register(B, B, lambda x, y: "1 + 1")
    f.register(C, B, lambda x, y: "0 + 1")
    assert f(C(), C()) == "0 + 1"
    f.remove(C, B)
    with pytest.raises(AmbiguousMethodError):
        f(C(), C())
    f.register(A, C, lambda x, y: "2 + 0")
    f.remove(C, A)
    f.remove(A, C)
    assert f(C(), C()) == "1 + 1"


def test_dylan_s_is_symmetric_for_classes() -> None:
    f = with_two(order="dylan")
    with pytest.raises(AmbiguousMethodError):
        f(B(), B())
    f.register(B, B, lambda x, y: "B, B")
    assert f(B(), B()) == "B, B"


def test_no_order_is_ambiguous_for_one_argument_of_real_bases() -> None:
    class Left: ...

    class Right: ...

    class Both(Left, Right): ...

    @generic
    def f(x): ...

    f.register(Left, lambda x: "Left")
    f.register(Right, lambda x: "Right")
    assert f(Both()) == "Left"

    class Other(Right, Left): ...

    assert f(Other()) == "Right"


def test_a_custom_order_of_bases_is_followed() -> None:
    class Meta(type):
        def mro(cls) -> list[type]:
            order = super().mro()
            if cls.__name__ == "Odd":
                order[1], order[2] = order[2], order[1]
            return order

    class Left(metaclass=Meta): ...

    class Right(metaclass=Meta): ...

    class Odd(Left, Right): ...

    @generic
    def f(x): ...

    f.register(Left, lambda x: "Left")
    f.register(Right, lambda x: "Right")
    assert Odd.__mro__[1] is Right
    assert f(Odd()) == "Right"


# -------------------------------------------------- virtual bases and unions


def test_a_registered_class_is_less_specific_than_the_class_itself() -> None:
    class Virtual(abc.ABC): ...

    Virtual.register(B)

    @generic
    def f(x): ...

    f.register(Virtual, lambda x: "Virtual")
    f.register(object, lambda x: "object")
    assert (f(B()), f(C()), f(A())) == ("Virtual", "Virtual", "object")
    f.register(B, lambda x: "B")
    assert f(C()) == "B"


def test_a_virtual_base_and_an_unrelated_real_one_are_ambiguous() -> None:
    class Virtual(abc.ABC): ...

    Virtual.register(C)

    @generic(silent=True)
    def f(x): ...

    f.register(Virtual, lambda x: "Virtual")
    f.register(A, lambda x: "A")
    assert (f(A()), f(B())) == ("A", "A")
    with pytest.raises(AmbiguousMethodError):
        f(C())


def test_an_abstract_class_that_is_a_real_base_goes_by_its_place() -> None:
    class Abstract(abc.ABC): ...

    class Mixed(A, Abstract): ...

    @generic
    def f(x): ...

    f.register(Abstract, lambda x: "Abstract")
    f.register(A, lambda x: "A")
    assert f(Mixed()) == "A"


def test_nested_abstract_classes_go_by_subset() -> None:
    from collections.abc import Collection, Iterable, Sequence, Sized

    @generic
    def f(x): ...

    for one in (Iterable, Sequence, Collection):
        f.register(one, lambda x, name=one.__name__: name)
    assert (f([]), f(set()), f(iter([]))) == ("Sequence", "Collection", "Iterable")
    f.register(Sized, lambda x: "Sized")
    assert (f([]), f(set())) == ("Sequence", "Collection")


def test_a_hook_of_subclasses_is_asked() -> None:
    class Quacks(abc.ABC):
        @classmethod
        def __subclasshook__(cls, other: type) -> bool:
            return hasattr(other, "quack")

    class Duck:
        def quack(self) -> None: ...

    @generic
    def f(x): ...

    f.register(Quacks, lambda x: "quacks")
    f.register(object, lambda x: "object")
    assert (f(Duck()), f(1)) == ("quacks", "object")


def test_a_protocol_of_methods_is_virtual() -> None:
    from typing import Protocol, runtime_checkable

    @runtime_checkable
    class Closes(Protocol):
        def close(self) -> None: ...

    class File:
        def close(self) -> None: ...

    @generic
    def f(x): ...

    f.register(Closes, lambda x: "closes")
    f.register(object, lambda x: "object")
    assert (f(File()), f(1)) == ("closes", "object")
    f.register(File, lambda x: "File")
    assert f(File()) == "File"


def test_a_member_goes_before_its_union_and_a_subset_before_its_superset() -> None:
    @generic
    def f(x): ...

    f.register(int | str | bytes, lambda x: "three")
    f.register(int | str, lambda x: "two")
    f.register(int, lambda x: "one")
    assert (f(1), f("a"), f(b"")) == ("one", "two", "three")
    assert f(True) == "one"


def test_overlapping_unions_are_ambiguous_where_they_overlap() -> None:
    @generic(silent=True)
    def f(x): ...

    f.register(int | str, lambda x: "int | str")
    f.register(str | bytes, lambda x: "str | bytes")
    assert (f(1), f(b"")) == ("int | str", "str | bytes")
    with pytest.raises(AmbiguousMethodError):
        f("a")


def test_a_commutative_method_serves_both_orders() -> None:
    f = declare()

    @f.register(commutative=True)
    def _(x: A, y: int) -> Any:
        return (type(x).__name__, y)

    assert f(B(), 1) == f(1, B()) == ("B", 1)


def test_a_written_method_goes_before_a_flipped_one() -> None:
    f = declare()
    f.register(A, int, lambda x, y: "flipped", commutative=True)
    f.register(int, A, lambda x, y: "written")
    assert (f(A(), 1), f(1, A())) == ("flipped", "written")


def test_next_method_of_a_flipped_call_keeps_the_order_of_the_call() -> None:
    f = declare()
    f.register(object, object, lambda x, y: (x, y))

    @f.register(commutative=True)
    def _(x: int, y: str, *, next_method: Any) -> Any:
        assert isinstance(x, int) and isinstance(y, str)
        return next_method()

    assert f(1, "a") == (1, "a")
    assert f("a", 1) == ("a", 1)
