"""Classes of Python below classes of C: what C calls is overridden."""

import gc
import weakref
from typing import Any

import pytest
from bridging import folder, method, shapes, with_methods  # noqa: F401  (fixtures)

import latebind
from latebind import NoMethodError

# ------------------------------------------------------------------ deriving


def test_typed_generics_are_methods_of_types(with_methods: Any) -> None:
    c = with_methods.Circle(r=1.0)
    assert c.area() == 3.0
    assert with_methods.Shape.area(c) == 3.0
    assert with_methods.Circle.area.__name__ == "area"
    assert with_methods.Circle.area.generic is with_methods.area
    with pytest.raises(TypeError, match="first argument"):
        with_methods.make_method(with_methods.Thing, "area", with_methods.area)
    with pytest.raises(TypeError, match="class of C"):
        with_methods.make_method(int, "area", with_methods.area)


def test_callers_in_c_reach_what_a_class_of_python_overrides(
    with_methods: Any,
) -> None:
    class Mine(with_methods.Shape):
        def __init__(self, size: float) -> None:
            self.size = size

        def area(self) -> float:
            return self.size

    m = Mine(4.5)
    assert m.area() == with_methods.area(m) == 4.5
    assert with_methods.total_area([m, with_methods.Circle(r=1.0)]) == 7.5
    assert with_methods.area_in_thread(m) == 4.5
    assert with_methods.order(Mine) == ["Mine", "Shape"]
    assert with_methods.class_name(Mine) == ("Mine", True)


def test_setting_and_deleting_the_attribute_changes_the_rule(
    with_methods: Any,
) -> None:
    class Mine(with_methods.Circle):
        def area(self) -> float:
            return 1.0

    m = Mine(r=1.0)
    total = lambda: with_methods.total_area([m])  # noqa: E731
    assert total() == 1.0
    Mine.area = lambda self: 2.0
    assert total() == m.area() == 2.0
    del Mine.area
    assert total() == m.area() == 3.0
    Mine.area = "no function"
    assert total() == 3.0
    Mine.area = lambda self: 5.0
    assert total() == 5.0
    with pytest.raises(TypeError, match="made in C"):
        with_methods.Circle.area = lambda self: 1.0


def test_super_leads_to_the_method_in_c(with_methods: Any) -> None:
    class Mine(with_methods.Circle):
        def area(self) -> float:
            return super().area() + 1

    class Below(Mine):
        def area(self) -> float:
            return 2 * super().area()

    b = Below(r=1.0)
    assert b.area() == with_methods.area(b) == 8.0
    assert with_methods.total_area([b, Mine(r=1.0)]) == 12.0


def test_super_follows_the_order_of_the_classes(with_methods: Any) -> None:
    class One(with_methods.Shape):
        def area(self) -> float:
            return 1 + super().area()

    class Two(with_methods.Shape):
        def area(self) -> float:
            return 10 + super().area()

    class Both(One, Two): ...

    with method(with_methods.area, with_methods.Shape, lambda s: 100.0):
        assert Both().area() == with_methods.area(Both()) == 111.0
        assert with_methods.order(Both) == ["Both", "One", "Two", "Shape"]
        Both.__bases__ = (Two, One)
        assert with_methods.order(Both) == ["Both", "Two", "One", "Shape"]
        assert Both().area() == with_methods.total_area([Both()]) == 111.0
    Both.__bases__ = (Two,)
    del Two.area
    with pytest.raises(NoMethodError):
        with_methods.area(Both())


def test_a_plain_class_before_the_class_of_c_overrides(with_methods: Any) -> None:
    class Mixin:
        def area(self) -> float:
            return 7.0

    class Mine(Mixin, with_methods.Circle): ...

    class Behind(with_methods.Circle, Mixin): ...

    assert Mine().area() == with_methods.total_area([Mine()]) == 7.0
    assert Behind().area() == with_methods.total_area([Behind()]) == 0.0


def test_other_callables_override_as_python_binds_them(with_methods: Any) -> None:
    import functools

    class Mine(with_methods.Shape):
        @staticmethod
        def area() -> float:
            return 1.5

        @classmethod
        def meet(cls, other: Any) -> int:
            return len(cls.__name__)

    class Partial(with_methods.Shape):
        area = functools.partialmethod(lambda self, by: by + self.sides, 2)

    assert with_methods.area(Mine()) == Mine().area() == 1.5
    assert with_methods.meet(Mine(), Mine()) == 4
    assert with_methods.area(Partial(sides=3)) == 5.0


def test_a_method_that_comes_later_is_overridden_at_once(shapes: Any) -> None:
    class Mine(shapes.Shape):
        def weight(self, a: int, b: int, c: int, d: int) -> int:
            return 42

    assert shapes.add_up(Mine(), 1, 1, 1, 1) == 4
    shapes.make_method(shapes.Shape, "weight", shapes.add_up)
    assert shapes.add_up(Mine(), 1, 1, 1, 1) == 42
    assert shapes.Circle().weight(1, 2, 3, 4) == 10


def test_an_object_changes_its_class_in_both_languages(with_methods: Any) -> None:
    class One(with_methods.Circle):
        def area(self) -> float:
            return 1.0

    class Two(with_methods.Circle):
        def area(self) -> float:
            return 2.0

    o = One()
    o.__class__ = Two
    assert o.area() == with_methods.total_area([o]) == 2.0
    with pytest.raises(TypeError):
        o.__class__ = latebind._core.Object
    assert with_methods.total_area([o]) == 2.0


def test_bases_that_do_not_fit_are_refused(with_methods: Any) -> None:
    class Mine(with_methods.Shape):
        def area(self) -> float:
            return 1.0

    with pytest.raises((TypeError, ValueError)):
        Mine.__bases__ = (with_methods.Circle,)  # its struct is larger
    assert Mine.__bases__ == (with_methods.Shape,)
    assert with_methods.area(Mine()) == 1.0
    with pytest.raises((TypeError, ValueError)):

        class Wrong(with_methods.Circle, with_methods.Thing): ...

    with pytest.raises(TypeError, match="made in C"):
        with_methods.Circle.__bases__ = (with_methods.Square,)


def test_a_class_of_python_ends_with_its_rules(with_methods: Any) -> None:
    def scenario() -> Any:
        class Mine(with_methods.Circle):
            def area(self) -> float:
                return super().area()

        with_methods.area(Mine())
        return weakref.ref(Mine)

    scenario()
    gc.collect()
    with_methods.synchronize()
    before = latebind._core.statistics()
    for _ in range(50):
        gone = scenario()
        gc.collect()
        assert gone() is None
    with_methods.synchronize()
    after = latebind._core.statistics()
    assert after["classes"] == before["classes"]
    assert after["rules"] == before["rules"]


def test_classes_of_python_are_dispatched_on(shapes: Any) -> None:
    class Mine(shapes.Circle): ...

    with method(shapes.scaled, Mine, lambda s, by, and_by: by):
        assert shapes.scaled(Mine(), 5, 1) == 5.0
        assert shapes.scaled(shapes.Circle(), 5, 1) == 0.0


def test_instances_may_be_made_while_the_class_is(with_methods: Any) -> None:
    seen = []

    class Base(with_methods.Circle):
        def __init_subclass__(cls) -> None:
            seen.append(with_methods.same(cls(r=1.0)).r)

    class Below(Base):
        def area(self) -> float:
            return 1.0

    assert seen == [1.0]
    assert with_methods.area(Below()) == 1.0
