"""Typed generic functions of C, called by both languages, with methods of both."""

import sys
from pathlib import Path
from typing import Any

import pytest
from bridging import folder, method, shapes, unraisable  # noqa: F401  (fixtures)
from support import output_of

from latebind import AmbiguityWarning, NoMethodError

# ------------------------------------------------------- C's typed generic functions


def test_arguments_and_results_are_converted(shapes: Any) -> None:
    c = shapes.Circle(r=2.0, sides=1)
    assert shapes.area(c) == 12.0
    assert shapes.scaled(c, 3, 0.5) == 18.0
    assert shapes.meet(c, shapes.Square(sides=4)) == 14
    assert shapes.label(c, "grün") == "grün"
    assert shapes.label(c, None) is None
    assert shapes.is_large(c, True) is False
    assert shapes.touch(c, 9) is None and c.tag == 9
    assert shapes.add_up(c, -100, 65535, -3, 2**40) == 2**40 + 65535 - 103
    assert shapes.pick(c, shapes.Square()) is c
    assert shapes.pick(shapes.Square(), shapes.Square()) is None
    assert shapes.gap(c, shapes.Square(side=4)) == 4.0
    assert shapes.gap(c, None) == -1
    assert shapes.tint(c, 1) == 2
    assert shapes.describe(c, [1]) == (1, [1])
    with pytest.raises(LookupError, match="nothing extra"):
        shapes.describe(c, None)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((128, 0, 0, 0), OverflowError, "argument 2"),
        ((-129, 0, 0, 0), OverflowError, "signed integer of 8 bits"),
        ((0, -1, 0, 0), OverflowError, "argument 3"),
        ((0, 65536, 0, 0), OverflowError, "unsigned integer of 16 bits"),
        ((0, 0, 2**31, 0), OverflowError, "32 bits"),
        ((0, 0, 0, 2**64), OverflowError, "argument 5"),
        ((1.0, 0, 0, 0), TypeError, "must be an integer, not float"),
        ((0, 0, 0), TypeError, "takes 5 arguments, 4 given"),
    ],
)
def test_integers_that_do_not_fit_are_refused(
    shapes: Any, arguments: Any, error: type, words: str
) -> None:
    with pytest.raises(error, match=words):
        shapes.add_up(shapes.Shape(), *arguments)


def test_other_arguments_that_do_not_fit_are_refused(shapes: Any) -> None:
    c = shapes.Circle()
    for call, words in [
        (lambda: shapes.area(3), "argument 1 must be Shape, not int"),
        (lambda: shapes.area(None), "argument 1 must be Shape"),
        (lambda: shapes.area(shapes.Thing()), "not Thing"),
        (lambda: shapes.scaled(c, "2", 1), "must be a number"),
        (lambda: shapes.label(c, b"x"), "must be a str or None"),
        (lambda: shapes.gap(c, 3), "argument 2 must be Shape"),
        (lambda: shapes.area(c, key=1), "keyword"),
    ]:
        with pytest.raises(TypeError, match=words):
            call()
    with pytest.raises(ValueError, match="null character"):
        shapes.label(c, "a\0b")
    with pytest.raises(UnicodeEncodeError):
        shapes.label(c, "\udc80")


def test_that_there_is_no_method_is_an_error_of_python(shapes: Any) -> None:
    with pytest.raises(NoMethodError, match="no applicable method") as caught:
        shapes.area(shapes.Shape())
    assert caught.value.generic is shapes.area
    assert caught.value.types == (shapes.Shape,)


def test_a_type_that_cannot_be_converted_is_named(shapes: Any) -> None:
    for _ in range(2):
        with pytest.raises(TypeError, match=r"strange: .*'hits \*'"):
            shapes.wrap_strange()


def test_callers_in_c_reach_methods_in_python(shapes: Any) -> None:
    c = shapes.Circle(r=1.0)
    plain = shapes.Shape()

    def by_sides(s: Any) -> float:
        return 100.0 * s.sides

    with method(shapes.area, shapes.Shape, by_sides) as added:
        assert shapes.area.methods == (added,)
        assert shapes.total_area([c, shapes.Shape(sides=5)]) == 503.0
        assert shapes.bare_area(shapes.Shape(sides=2)) == 200.0
        assert shapes.area_in_thread(shapes.Shape(sides=3)) == 300.0
        assert "by_sides" in shapes.area.explain(plain)
    assert shapes.area.methods == ()
    with pytest.raises(NoMethodError):
        shapes.area(plain)


def test_methods_are_registered_as_those_of_python(shapes: Any) -> None:
    Shape = shapes.Shape

    @shapes.area.register(Shape)
    def first(s: Any) -> float:
        return 1.0

    assert shapes.area(Shape()) == 1.0

    @shapes.area.register
    def second(s: Shape) -> float:
        return 2.0

    assert shapes.area(Shape()) == 2.0, "the second replaces the first"
    assert len(shapes.area.methods) == 1
    shapes.area.remove(second)
    shapes.area.register(Shape, first)
    shapes.area.remove(Shape)
    with pytest.raises(LookupError, match="area"):
        shapes.area.remove(first)
    with pytest.raises(TypeError, match="1 positional"):
        shapes.area.register(lambda: 1)
    with pytest.raises(TypeError, match="below Shape"):
        shapes.area.register(int, lambda s: 1)
    with pytest.raises(TypeError, match="below Shape"):
        shapes.area.register(shapes.Circle | shapes.Square, lambda s: 1)
    with pytest.raises(TypeError, match="by name"):
        shapes.area.register(Shape, lambda s: 1, priority=3)
    assert shapes.area.methods == ()


def test_a_method_in_c_is_not_replaced_but_wrapped(shapes: Any) -> None:
    c = shapes.Circle(r=1.0)
    with pytest.raises(ValueError, match="circle_area"):
        shapes.area.register(shapes.Circle, lambda s: 1)
    seen = []

    def around(s: Any, *, next_method: Any) -> float:
        return 10 * next_method()

    with (
        method(shapes.area, shapes.Circle, around, around=True),
        method(shapes.area, shapes.Shape, seen.append, before=True),
    ):
        assert shapes.area(c) == 30.0
        assert shapes.total_area([c]) == 30.0
    assert seen == [c, c]
    assert shapes.area(c) == 3.0


def test_the_next_method_crosses_twice_in_a_typed_chain(shapes: Any) -> None:
    def odd(s: Any, *, next_method: Any) -> int:
        assert next_method
        return 10 * next_method() + 2

    def even(s: Any, *, next_method: Any) -> int:
        return 10 * next_method(s) + 3

    with (
        method(shapes.digits, shapes.Level1, odd),
        method(shapes.digits, shapes.Level3, even),
    ):
        assert shapes.call_digits(shapes.Level3()) == 1213
        assert shapes.digits(shapes.Level3()) == 1213
        assert shapes.digits(shapes.Level2()) == 121
    assert shapes.digits(shapes.Level3()) == 11


def test_the_end_of_a_typed_chain_is_an_error(shapes: Any) -> None:
    def last(s: Any, *, next_method: Any) -> float:
        assert not next_method
        return next_method()

    with (
        method(shapes.area, shapes.Shape, last),
        pytest.raises(NoMethodError, match="no next method"),
    ):
        shapes.area(shapes.Shape())


def test_next_method_ends_with_its_call(shapes: Any) -> None:
    kept = []

    def keeping(s: Any, *, next_method: Any) -> int:
        kept.append(next_method)
        return next_method()

    with method(shapes.digits, shapes.Level1, keeping):
        assert shapes.digits(shapes.Level1()) == 1
    assert not kept[0]
    with pytest.raises(RuntimeError, match="its call has ended"):
        kept[0]()
    with pytest.raises(TypeError, match="keyword"):
        kept[0](s=1)


def test_an_exception_is_raised_where_c_returns_to_python(shapes: Any) -> None:
    error = ValueError("mine")

    def fail(s: Any) -> float:
        raise error

    with method(shapes.area, shapes.Shape, fail), unraisable() as seen:
        for call in (
            lambda: shapes.area(shapes.Shape()),
            lambda: shapes.scaled(shapes.Shape(), 1, 1),
            lambda: shapes.total_area([shapes.Circle(), shapes.Shape()]),
        ):
            with pytest.raises(ValueError) as caught:
                call()
            assert caught.value is error
            assert caught.traceback[-1].name == "fail"
        assert seen == []


def test_of_several_exceptions_the_first_is_raised(shapes: Any) -> None:
    errors = [ValueError(1), ValueError(2)]

    def fail(s: Any) -> float:
        raise errors[s.sides]

    with method(shapes.area, shapes.Shape, fail), unraisable() as seen:
        with pytest.raises(ValueError) as caught:
            shapes.total_area([shapes.Shape(sides=0), shapes.Shape(sides=1)])
        assert caught.value is errors[0]
        assert [one.exc_value for one in seen] == [errors[1]]


def test_an_exception_is_the_context_of_one_that_c_set(shapes: Any) -> None:
    error = ValueError("first")

    def fail(s: Any) -> float:
        raise error

    with (
        method(shapes.area, shapes.Shape, fail),
        pytest.raises(TypeError, match="wanted") as caught,
    ):
        shapes.total_area([shapes.Shape(), "no shape"])
    assert caught.value.__context__ is error


def test_an_exception_that_c_cannot_hand_on_is_unraisable(shapes: Any) -> None:
    def fail(s: Any) -> float:
        raise ValueError("lost")

    with method(shapes.area, shapes.Shape, fail), unraisable() as seen:
        assert shapes.bare_area(shapes.Shape()) == 0.0
        assert shapes.area_in_thread(shapes.Shape()) == 0.0
    assert [str(one.exc_value) for one in seen] == ["lost", "lost"]
    assert seen[0].object is fail


def test_a_wrong_result_is_an_error(shapes: Any) -> None:
    with (
        method(shapes.area, shapes.Shape, lambda s: "large"),
        pytest.raises(TypeError, match="area: the result must be a number, not str"),
    ):
        shapes.area(shapes.Shape())


def test_texts_that_c_gets_stay(shapes: Any) -> None:
    with method(shapes.label, shapes.Circle, lambda s, prefix: f"{prefix} {s.sides}"):
        assert shapes.call_label(shapes.Circle(sides=7)) == "from C 7"
        assert shapes.label(shapes.Circle(), "x") == "x 0"


def test_python_objects_go_through_c(shapes: Any) -> None:
    extra = object()
    with method(shapes.describe, shapes.Circle, lambda s, extra: extra):
        before = sys.getrefcount(extra)
        assert shapes.call_describe(shapes.Circle(), extra) is extra
        assert shapes.describe(shapes.Circle(), extra) is extra
        assert sys.getrefcount(extra) == before


def test_c_objects_are_lent_for_a_call(shapes: Any) -> None:
    kept = []

    def keeping(s: Any, *, next_method: Any) -> float:
        kept.append(s)
        return next_method() + s.r

    with method(shapes.area, shapes.Circle, keeping, around=True):
        assert shapes.lend_circle(1.0) == 4.0
        own = shapes.Circle(r=1.0)
        assert shapes.area(own) == 4.0
    assert kept[1] is own and own.r == 1.0
    with pytest.raises(ReferenceError, match="lent"):
        kept[0].r  # noqa: B018


def test_a_result_that_would_end_is_refused(shapes: Any) -> None:
    with (
        method(shapes.pick, shapes.Square, shapes.Square, lambda a, b: shapes.Circle()),
        pytest.raises(ValueError, match="would end"),
    ):
        shapes.call_pick(shapes.Square(), shapes.Square())
    with method(shapes.pick, shapes.Square, shapes.Square, lambda a, b: b):
        one, two = shapes.Square(), shapes.Square()
        assert shapes.call_pick(one, two) is two
    with method(shapes.other, shapes.Node, lambda n: shapes.Node(), around=True):
        before = shapes.counts()[0]
        n = shapes.other(shapes.Node())
        assert shapes.node_users(n) == 1
        assert shapes.counts()[0] == before + 1
        del n
        assert shapes.counts()[0] == before


def test_references_are_to_objects_of_both_languages(shapes: Any) -> None:
    c = shapes.Circle(sides=3)
    assert shapes.weigh(c) == 3
    with pytest.raises(NoMethodError):
        shapes.weigh("text")
    with (
        method(shapes.weigh, str, len),
        method(shapes.weigh, object, lambda x: -1),
    ):
        assert shapes.weigh("text") == 4
        assert shapes.weigh(c) == 3
        assert shapes.weigh(None) == -1
        assert shapes.heavier("text", c) == "text"
        assert shapes.heavier("a", c) is c


def test_references_are_dispatched_on_by_abstract_classes(shapes: Any) -> None:
    from collections.abc import Sized

    with method(shapes.weigh, Sized, len):
        assert shapes.weigh([1, 2]) == 2
        with pytest.raises(NoMethodError):
            shapes.weigh(3)


def test_an_ambiguity_with_c_is_warned_of(shapes: Any) -> None:
    Circle, Square, Shape = shapes.Circle, shapes.Square, shapes.Shape
    with method(shapes.meet, Circle, Shape, lambda a, b: 1):
        with pytest.warns(AmbiguityWarning, match="meet"):
            shapes.meet.register(Shape, Circle, lambda a, b: 2)
        shapes.meet.remove(Shape, Circle)
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(AmbiguityWarning):
                shapes.meet.register(Shape, Circle, lambda a, b: 2)
        assert shapes.meet(Square(), Circle()) == 0
        assert len(shapes.meet.methods) == 1


def test_names_of_c_and_of_python_do_not_meet(folder: Path) -> None:
    printed = output_of(
        """
        from latebind import dispatch
        @dispatch
        def area(x: int): return "Python"
        print(area(1))
        import shapes
        print(area(1), shapes.area(shapes.Square(side=2)))
        """
    )
    assert printed.split() == ["Python", "Python", "4.0"]
