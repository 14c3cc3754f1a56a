"""`generic`, and how a generic function looks from outside."""

import abc
import copy
import inspect
import pydoc
import typing
import weakref
from typing import Any

import pytest

import latebind
from latebind import GenericFunction, NoMethodError, dispatch, generic


def test_the_first_definition_is_the_first_method() -> None:
    @generic
    def f(x: object) -> str:
        return "object"

    @f.register
    def _(x: int) -> str:
        return "int"

    assert (f("a"), f(1)) == ("object", "int")


def dots(x): ...


def text(x):
    """Only text."""


def raising(x):
    """Text, and then:"""
    raise NotImplementedError


def raising_with_words(x):
    raise NotImplementedError("not here")


@pytest.mark.parametrize("body", [dots, text, raising, raising_with_words])
def test_a_definition_without_a_body_declares_only(body: Any) -> None:
    f = generic(body)
    assert f.methods == ()
    with pytest.raises(NoMethodError):
        f(1)


def test_a_body_of_pass_is_a_method() -> None:
    @generic
    def f(x):
        pass

    assert f(1) is None


def test_a_generic_function_has_the_names_of_its_first_definition() -> None:
    @generic
    def f(x: int) -> None:
        """What it does."""

    assert f.__name__ == "f"
    assert f.__qualname__.endswith("<locals>.f")
    assert f.__module__ == __name__
    assert "What it does." in f.__doc__


def test_names_can_be_given() -> None:
    @generic(name="g", qualname="C.g", module="m", doc="Given.")
    def f(x: int) -> None: ...

    assert (f.__name__, f.__qualname__, f.__module__) == ("g", "C.g", "m")
    assert "Given." in f.__doc__


def test_the_documentation_is_that_of_all_methods() -> None:
    @dispatch
    def f(x: int) -> None:
        """About numbers."""

    @dispatch
    def f(x: str) -> None:
        """About text."""

    assert "About numbers." in f.__doc__ and "About text." in f.__doc__
    shown = pydoc.plain(pydoc.render_doc(f))
    assert "About numbers." in shown and "About text." in shown


def test_the_documentation_follows_changes() -> None:
    @dispatch
    def f(x: int) -> None:
        """About numbers."""

    assert "About text." not in f.__doc__
    f.register(str, text)
    assert "Only text." in f.__doc__
    f.remove(int)
    assert "About numbers." not in f.__doc__


def test_the_signature_of_one_method_is_its_own() -> None:
    @dispatch
    def f(x: int, y: str = "", *rest: float, key: bytes, **more: Any) -> bool:
        return True

    expected = "(x: int, y: str = '', *rest: float, key: bytes, **more: Any) -> bool"
    text = str(inspect.signature(f)).replace("typing.", "")
    assert text == expected


def test_the_common_signature_binds_every_call_that_a_method_takes() -> None:
    @dispatch
    def f(x: int) -> None: ...

    @dispatch
    def f(x: str, y: int, *, key: int = 0) -> None: ...

    signature = inspect.signature(f)
    signature.bind(1)
    signature.bind("a", 1, key=3)


def test_next_method_is_no_part_of_the_signature() -> None:
    @dispatch
    def f(x: int, *, next_method: Any) -> None: ...

    assert "next_method" not in inspect.signature(f).parameters


def test_a_generic_function_shows_its_name() -> None:
    @generic
    def area(x): ...

    assert "area" in repr(area)


def test_a_generic_function_is_a_callable_of_one_type() -> None:
    @generic
    def f(x): ...

    assert isinstance(f, GenericFunction)
    assert callable(f)
    assert isinstance(f, typing.Callable)


def test_a_generic_function_can_be_a_key_and_be_referred_to_weakly() -> None:
    @generic
    def f(x): ...

    assert {f: 1}[f] == 1
    assert f == f and f != dots
    assert weakref.ref(f)() is f


def test_copying_gives_the_same_function() -> None:
    """As for plain functions: a deep copy of what holds one shares it."""
    assert copy.copy(shared) is shared
    assert copy.deepcopy({"f": shared})["f"] is shared


@generic
def shared(x: int) -> int:
    return x


def test_an_abstract_generic_function_must_be_overridden() -> None:
    class Shape(abc.ABC):
        @generic
        @abc.abstractmethod
        def area(self): ...

    class Square(Shape):
        def area(self) -> int:
            return 1

    class Circle(Shape):
        @dispatch
        def area(self) -> int:
            return 3

        @dispatch
        def area(self, scale: int) -> int:
            return 3 * scale

    assert Square().area() == 1
    assert Circle().area(2) == 6
    with pytest.raises(TypeError, match="area"):
        Shape()


def test_abstract_around_generic() -> None:
    class Shape(abc.ABC):
        @abc.abstractmethod
        @generic
        def area(self): ...

    with pytest.raises(TypeError, match="area"):
        Shape()


def test_the_package_says_what_it_offers() -> None:
    offered = [
        "dispatch",
        "Dispatcher",
        "generic",
        "GenericFunction",
        "NoMethodError",
        "group",
        "AmbiguousMethodError",
        "AmbiguityWarning",
        "convert",
        "conversion_method",
        "add_conversion_method",
        "promote",
        "add_promotion_rule",
        "get_include",
    ]
    for name in offered:
        assert hasattr(latebind, name), name
        assert name in latebind.__all__, name
    assert issubclass(latebind.NoMethodError, TypeError)
    assert issubclass(latebind.AmbiguousMethodError, TypeError)
    assert issubclass(latebind.AmbiguityWarning, UserWarning)


def test_converting_what_a_function_returns() -> None:
    @generic(convert_returns=True)
    def f(x: int) -> float:
        return x

    result = f(3)
    assert result == 3.0 and type(result) is float
