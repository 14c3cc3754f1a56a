"""Never an answer from before a change: what the peers' caches get wrong."""
# ruff: noqa: B024

import abc
import gc
import sys
from typing import Annotated, Any

import pytest

from latebind import GenericFunction, NoMethodError, dispatch, generic

pytestmark = pytest.mark.filterwarnings("ignore::latebind.AmbiguityWarning")


class Root: ...


def with_classes() -> Any:
    """Two unrelated classes, one below the first, and a method for each."""

    class First(Root): ...

    class Second(Root): ...

    class Below(First): ...

    @dispatch
    def f(x: First) -> str:
        return "First"

    @dispatch
    def f(x: Second) -> str:
        return "Second"

    @dispatch
    def f(x: object) -> str:
        return "object"

    return f, First, Second, Below


def test_a_class_registered_after_a_call_is_seen() -> None:
    class Virtual(abc.ABC): ...

    class Thing: ...

    @dispatch
    def f(x: object) -> str:
        return "object"

    @dispatch
    def f(x: Virtual) -> str:
        return "Virtual"

    thing = Thing()
    assert f(thing) == f(thing) == "object"
    Virtual.register(Thing)
    assert f(thing) == "Virtual"


def test_an_abstract_class_that_comes_after_calls_is_followed() -> None:
    class Virtual(abc.ABC): ...

    class Thing: ...

    f = GenericFunction("f")
    f.add(lambda x, y: "object", object, object)
    thing = Thing()
    assert [f(thing, thing) for _ in range(3)] == ["object"] * 3
    f.add(lambda x, y: "Virtual", object, Virtual)
    assert [f(thing, thing) for _ in range(3)] == ["object"] * 3
    Virtual.register(Thing)
    assert [f(thing, thing) for _ in range(3)] == ["Virtual"] * 3


def test_a_registration_of_a_base_is_seen_by_its_subclasses() -> None:
    class Virtual(abc.ABC): ...

    class Thing: ...

    class Special(Thing): ...

    @dispatch
    def f(x: object, y: object) -> str:
        return "object"

    @dispatch
    def f(x: Virtual, y: int) -> str:
        return "Virtual"

    special = Special()
    assert f(special, 1) == "object"
    Virtual.register(Thing)
    assert f(special, 1) == "Virtual"
    assert f(special, "a") == "object"


def test_an_abstract_class_registered_with_another_is_seen() -> None:
    class Wide(abc.ABC): ...

    class Narrow(abc.ABC): ...

    class Thing: ...

    Narrow.register(Thing)

    @dispatch
    def f(x: object) -> str:
        return "object"

    @dispatch
    def f(x: Wide) -> str:
        return "Wide"

    assert f(Thing()) == "object"
    Wide.register(Narrow)
    assert f(Thing()) == "Wide"
    f.register(Narrow, lambda x: "Narrow")
    assert f(Thing()) == "Narrow"


def test_a_registration_shows_in_unions_and_keywords() -> None:
    class Virtual(abc.ABC): ...

    class Thing: ...

    @dispatch
    def f(x: int | Virtual, *, key: Virtual) -> str:
        return "Virtual"

    @dispatch
    def f(x: object, *, key: object) -> str:
        return "object"

    assert f(Thing(), key=Thing()) == "object"
    Virtual.register(Thing)
    assert f(Thing(), key=Thing()) == f(1, key=Thing()) == "Virtual"


def test_bases_changed_after_a_call_are_seen() -> None:
    f, first, second, below = with_classes()
    o = below()
    assert f(o) == "First"
    below.__bases__ = (second,)
    assert f(o) == "Second"
    below.__bases__ = (first, second)
    assert f(o) == "First"
    below.__bases__ = (Root,)
    assert f(o) == "object"


def test_bases_of_a_base_changed_after_a_call_are_seen() -> None:
    f, first, second, below = with_classes()

    class Deep(below): ...

    assert f(Deep()) == "First"
    below.__bases__ = (second,)
    assert f(Deep()) == "Second"


def test_bases_changed_on_a_class_that_nothing_was_looked_up_on() -> None:
    """A fresh class has no version yet; nor has it one right after a change."""
    for _ in range(50):
        f, first, second, _below = with_classes()
        fresh = type("fresh", (first,), {"__slots__": ()})
        o = fresh()
        assert f(o) == "First"
        fresh.__bases__ = (second,)
        assert f(o) == "Second"
        fresh.__bases__ = (first,)
        assert f(o) == "First"


def test_bases_changed_between_every_two_calls() -> None:
    f, first, second, below = with_classes()
    o = below()
    for _ in range(300):
        below.__bases__ = (first,)
        assert f(o) == "First"
        below.__bases__ = (second,)
        assert f(o) == "Second"


def test_bases_changed_show_with_two_arguments_and_in_class_methods() -> None:
    class First(Root): ...

    class Second(Root): ...

    class Below(First):
        @dispatch
        def m(self, x: First) -> str:
            return "First"

        @dispatch
        def m(self, x: Second) -> str:
            return "Second"

    o = Below()
    assert o.m(o) == "First"
    Below.__bases__ = (Second,)
    assert o.m(o) == "Second"


def test_a_class_written_to_thousands_of_times_is_dispatched_rightly() -> None:
    """Interpreters give a class about a thousand versions, then no more."""
    f, first, second, below = with_classes()
    o = below()
    for number in range(3_000):
        below.attribute = number
        assert below.attribute == number
        assert f(o) == "First"
    below.__bases__ = (second,)
    assert f(o) == "Second"
    for number in range(100):
        below.attribute = number
        assert f(o) == "Second"
    below.__bases__ = (first,)
    assert f(o) == "First"


def test_a_class_written_to_follows_its_methods() -> None:
    f, first, second, below = with_classes()
    o = below()

    def written(count: int) -> set[str]:
        said = set()
        for number in range(count):
            below.attribute = number
            said.add(f(o))
        return said

    assert written(100) == {"First"}
    added = f.add(lambda x: "Below", below)
    assert written(100) == {"Below"}
    f.remove(added)
    assert written(100) == {"First"}


def test_a_class_rebased_thousands_of_times_is_dispatched_rightly() -> None:
    f, first, second, below = with_classes()
    o = below()
    for number in range(1_500):
        below.__bases__ = (second if number % 2 else first,)
        below.attribute = number
        assert f(o) == ("Second" if number % 2 else "First")


def test_an_object_whose_class_is_assigned_is_dispatched_by_the_new_one() -> None:
    f, first, second, below = with_classes()
    o = below()
    for _ in range(3):
        assert f(o) == "First"
        o.__class__ = second
        assert f(o) == "Second"
        o.__class__ = below


def test_a_type_s_bases_seen_through_type_hints() -> None:
    class First(Root): ...

    class Second(Root): ...

    class Below(First): ...

    @dispatch
    def f(x: type[First]) -> str:
        return "First"

    @dispatch
    def f(x: type[Second]) -> str:
        return "Second"

    assert f(Below) == "First"
    Below.__bases__ = (Second,)
    assert f(Below) == "Second"


def test_a_method_added_or_removed_is_seen_at_once() -> None:
    f, first, second, below = with_classes()
    o = below()
    for _ in range(20):
        assert f(o) == "First"
        f.register(below, lambda x: "Below")
        assert f(o) == "Below"
        f.remove(below)


def test_a_missing_method_is_not_remembered() -> None:
    class Thing: ...

    @generic
    def f(x): ...

    with pytest.raises(NoMethodError):
        f(Thing())
    f.register(Thing, lambda x: "Thing")
    assert f(Thing()) == "Thing"
    f.remove(Thing)
    with pytest.raises(NoMethodError):
        f(Thing())


def test_a_method_added_while_one_runs_is_seen_by_the_next_call() -> None:
    @dispatch
    def f(x: object) -> Any:
        @f.register
        def _(x: int) -> str:
            return "int"

        return ["object", f(x)]

    assert f(1) == ["object", "int"]


def test_a_method_that_removes_itself_finishes() -> None:
    @dispatch
    def f(x: object) -> str:
        return "object"

    @f.register
    def itself(x: int) -> Any:
        f.remove(itself)
        gc.collect()
        return ["itself", f(x)]

    assert f(1) == ["itself", "object"]
    assert f(1) == "object"


def test_a_predicate_that_changes_the_function_is_survived() -> None:
    @generic
    def f(x): ...

    def meddles(x: int) -> bool:
        f.register(bool, lambda x: "bool")
        f.remove(Annotated[int, meddles])
        return True

    f.register(int, lambda x: "int")
    f.register(Annotated[int, meddles], lambda x: "predicate")
    assert f(1) in ("predicate", "int")
    assert f(1) == "int"
    assert f(True) == "bool"


def test_a_test_that_removes_those_after_it_is_survived() -> None:
    """What they would have asked is asked yet, of hints that nobody else has."""
    f = GenericFunction("f", order="definition")
    asked: list[int] = []

    def first(x: int) -> bool:
        if len(f.methods) > 1:
            for method in f.methods[1:]:
                f.remove(method)
            del method
            gc.collect()
        return x < 0

    def add(number: int) -> None:
        def test(x: int) -> bool:
            asked.append(number)
            return number == 3

        f.register(Annotated[int, test], lambda x: number)

    f.register(Annotated[int, first], lambda x: "first")
    for number in range(6):
        add(number)
    with pytest.raises(NoMethodError):
        f(7)
    assert asked == list(range(6))
    assert f(-1) == "first"


def asking(many: int, test: Any) -> Any:
    """A function with so many tests of values, the last of them `test`."""
    f = GenericFunction("f", order="definition")

    def never(number: int) -> Any:
        return Annotated[int, lambda x: number < 0]

    for number in range(many):
        f.register(never(number), lambda x, y=0: "never")
    f.register(Annotated[int, test], lambda x, y=0, *z: "test")
    f.register(int, lambda x, y=0: "int")
    return f


@pytest.mark.parametrize("many", [3, 100])
def test_a_test_that_has_the_rules_made_anew_is_survived(many: int) -> None:
    def test(x: int) -> bool:
        if len(f.methods) > 4:
            f.remove(f.methods[0])
        return True

    f = asking(many, test)
    assert f(1) == "test"
    f = asking(many, test)
    assert f.explain(1).status == "ok"
    assert len(f.methods) == 4


def test_a_test_that_takes_all_methods_away_is_survived() -> None:
    def test(x: int) -> bool:
        f._clear()
        return True

    for many in (3, 100):
        f = asking(many, test)
        with pytest.raises(NoMethodError):
            f(1)
        assert f.methods == ()
        f.register(int, lambda x: "again")
        assert f(1) == "again"


def test_no_test_is_asked_after_one_that_raised() -> None:
    asked: list[str] = []

    def raises(x: int) -> bool:
        asked.append("raises")
        if asked.count("raises") == 2:
            f.remove(f.methods[-1])
            raise LookupError
        return False

    def follows(x: int) -> bool:
        asked.append("follows")
        return True

    f = GenericFunction("f", order="definition")
    f.register(Annotated[int, raises], lambda x: "raises")
    f.register(Annotated[int, follows], lambda x: "follows")
    f.register(int, lambda x: "int")
    with pytest.raises(LookupError):
        f.explain(1)
    assert asked == ["raises", "follows", "raises"]


def test_a_test_that_changes_the_methods_each_time_is_an_error() -> None:
    def test(x: int) -> bool:
        f.register(int, lambda x, y=0: "int")
        return True

    f = asking(100, test)
    with pytest.raises(RuntimeError, match="f: its methods are changed each time"):
        f(1)


def test_an_abstract_class_that_leaves_while_it_is_asked_leaves_no_answer() -> None:
    """What it says is not taken for what the next one would say."""

    class First(type):
        def __subclasscheck__(cls, other: type) -> bool:
            if other is Thing and len(f.methods) == 2:
                f.remove(f.methods[1])
                f.register(Other, lambda x: "Other")
                return True
            return False

    class Second(type):
        def __subclasscheck__(cls, other: type) -> bool:
            return False

    class One(metaclass=First): ...

    class Other(metaclass=Second): ...

    class Thing: ...

    f = GenericFunction("f")
    f.register(object, lambda x: "object")
    f.register(One, lambda x: "One")
    assert f(Thing()) == f(Thing()) == "object"


def test_what_a_question_finds_without_its_answer_is_not_kept() -> None:
    class Judge(type):
        def __subclasscheck__(cls, other: type) -> bool:
            if other is Thing and not inner:
                inner.append("asking")
                inner[:] = [f(Thing()), f(Thing())]
            return other in (Member, Thing)

    class Member(metaclass=Judge): ...

    class Thing: ...

    inner: list[str] = []
    f = GenericFunction("f")
    g = GenericFunction("g")
    for one in (f, g):
        one.register(object, lambda x: "object")
        one.register(Member, lambda x: "Member")
    assert g(Thing()) == "Member"
    assert inner == ["object", "object"]
    assert f(Thing()) == "Member"


def test_a_subclass_hook_that_changes_the_function_is_survived() -> None:
    @generic
    def f(x): ...

    class Hooked(abc.ABC):
        @classmethod
        def __subclasshook__(cls, other: type) -> Any:
            if other is Thing and len(f.methods) < 5:
                f.register(type("New", (), {}), lambda x: "new")
            return other is Thing

    class Thing: ...

    f.register(Hooked, lambda x: "Hooked")
    f.register(object, lambda x: "object")
    assert f(Thing()) == "Hooked"
    assert f(1) == "object"


def test_a_hook_with_changing_answers_is_followed_after_a_registration() -> None:
    """What a hook answers may change only with the registry's token."""
    answer = False

    class Hooked(abc.ABC):
        @classmethod
        def __subclasshook__(cls, other: type) -> Any:
            return answer

    class Thing: ...

    @dispatch
    def f(x: object) -> str:
        return "object"

    @dispatch
    def f(x: Hooked) -> str:
        return "Hooked"

    assert f(Thing()) == "object"
    answer = True
    abc.ABC.register(type("Other", (), {}))
    assert f(Thing()) == ("Hooked" if issubclass(Thing, Hooked) else "object")


def test_a_metaclass_that_judges_instances_is_asked_each_time() -> None:
    class Judge(type):
        def __instancecheck__(cls, value: Any) -> bool:
            return getattr(value, "fits", False)

    class Judged(metaclass=Judge): ...

    class Thing: ...

    @dispatch
    def f(x: Judged) -> str:
        return "judged"

    @dispatch
    def f(x: object) -> str:
        return "object"

    thing = Thing()
    assert f(thing) == "object"
    thing.fits = True
    assert f(thing) == "judged"
    assert f(Thing()) == "object"


def test_a_global_that_a_forward_reference_names_is_read_once() -> None:
    space: dict[str, Any] = {"__name__": "made"}
    exec(
        "from latebind import dispatch\n"
        "@dispatch\ndef f(x: 'T'): return 'T'\n"
        "@dispatch\ndef f(x: object): return 'object'\n"
        "class T: ...\n",
        space,
    )
    old = space["T"]
    assert space["f"](old()) == "T"
    space["T"] = type("T", (), {})
    assert space["f"](old()) == "T"


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="CPython's layouts")
def test_replacing_a_function_s_code_is_seen() -> None:
    def method(x: int) -> str:
        return "old"

    @generic
    def f(x): ...

    f.register(method)
    assert f(1) == "old"
    method.__code__ = (lambda x: "new").__code__
    assert f(1) == "new"


# CPython's version tags of types ---------------------------------------------


@pytest.mark.skipif(not hasattr(sys, "_clear_type_cache"), reason="not there any more")
@pytest.mark.filterwarnings("ignore:.*_clear_type_cache:DeprecationWarning")
def test_tags_that_are_given_out_again_are_not_mistaken() -> None:
    """Python 3.10 numbers its types anew when it clears the cache of them."""

    class Old(Root): ...

    kept = []

    def call_with_new_classes(base: type, expected: str) -> None:
        new = [type("New", (base,), {}) for _ in range(600)]
        for cls in new:
            assert not hasattr(cls, "asked, so that it gets a tag")
        for cls in new:
            assert f(cls()) == f(cls()) == g(cls(), cls()) == expected
        kept.append(new)

    @dispatch
    def f(x: object) -> str:
        return "object"

    @dispatch
    def f(x: Old) -> str:
        return "Old"

    @dispatch
    def g(x: object, y: object) -> str:
        return "object"

    @dispatch
    def g(x: Old, y: Old) -> str:
        return "Old"

    for _ in range(4):
        call_with_new_classes(Old, "Old")
        sys._clear_type_cache()
        call_with_new_classes(Root, "object")
        sys._clear_type_cache()


def test_a_class_that_is_written_to_thousands_of_times_is_followed() -> None:
    """Python 3.13 gives a class no more tags after a thousand."""

    class First(Root): ...

    class Second(Root): ...

    class Busy(First):
        count = 0

    class Below(Busy): ...

    @dispatch
    def f(x: First) -> str:
        return "First"

    @dispatch
    def f(x: Second) -> str:
        return "Second"

    busy, below = Busy(), Below()
    for number in range(3_000):
        Busy.count += 1
        assert busy.count == below.count == number + 1
        assert f(busy) == f(below) == "First"
    for _ in range(100):
        Busy.__bases__ = (Second,)
        assert f(busy) == f(below) == f(busy) == "Second"
        Busy.__bases__ = (First,)
        assert f(busy) == f(below) == f(busy) == "First"
