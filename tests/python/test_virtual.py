"""Abstract classes and unions: how often they are asked, and what is tied."""
# ruff: noqa: B024

import abc
import gc
import warnings
from collections import Counter
from typing import Annotated, Any

import pytest

from latebind import AmbiguousMethodError, generic


class Asked:
    """Abstract classes that count whom they are asked about."""

    def __init__(self) -> None:
        self.count: Counter[tuple[str, str]] = Counter()

    def make(self, name: str, *bases: type) -> Any:
        count = self.count

        def hook(cls: type, other: type) -> Any:
            count[cls.__name__, other.__name__] += 1
            return NotImplemented

        return abc.ABCMeta(name, bases, {"__subclasshook__": classmethod(hook)})


def test_all_that_tie_are_named() -> None:
    class Top: ...

    class Left(Top): ...

    class Right(Top): ...

    class Marked(abc.ABC): ...

    Marked.register(Left)

    @generic(silent=True)
    def f(a: Any, b: Any) -> str: ...

    for hints in ((Marked, Top), (Marked, Left), (Top, Left | Right)):
        f.register(*hints, lambda a, b: "")
    with pytest.raises(AmbiguousMethodError) as caught:
        f(Left(), Left())
    assert set(caught.value.candidates) == set(f.methods[1:])
    explanation = f.explain(Left(), Left())
    reasons = {method: reason for method, reason, _ in explanation.rejected}
    assert "tied" in reasons[f.methods[1]] and "tied" in reasons[f.methods[2]]
    assert "behind" in reasons[f.methods[0]]


def test_ties_of_virtual_classes_may_come_late_in_a_chain() -> None:
    class Top: ...

    class First(abc.ABC): ...

    class Second(abc.ABC): ...

    First.register(Top)
    Second.register(Top)

    @generic(silent=True)
    def f(a: object, b: object) -> list[str]:
        return []

    def best(a: Top, b: Top, *, next_method: Any) -> list[str]:
        return ["best", *next_method()]

    f.register(First, object, lambda a, b: ["first"])
    f.register(Second, object, lambda a, b: ["second"])
    f.register(best)
    with pytest.raises(AmbiguousMethodError) as caught:
        f(Top(), Top())
    assert len(caught.value.candidates) == 2
    assert f.explain(Top(), Top()).chosen is f.methods[-1]


def test_one_call_after_a_registration_asks_about_few_types() -> None:
    """Not each abstract class about each other."""
    asked = Asked()
    many = [asked.make(f"A{number}") for number in range(40)]

    @generic
    def f(x: object) -> str:
        return "object"

    for one in many:
        f.register(one, lambda x: "abstract")

    class Thing: ...

    many[3].register(Thing)
    assert f(Thing()) == "abstract"
    asked.count.clear()

    class Other: ...

    many[5].register(Other)
    assert f(Other()) == "abstract"
    about = {name for _cls, name in asked.count}
    assert about <= {"Other", "object", "A5", "Thing"}


def test_what_no_rule_names_is_not_asked() -> None:
    asked = Asked()
    gone, kept = asked.make("Gone"), asked.make("Kept")

    @generic
    def f(x: gone) -> str:
        return "gone"

    @generic
    def g(x: object) -> str:
        return "object"

    g.register(kept, lambda x: "kept")

    class Thing: ...

    assert g(Thing()) == "object"
    assert asked.count["Gone", "Thing"] and asked.count["Kept", "Thing"]
    del f
    gc.collect()
    asked.count.clear()

    class Late: ...

    kept.register(Late)
    assert g(Late()) == "kept"
    assert g(Thing()) == "object"
    assert not any(cls == "Gone" for cls, _name in asked.count)


def test_an_abstract_class_that_is_named_again_counts_again() -> None:
    class Marked(abc.ABC): ...

    class Thing: ...

    Marked.register(Thing)

    @generic
    def f(x: object) -> str:
        return "object"

    for _ in range(3):
        method = f.add(lambda x: "marked", Marked)
        assert f(Thing()) == "marked"
        f.remove(method)
        assert f(Thing()) == "object"


def test_a_tie_is_found_among_many_types() -> None:
    """Of those that rules do not name, the ones met last are looked at."""

    @generic(silent=False)
    def f(x: object) -> str:
        return "object"

    f.register(str, lambda x: "str")  # types decide from now on
    crowd = [type(f"Crowd{number}", (), {}) for number in range(500)]
    for cls in crowd:
        assert f(cls()) == "object"

    class First(abc.ABC): ...

    class Second(abc.ABC): ...

    class Both: ...

    First.register(Both)
    Second.register(Both)
    assert f(Both()) == "object"
    f.register(First, lambda x: "first")
    with pytest.warns(match="ambiguous") as caught:
        f.register(Second, lambda x: "second")
    assert "Both" in str(caught[0].message)


def test_old_witnesses_are_found_when_asked_for() -> None:
    @generic(silent=True)
    def f(x: object) -> str:
        return "object"

    f.register(str, lambda x: "str")

    class First(abc.ABC): ...

    class Second(abc.ABC): ...

    class Both: ...

    First.register(Both)
    Second.register(Both)
    assert f(Both()) == "object"
    crowd = [type(f"Crowd{number}", (), {}) for number in range(500)]
    for cls in crowd:
        assert f(cls()) == "object"
    f.register(First, lambda x: "first")
    f.register(Second, lambda x: "second")
    assert [one.witness for one in f.ambiguities()] == [(Both,)]


def test_a_third_rule_decides_by_the_order_of_the_type_s_bases() -> None:
    """A test that belongs to no class goes after all classes of the MRO."""

    @generic(silent=False)
    def encode(x: object) -> str:
        return "object"

    for cls in (bool, int, float, str):
        encode.register(cls, lambda x: "own")
        encode(cls())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encode.register(int | float, lambda x: "number")
        encode.register(Annotated[object, callable], lambda x: "called")
    assert encode.ambiguities() == ()
    assert [encode(x) for x in (True, 1.5, len)] == ["own", "own", "called"]


def test_another_witness_is_tried_where_a_third_rule_decides() -> None:
    @generic(silent=True)
    def f(x: object) -> str:
        return "object"

    class First(abc.ABC): ...

    class Second(abc.ABC): ...

    class Tied: ...

    class Decided: ...

    for cls in (Tied, Decided):
        First.register(cls)
        Second.register(cls)
    f.register(Decided, lambda x: "own")
    assert f(Tied()) == "object" and f(Decided()) == "own"
    f.register(First, lambda x: "first")
    f.register(Second, lambda x: "second")
    assert [one.witness for one in f.ambiguities()] == [(Tied,)]
