"""The words of errors, and that no class can spoil them."""

import gc
import pickle
import traceback
import weakref
from typing import Any, Literal

import pytest

from latebind import AmbiguousMethodError, NoMethodError, dispatch, generic


@pytest.fixture
def area() -> Any:
    @dispatch
    def area(shape: int, scale: float) -> None: ...

    @dispatch
    def area(shape: str, scale: float) -> None: ...

    return area


def test_a_missing_method_names_the_function_and_the_types(area: Any) -> None:
    with pytest.raises(NoMethodError) as caught:
        area(b"", 1.0)
    error = caught.value
    assert error.generic is area
    assert error.types == (bytes, float)
    assert "area" in str(error) and "bytes" in str(error)


def test_the_nearest_methods_are_shown_with_the_argument_that_failed(area: Any) -> None:
    with pytest.raises(NoMethodError) as caught:
        area(1, "a")
    assert "scale" in str(caught.value)
    nearest = caught.value.nearest
    assert len(nearest) >= 1
    assert area.methods[0] in [getattr(one, "method", one) for one in nearest] or any(
        area.methods[0] in one for one in nearest
    )


def test_a_value_that_failed_is_shown_as_a_value() -> None:
    @dispatch
    def f(mode: Literal["r", "w"]) -> None: ...

    with pytest.raises(NoMethodError, match="'z'"):
        f("z")


def test_a_wrong_number_of_arguments_says_how_many(area: Any) -> None:
    with pytest.raises(NoMethodError) as caught:
        area(1)
    assert "scale" in str(caught.value) or "2" in str(caught.value)
    assert caught.value.types == (int,)


def test_a_function_without_methods_says_so() -> None:
    @generic
    def empty(x): ...

    with pytest.raises(NoMethodError, match="empty"):
        empty(1)


def test_errors_of_dispatch_are_type_errors(area: Any) -> None:
    with pytest.raises(TypeError):
        area()
    with pytest.raises(TypeError):
        area.resolve(bytes, bytes)


def test_names_of_classes_are_qualified() -> None:
    class Here: ...

    @dispatch
    def f(x: int) -> None: ...

    with pytest.raises(NoMethodError, match="Here"):
        f(Here())


def test_a_long_value_is_shortened() -> None:
    @dispatch
    def f(x: Literal[1]) -> None: ...

    with pytest.raises(NoMethodError) as caught:
        f("x" * 100_000)
    assert len(str(caught.value)) < 5_000


def test_many_methods_are_not_all_listed() -> None:
    @generic
    def f(x): ...

    for number in range(500):
        f.register(type(f"T{number}", (), {}), lambda x: None)
    with pytest.raises(NoMethodError) as caught:
        f(1)
    assert len(str(caught.value)) < 10_000
    assert len(str(caught.value).splitlines()) < 60


class Nasty:
    def __repr__(self) -> str:
        raise KeyError("repr")

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        raise KeyError("eq")

    def __hash__(self) -> int:
        raise KeyError("hash")

    def __bool__(self) -> bool:
        raise KeyError("bool")

    def __getattribute__(self, name: str) -> Any:
        raise KeyError("attribute")


class NastyMeta(type):
    def __repr__(cls) -> str:
        raise KeyError("repr")

    def __getattribute__(cls, name: str) -> Any:
        if name in ("__name__", "__qualname__", "__module__"):
            raise KeyError("name")
        return super().__getattribute__(name)


@pytest.mark.parametrize("hint", [int, Literal["a"], list[int]])
def test_an_object_that_cannot_be_shown_is_no_obstacle(hint: Any) -> None:
    @generic
    def f(x): ...

    f.register(hint, lambda x: "fits")
    with pytest.raises(NoMethodError):
        f(Nasty())
    assert not f.explain(Nasty()).chain
    f.register(object, lambda x: "object")
    assert f(Nasty()) == "object"


def test_a_class_that_cannot_be_named_is_no_obstacle() -> None:
    cls = NastyMeta("cls", (), {})

    @generic
    def f(x): ...

    f.register(int, lambda x: "int")
    with pytest.raises(NoMethodError):
        f(cls())
    f.register(cls, lambda x: "nasty")
    assert f(cls()) == "nasty"
    with pytest.raises(NoMethodError):
        f("a")


def test_values_that_cannot_be_compared_or_hashed_are_no_obstacle() -> None:
    @dispatch
    def f(x: Nasty) -> str:
        return "nasty"

    @dispatch
    def f(x: Nasty, y: Nasty, *, key: Nasty) -> str:
        return "three"

    assert f(Nasty()) == "nasty"
    assert f(Nasty(), Nasty(), key=Nasty()) == "three"


def test_a_traceback_of_a_missing_method_ends_at_the_call(area: Any) -> None:
    try:
        area(b"", 1.0)
    except NoMethodError as error:
        frames = traceback.extract_tb(error.__traceback__)
    assert [one.name for one in frames][:1] == [
        "test_a_traceback_of_a_missing_method_ends_at_the_call"
    ]
    assert len(frames) <= 2


def test_an_error_does_not_keep_the_arguments() -> None:
    class Thing: ...

    @dispatch
    def f(x: int) -> None: ...

    thing = Thing()
    with pytest.raises(NoMethodError) as caught:
        f(thing)
    watch = weakref.ref(thing)
    caught.value.__traceback__ = None
    error = caught.value
    del thing, caught
    gc.collect()
    assert watch() is None
    assert error.types == (Thing,)


@generic(silent=True)
def importable(x, y): ...


importable.register(int, object, lambda x, y: "left")
importable.register(object, int, lambda x, y: "right")


def test_errors_travel_between_processes() -> None:
    """As multiprocessing sends them: pickled, with their words."""
    for args, kind in (((1, 1), AmbiguousMethodError), (("a", "a"), NoMethodError)):
        with pytest.raises(kind) as caught:
            importable(*args)
        copy = pickle.loads(pickle.dumps(caught.value))
        assert type(copy) is kind
        assert str(copy) == str(caught.value)


def test_errors_can_be_made_by_hand() -> None:
    assert str(NoMethodError("text")) == "text"
    assert str(AmbiguousMethodError("text")) == "text"
