"""Classes come and go: dispatch keeps none of them, and is not fooled by the next
one at the same address."""
# ruff: noqa: B024

import abc
import gc
import resource
import weakref
from typing import Any

import pytest

from latebind import NoMethodError, dispatch, generic


class Base: ...


@generic
def kind(x): ...


kind.register(Base, lambda x: "Base")
kind.register(object, lambda x: "object")


@generic
def pair(x, y): ...


pair.register(Base, Base, lambda x, y: "both")
pair.register(object, object, lambda x, y: "object")


def resident() -> int:
    """Bytes of this process in memory now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def test_a_class_that_was_dispatched_on_is_collected() -> None:
    cls = type("Passing", (Base,), {})
    assert kind(cls()) == "Base"
    assert pair(cls(), cls()) == "both"
    watch = weakref.ref(cls)
    del cls
    gc.collect()
    assert watch() is None


def test_a_class_that_only_failed_is_collected() -> None:
    @dispatch
    def f(x: int) -> None: ...

    cls = type("Passing", (), {})
    for _ in range(3):
        with pytest.raises(NoMethodError):
            f(cls())
    watch = weakref.ref(cls)
    del cls
    gc.collect()
    assert watch() is None


def test_a_class_in_keywords_hints_and_explanations_is_collected() -> None:
    class Virtual(abc.ABC): ...

    @dispatch
    def f(*, key: Base | Virtual | list[int]) -> str:
        return "fits"

    cls = type("Passing", (Base,), {})
    Virtual.register(cls)
    assert f(key=cls()) == "fits"
    assert f.explain(key=cls()).chosen
    f.resolve(key=cls)
    f.ambiguities()
    watch = weakref.ref(cls)
    del cls
    gc.collect()
    assert watch() is None


def test_a_class_of_a_removed_method_is_collected() -> None:
    cls = type("Passing", (), {})

    @generic
    def f(x): ...

    f.register(cls, lambda x: "Passing")
    f.register(object, lambda x: "object")
    assert f(cls()) == "Passing"
    f.remove(cls)
    assert f(cls()) == "object"
    watch = weakref.ref(cls)
    del cls
    gc.collect()
    assert watch() is None


def test_a_class_with_its_own_generic_methods_is_collected() -> None:
    def make() -> Any:
        class Passing(Base):
            @dispatch
            def m(self, x: int, *, next_method: Any) -> Any:
                return Passing, bool(next_method)

            @dispatch
            def m(self, x: "Passing") -> Any:
                return x

        o = Passing()
        assert o.m(o) is o and o.m(1)[0] is Passing
        return weakref.ref(Passing)

    watch = make()
    gc.collect()
    assert watch() is None


@pytest.mark.parametrize(
    "hint",
    ["Passing | None", "list[Passing]", "type[Passing]", "dict[str, Passing]"],
)
def test_a_class_whose_methods_take_hints_made_of_it_is_collected(hint: str) -> None:
    space: dict[str, Any] = {"__name__": "made"}
    exec(
        "from latebind import dispatch\n"
        "class Passing:\n"
        f"    @dispatch\n    def m(self, x: {hint!r}): return 'fits'\n"
        "    @dispatch\n    def m(self, x: object): return 'object'\n",
        space,
    )
    cls = space.pop("Passing")
    values = {"Passing | None": None, "list[Passing]": [], "type[Passing]": cls}
    assert cls().m(values.get(hint, {})) == "fits"
    del values
    watch = weakref.ref(cls)
    del cls, space
    gc.collect()
    assert watch() is None


@pytest.mark.heavy  # sanitizers keep freed memory
def test_a_new_class_at_an_old_address_is_not_taken_for_the_old_one() -> None:
    seen = set()
    for number in range(3_000):
        below = number % 2
        cls = type("Passing", (Base,) if below else (), {})
        seen.add(id(cls))
        assert kind(cls()) == ("Base" if below else "object")
        del cls
        if number % 3 == 0:
            gc.collect(0)
    assert len(seen) < 3_000, "no address was used twice, so nothing was tested"


@pytest.mark.heavy  # sanitizers keep freed memory
def test_a_new_class_at_an_old_address_with_two_arguments_and_abstract_ones() -> None:
    class Virtual(abc.ABC): ...

    @dispatch
    def f(x: Virtual, y: object) -> str:
        return "Virtual"

    @dispatch
    def f(x: object, y: object) -> str:
        return "object"

    for number in range(500):
        cls = type("Passing", (), {})
        if number % 2:
            Virtual.register(cls)
        assert f(cls(), number) == ("Virtual" if number % 2 else "object")
        del cls
        gc.collect(0)


def throw_away(count: int) -> None:
    for number in range(count):
        cls = type("Passing", (Base,) if number % 2 else (), {})
        assert kind(cls()) == ("Base" if number % 2 else "object")


@pytest.mark.heavy  # sanitizers keep freed memory
def test_throw_away_classes_do_not_pile_up() -> None:
    """Sixteen thousand of them after as many again to warm up."""
    throw_away(1 << 13)
    gc.collect()
    before = resident()
    throw_away(1 << 14)
    gc.collect()
    assert resident() - before < 2 << 20


@pytest.mark.slow
def test_more_throw_away_classes_than_there_are_numbers_for_classes() -> None:
    throw_away(1 << 15)
    gc.collect()
    before = resident()
    throw_away(1 << 21)
    gc.collect()
    assert resident() - before < 16 << 20
    test_a_class_that_was_dispatched_on_is_collected()


@pytest.mark.slow
def test_many_living_classes_and_their_end() -> None:
    classes = [type("Kept", (Base,), {}) for _ in range(100_000)]
    for cls in classes:
        assert kind(cls()) == "Base"
    assert all(pair(cls(), cls()) == "both" for cls in classes[::100])
    watches = [weakref.ref(cls) for cls in classes[::1000]]
    del classes, cls
    gc.collect()
    assert all(watch() is None for watch in watches)
    throw_away(1_000)


@pytest.mark.heavy  # sanitizers keep freed memory
def test_methods_on_throw_away_classes_do_not_pile_up() -> None:
    @generic
    def f(x): ...

    def cycle(count: int) -> None:
        for _ in range(count):
            cls = type("Passing", (), {})
            f.register(cls, lambda x: "Passing")
            assert f(cls()) == "Passing"
            f.remove(cls)

    cycle(500)
    gc.collect()
    before = resident()
    cycle(4_000)
    gc.collect()
    assert resident() - before < 3 << 20
    assert f.methods == ()


@pytest.mark.heavy  # sanitizers keep freed memory
def test_throw_away_generic_functions_do_not_pile_up() -> None:
    def cycle(count: int) -> None:
        for _ in range(count):

            @dispatch
            def f(x: int, y: str) -> str:
                return "int, str"

            @dispatch
            def f(x: Base, y: object) -> str:
                return "Base"

            assert f(1, "a") == "int, str"

    cycle(300)
    gc.collect()
    before = resident()
    cycle(3_000)
    gc.collect()
    assert resident() - before < 4 << 20


def test_an_object_is_dispatched_while_it_dies() -> None:
    said: list[str] = []

    class Dying(Base):
        def __del__(self) -> None:
            said.append(kind(self))

    o = Dying()
    del o
    gc.collect()
    cycle = Dying()
    cycle.itself = cycle
    del cycle
    gc.collect()
    assert said == ["Base", "Base"]


def test_a_call_while_its_class_is_collected() -> None:
    """A weak reference's callback calls with what is left."""
    said: list[str] = []
    cls = type("Passing", (Base,), {})
    kind(cls())
    watch = weakref.ref(cls, lambda ref: said.append(kind(Base())))
    del cls
    gc.collect()
    assert watch() is None and said == ["Base"]


def test_functions_with_unions_are_collected_in_any_order() -> None:
    """The collector must not take apart what an end still needs."""

    def make() -> weakref.ref:
        @dispatch(silent=True)
        def f(x: int, y: int = 0):
            return f

        @dispatch
        def f(x: int, z: str = ""):
            return f

        @dispatch
        def f(x: int | str, *y: int):
            return f

        @dispatch
        def f(x: int | str | list[int], *y: int):
            return f

        assert f("") is f(1, 2) is f([1]) is f
        return weakref.ref(f)

    for _ in range(5):
        watches = [make() for _ in range(10)]
        gc.collect()
        assert [watch() for watch in watches] == [None] * 10
