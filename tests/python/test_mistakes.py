"""What newcomers get wrong, and that they are told what would be right."""

from __future__ import annotations

import dataclasses
import datetime
import functools
from collections.abc import Callable
from typing import Any, Literal

import pytest

from latebind import (
    AmbiguousMethodError,
    Dispatcher,
    NoMethodError,
    dispatch,
    generic,
)


def annotated(annotation: Any) -> Callable[[], Any]:
    def define() -> Any:
        def f(x): ...

        f.__annotations__["x"] = annotation
        return dispatch(f)

    return define


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        (any, "write typing.Any"),
        (callable, "write collections.abc.Callable"),
        (datetime, "write a class of that module"),
        ([int], r"write int, or list\[int\]"),
        ([int, str], r"write int \| str, or list\[int \| str\]"),
        (len, r"write Annotated\[T, test\]"),
        (3, "accepted are classes, unions, Literal"),
        (Literal[[1]], r"Literal cannot hold \[1\], which has no hash; accepted are"),
    ],
)
def test_what_is_no_annotation_is_told_what_would_be(annotation: Any, said: str):
    with pytest.raises(TypeError, match=rf"f\(\): parameter 'x': .*{said}"):
        annotated(annotation)()


@pytest.mark.parametrize("decorate", [dispatch, Dispatcher()])
def test_types_given_to_the_decorator_are_shown_where_they_go(decorate: Any) -> None:
    with pytest.raises(TypeError, match=r"not the types int, str: types stand in"):
        decorate(int, str)
    with pytest.raises(TypeError, match=r"not the type int: .* @f.register\(int\)"):
        decorate(int)


def test_a_class_is_no_definition() -> None:
    class Shape: ...

    for decorate in (dispatch, generic, Dispatcher()):
        with pytest.raises(
            TypeError, match=r"a function is wanted, not the type .*Shap"
        ):
            decorate(Shape)


def test_a_property_belongs_above() -> None:
    with pytest.raises(TypeError, match="put @property above"):

        class Shape:
            @dispatch
            @property
            def area(self) -> None: ...


@pytest.mark.parametrize("given", [1, "b"])
def test_a_precedence_is_a_tuple(given: Any) -> None:
    def f(a, b): ...

    with pytest.raises(TypeError, match=r'as in precedence=\("b", "a"\); not'):
        dispatch(order="lexicographic", precedence=given)(f)


def test_a_precedence_that_no_order_looks_at_is_refused() -> None:
    def f(a, b): ...

    for order in ("symmetric", "dylan"):
        with pytest.raises(ValueError, match='order="lexicographic" looks at first'):
            dispatch(order=order, precedence=("b",))(f)
    with pytest.raises(ValueError, match='order="lexicographic" looks at first'):
        dispatch(precedence=("b",))(f)


def test_a_word_that_register_does_not_know_is_named_with_those_it_knows() -> None:
    @generic
    def f(a): ...

    with pytest.raises(TypeError, match=r"f.register: afterr=True is no type .*after,"):
        f.register(int, afterr=True)
    with pytest.raises(TypeError, match="before and after at once"):
        f.register(int, before=True, after=True)


def test_a_type_for_what_is_no_parameter_names_the_parameters() -> None:
    @generic
    def f(shape, *more, loud=False): ...

    with pytest.raises(TypeError, match="its parameters are shape, loud, more"):
        f.register(form=int)(lambda shape, *more, loud=False: None)
    with pytest.raises(TypeError, match="2 types given, but 1 positional parameter$"):
        f.register(int, str)(lambda shape: None)
    assert f.methods == ()


def test_one_argument_cannot_be_exchanged() -> None:
    @generic
    def f(*a): ...

    with pytest.raises(
        TypeError, match="commutative exchanges the first two arguments"
    ):
        f.register(int, commutative=True)(lambda a: None)
    f.register(commutative=True)(lambda *a: len(a))
    assert f(1, 2) == 2


def test_an_argument_given_twice_is_said_to_be() -> None:
    @dispatch
    def f(a: int, b: int = 0, /, c: int = 0) -> None: ...

    with pytest.raises(
        NoMethodError, match="c is given twice, by position and by name"
    ):
        f(1, 2, 3, c=4)
    with pytest.raises(NoMethodError, match="takes no keyword 'a'"):
        f(1, a=1)


def test_parameters_that_take_the_rest_are_called_as_they_are() -> None:
    @dispatch
    def f(*numbers: int, **options: str) -> None: ...

    (method,) = f.methods
    assert method.signature_text == "(*numbers: int, **options: str)"
    with pytest.raises(NoMethodError, match=r"\*numbers is str, wanted int"):
        f(1, "x")
    assert f.explain_types(int, str).rejected[0][2] == "*numbers"


def test_an_ambiguity_behind_next_method_names_who_asked() -> None:
    @generic(silent=True)
    def f(a, b): ...

    f.register(int, object, lambda a, b: "left")
    f.register(object, int, lambda a, b: "right")

    with pytest.raises(AmbiguousMethodError, match="add a method that is at least"):
        f(1, 1)

    @f.register
    def both(a: int, b: int, *, next_method):
        return next_method()

    with pytest.raises(AmbiguousMethodError, match=r"come after both\(a: int, b: int"):
        f(1, 1)


class Vector:
    @dispatch
    def scale(self, by: int) -> None: ...

    @dispatch
    @staticmethod
    def unit(axis: int) -> None: ...


def test_a_function_in_a_class_is_named_with_it() -> None:
    with pytest.raises(NoMethodError, match=r"^no method of Vector.scale\(.*, str\)"):
        Vector().scale("x")
    with pytest.raises(NoMethodError, match=r"^no method of Vector.unit\(str\)"):
        Vector.unit("x")
    assert Vector.unit.explain("x").call == "Vector.unit(str)"
    with pytest.raises(LookupError, match=r"^Vector.scale has no method \(list\)"):
        Vector.scale.remove(list)


def test_methods_of_instances_classes_and_static_ones_do_not_mix() -> None:
    with pytest.raises(TypeError, match="A.f has instance methods; a static method"):

        class A:
            @dispatch
            def f(self, x: int) -> None: ...

            @dispatch
            @staticmethod
            def f(x: str) -> None: ...

    with pytest.raises(TypeError, match="B.f has static methods; an instance method"):

        class B:
            @dispatch
            @staticmethod
            def f(x: str) -> None: ...

            @dispatch
            def f(self, x: int) -> None: ...

    with pytest.raises(TypeError, match="Vector.scale has instance methods; a class"):
        Vector.scale.register(classmethod(lambda cls, by: None))
    assert len(Vector.scale.methods) == 1


def test_a_static_method_may_be_one_of_a_function_of_a_module() -> None:
    @dispatch
    def f(x: int) -> str:
        return "number"

    class Rules:
        @f.register
        @staticmethod
        def _(x: str) -> str:
            return "text"

    assert f("x") == "text"


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(*args: Any) -> Any:
        return function(*args)

    return run


@pytest.mark.parametrize("above", [functools.lru_cache, logged])
def test_decorators_above_do_not_lose_the_definitions_before(above: Any) -> None:
    @above
    @dispatch
    def f(x: int) -> str:
        return "number"

    @above
    @dispatch
    def f(x: str) -> str:
        return "text"

    assert (f(1), f("x")) == ("number", "text")


def test_a_decorated_function_that_is_no_generic_one_is_replaced() -> None:
    @logged
    def f(x: object) -> str:
        return "plain"

    @dispatch
    def f(x: int) -> str:
        return "number"

    assert len(f.methods) == 1


def test_a_type_for_self_in_the_body_of_a_class_is_refused() -> None:
    with pytest.raises(TypeError, match=r"accepted are \(object, int\)"):

        class Shown:
            @generic
            def show(self, x: object) -> str:
                return "object"

            @show.register(int)
            def _(self, x: object) -> str:
                return "int"

    class Well:
        @generic
        def show(self, x: object) -> str:
            return "object"

        @show.register(object, int)
        def _(self, x: object) -> str:
            return "int"

        @show.register(x=str)
        def _(self, x: object) -> str:
            return "str"

    assert [Well().show(x) for x in (1, "a", 1.5)] == ["int", "str", "object"]


def test_a_tuple_is_no_annotation() -> None:
    with pytest.raises(TypeError, match=r"A \| B"):
        annotated((int, str))()


def test_a_class_that_is_made_anew_from_its_body_is_meant() -> None:
    @dataclasses.dataclass(slots=True)
    class Point:
        x: int

        @dispatch
        def add(self, other: Point) -> str:
            return "point"

        @dispatch
        def add(self, other: int) -> str:
            return "number"

    assert (Point(1).add(Point(2)), Point(1).add(3)) == ("point", "number")
    assert Point.add.owner is Point
