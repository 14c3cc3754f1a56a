"""Generic methods in classes: a subclass extends what its bases have."""

import abc
from typing import Any

import pytest

from latebind import NoMethodError, dispatch, generic


class Base:
    @dispatch
    def m(self, x: int) -> str:
        return "Base int"

    @dispatch
    def m(self, x: object) -> str:
        return "Base object"


class Sub(Base):
    @dispatch
    def m(self, x: str) -> str:
        return "Sub str"


def test_a_generic_method_is_inherited() -> None:
    class Empty(Base): ...

    assert Empty.m is Base.m
    assert Empty().m(1) == "Base int"


def test_a_subclass_extends_the_methods_of_its_base() -> None:
    o = Sub()
    assert [o.m("a"), o.m(1), o.m(None)] == ["Sub str", "Base int", "Base object"]
    assert Base().m("a") == "Base object"


def test_own_methods_go_before_inherited_ones() -> None:
    class Wide(Base):
        @dispatch
        def m(self, x: object) -> str:
            return "Wide object"

    assert Wide().m(1) == "Wide object"


def test_the_next_method_of_the_last_one_is_the_base_s() -> None:
    class Next(Base):
        @dispatch
        def m(self, x: int, *, next_method: Any) -> Any:
            return ("Next int", next_method())

        @dispatch
        def m(self, x: bool, *, next_method: Any) -> Any:
            return ("Next bool", next_method())

    assert Next().m(True) == ("Next bool", ("Next int", "Base int"))


def test_a_base_with_a_plain_method() -> None:
    class Plain:
        def m(self, x: Any, *rest: Any, key: Any = None) -> Any:
            return ("Plain", x, rest, key)

    class Extends(Plain):
        @dispatch
        def m(self, x: int, *, next_method: Any) -> Any:
            return ("Extends", next_method())

    o = Extends()
    assert o.m(1) == ("Extends", ("Plain", 1, (), None))
    assert o.m("a", 2, key=3) == ("Plain", "a", (2,), 3)


def test_super_calls_the_methods_of_the_base() -> None:
    class Super(Base):
        @dispatch
        def m(self, x: int) -> Any:
            return ("Super", super().m(x))

    assert Super().m(1) == ("Super", "Base int")


def test_super_goes_through_several_generations() -> None:
    class One(Base):
        @dispatch
        def m(self, x: int) -> Any:
            return ("One", super().m(x))

    class Two(One):
        @dispatch
        def m(self, x: int) -> Any:
            return ("Two", super().m(x))

    assert Two().m(1) == ("Two", ("One", "Base int"))
    assert Two().m(1.5) == "Base object"


def test_a_diamond_goes_along_the_order_of_the_object() -> None:
    class Root:
        def m(self, x: Any) -> list[str]:
            return ["Root"]

    class Left(Root):
        @dispatch
        def m(self, x: int, *, next_method: Any) -> list[str]:
            return ["Left", *next_method()]

    class Right(Root):
        @dispatch
        def m(self, x: int, *, next_method: Any) -> list[str]:
            return ["Right", *next_method()]

    class Bottom(Left, Right):
        @dispatch
        def m(self, x: bool, *, next_method: Any) -> list[str]:
            return ["Bottom", *next_method()]

    assert Bottom().m(True) == ["Bottom", "Left", "Right", "Root"]
    assert Bottom().m(1) == ["Left", "Right", "Root"]
    assert Bottom().m("a") == ["Root"]
    assert Left().m(1) == ["Left", "Root"]


def test_a_mixin_without_base_has_an_end() -> None:
    class Mixin:
        @dispatch
        def m(self, x: int, *, next_method: Any) -> Any:
            return ("Mixin", next_method() if next_method else None)

    class Uses(Mixin, Base): ...

    assert Uses().m(1) == ("Mixin", "Base int")
    assert Mixin().m(1) == ("Mixin", None)
    with pytest.raises(NoMethodError):
        Mixin().m("a")


def test_a_method_added_to_the_base_later_is_found() -> None:
    class Root:
        @dispatch
        def m(self, x: int) -> str:
            return "int"

    class Leaf(Root):
        @dispatch
        def m(self, x: str) -> str:
            return "str"

    o = Leaf()
    with pytest.raises(NoMethodError):
        o.m(1.5)
    Root.m.register(object, float, lambda self, x: "float")
    assert o.m(1.5) == "float"
    Root.m.remove(object, float)
    with pytest.raises(NoMethodError):
        o.m(1.5)


def test_a_base_s_attribute_may_change() -> None:
    class Root:
        def m(self, x: Any) -> str:
            return "old"

    class Leaf(Root):
        @dispatch
        def m(self, x: str) -> str:
            return "str"

    o = Leaf()
    assert o.m(1) == "old"
    Root.m = lambda self, x: "new"
    assert o.m(1) == "new"
    del Root.m
    with pytest.raises(NoMethodError):
        o.m(1)
    Root.m = staticmethod(lambda x: ("static", x))
    assert o.m(1) == ("static", 1)
    Root.m = classmethod(lambda cls, x: (cls, x))
    assert o.m(1) == (Leaf, 1)
    Root.m = property(lambda self: lambda x: ("got", x))
    assert o.m(1) == ("got", 1)


def test_a_class_between_is_seen() -> None:
    class Root:
        def m(self, x: Any) -> str:
            return "Root"

    class Between(Root):
        def m(self, x: Any) -> str:
            return "Between"

    class Leaf(Root):
        @dispatch
        def m(self, x: str) -> str:
            return "str"

    o = Leaf()
    assert o.m(1) == "Root"
    Leaf.__bases__ = (Between,)
    assert o.m(1) == "Between"


def test_an_object_of_another_class_finds_only_the_owner_s_methods() -> None:
    class Root:
        def m(self, x: Any) -> str:
            return "Root"

    class Leaf(Root):
        @dispatch
        def m(self, x: str) -> str:
            return "str"

    assert Leaf.m(object(), "a") == "str"
    with pytest.raises(NoMethodError):
        Leaf.m(object(), 1)


def test_class_methods_extend_their_base_s() -> None:
    class Root:
        @classmethod
        def make(cls, x: Any) -> Any:
            return ("Root", cls)

    class Leaf(Root):
        @classmethod
        @dispatch
        def make(cls, x: int) -> Any:
            return ("Leaf", cls)

    assert Leaf.make(1) == ("Leaf", Leaf)
    assert Leaf.make("a") == ("Root", Leaf)


def test_static_methods_extend_their_base_s() -> None:
    class Root:
        @staticmethod
        @dispatch
        def make(x: object) -> str:
            return "Root"

    class Leaf(Root):
        @staticmethod
        @dispatch
        def make(x: int) -> str:
            return "Leaf"

    assert Leaf.make(1) == "Leaf"
    with pytest.raises(NoMethodError):
        Leaf.make("a")  # no object, so there is no way to its bases


def test_an_abstract_method_below_is_not_run() -> None:
    class Root(abc.ABC):
        @abc.abstractmethod
        def m(self, x: Any) -> str: ...

    class Leaf(Root):
        @dispatch
        def m(self, x: int) -> str:
            return "int"

    assert Leaf().m(1) == "int"


def test_two_classes_share_one_generic_function() -> None:
    class One:
        @dispatch
        def m(self, x: int) -> str:
            return "int"

    class Two:
        m = One.m

    assert Two().m(1) == "int"


def test_missing_methods_name_the_subclass_s_function() -> None:
    class Root:
        @dispatch
        def m(self, x: int) -> str:
            return "int"

    class Leaf(Root):
        @dispatch
        def m(self, x: str) -> str:
            return "str"

    with pytest.raises(NoMethodError, match=r"\bm\b"):
        Leaf().m(1.5)


def test_constructors_extend_their_base_s() -> None:
    class Root:
        @dispatch
        def __init__(self, x: int) -> None:
            self.x = x

    class Leaf(Root):
        @dispatch
        def __init__(self, x: str) -> None:
            super().__init__(len(x))

    assert Leaf("abc").x == 3
    assert Leaf(5).x == 5


# -------------------------------------------- around what the class inherits


class Logged:
    """A class whose function has methods around those of its base."""

    def __init__(self) -> None:
        log = self.log = []

        class Base:
            def m(self, x: Any) -> str:
                if isinstance(x, bytes):
                    raise KeyError(x)
                log.append("base")
                return "base"

        class Sub(Base):
            @generic
            def m(self, x: Any) -> Any: ...

            @m.register(before=True)
            def _(self, x: object) -> None:
                log.append("before")

            @m.register(after=True)
            def _(self, x: int) -> None:
                log.append("after")

            @m.register(around=True)
            def _(self, x: str, *, next_method: Any) -> Any:
                return ["around", next_method()]

            @m.register
            def _(self, x: float, *, next_method: Any) -> Any:
                log.append("float")
                return next_method()

        self.Base, self.Sub = Base, Sub


def test_other_methods_go_around_what_is_inherited() -> None:
    case = Logged()
    thing, log = case.Sub(), case.log
    assert (thing.m(1), log) == ("base", ["before", "base", "after"])
    log.clear()
    assert (thing.m("a"), log) == (["around", "base"], ["before", "base"])
    log.clear()
    assert (thing.m(1.5), log) == ("base", ["before", "float", "base"])
    log.clear()
    with pytest.raises(KeyError):
        thing.m(b"")
    assert log == ["before"]
    explanation = case.Sub.m.explain(thing, 1)
    assert explanation.status == "ok" and "Base.m" in str(explanation.inherits)


def test_nothing_runs_where_nothing_is_inherited() -> None:
    case = Logged()
    del case.Base.m
    with pytest.raises(NoMethodError):
        case.Sub().m(1)
    assert case.log == []
    assert case.Sub.m.explain(case.Sub(), 1).status == "missing"
    case.Base.m = lambda self, x: "again"
    assert case.Sub().m(1) == "again" and case.log == ["before", "after"]


def test_a_method_of_its_own_for_all_ends_the_inheritance() -> None:
    case = Logged()
    thing, log = case.Sub(), case.log
    own = case.Sub.m.add(lambda self, x: "own")
    assert (thing.m(1), log) == ("own", ["before", "after"])
    log.clear()
    case.Sub.m.remove(own)
    assert (thing.m(1), log) == ("base", ["before", "base", "after"])
    for method in case.Sub.m.methods:
        if method.qualifier != "primary":
            case.Sub.m.remove(method)
    log.clear()
    assert (thing.m(1), log) == ("base", ["base"])
