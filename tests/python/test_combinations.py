"""Befores, afters, arounds, propagation, and other combinations of results."""

from typing import Any

import pytest

from latebind import NoMethodError, generic


class A: ...


class B(A): ...


class C(B): ...


def declare(**options: Any) -> Any:
    @generic(**options)
    def f(x, *rest): ...

    return f


@pytest.fixture
def log() -> list[str]:
    return []


def logged(f: Any, log: list[str], **how: Any) -> Any:
    """A primary method for each class, and one of the kind asked for."""
    for cls in (A, B, C):
        name = cls.__name__
        f.register(cls, lambda x, name=name: log.append(name) or name)
        if how:
            text = f"{next(iter(how.values()))} {name}"
            f.register(cls, lambda x, text=text: log.append(text), **how)
    return f


def test_befores_run_first_the_most_specific_first(log: list[str]) -> None:
    f = logged(declare(), log, qualifier="before")
    assert f(C()) == "C"
    assert log == ["before C", "before B", "before A", "C"]


def test_afters_run_last_the_most_specific_last(log: list[str]) -> None:
    f = logged(declare(), log, qualifier="after")
    assert f(C()) == "C"
    assert log == ["C", "after A", "after B", "after C"]


def test_an_around_decides_whether_the_rest_runs(log: list[str]) -> None:
    f = logged(declare(), log, qualifier="before")

    @f.register(A, qualifier="around")
    def _(x, *rest, next_method):
        log.append("around")
        return ("around", next_method()) if type(x) is C else "stopped"

    assert f(B()) == "stopped"
    assert log == ["around"]
    del log[:]
    assert f(C()) == ("around", "C")
    assert log == ["around", "before C", "before B", "before A", "C"]


def test_arounds_go_around_each_other_and_around_the_rest(log: list[str]) -> None:
    f = declare()
    f.register(A, lambda x: log.append("primary"))
    f.register(A, lambda x: log.append("before"), qualifier="before")
    for cls in (A, B):

        @f.register(cls, qualifier="around")
        def _(x, *, next_method, cls=cls):
            log.append(f"in {cls.__name__}")
            next_method()
            log.append(f"out {cls.__name__}")

    f(B())
    assert log == ["in B", "in A", "before", "primary", "out A", "out B"]


def test_one_signature_may_have_one_method_of_each_kind(log: list[str]) -> None:
    f = declare()
    f.register(A, lambda x: log.append("primary"))
    f.register(A, lambda x: log.append("before"), before=True)
    f.register(A, lambda x: log.append("after"), after=True)

    @f.register(A, around=True)
    def _(x, *, next_method):
        log.append("around")
        next_method()

    f(A())
    assert log == ["around", "before", "primary", "after"]
    assert sorted(one.qualifier for one in f.methods) == [
        "after",
        "around",
        "before",
        "primary",
    ]


def test_results_of_befores_and_afters_are_dropped(log: list[str]) -> None:
    f = declare()
    f.register(A, lambda x: "primary")
    f.register(A, lambda x: "before", qualifier="before")
    f.register(A, lambda x: "after", qualifier="after")
    assert f(A()) == "primary"


def test_without_a_primary_method_nothing_runs(log: list[str]) -> None:
    f = declare()
    f.register(A, lambda x: log.append("before"), qualifier="before")
    f.register(A, lambda x, *, next_method: log.append("a"), qualifier="around")
    with pytest.raises(NoMethodError):
        f(A())
    assert log == []


def test_an_error_in_a_before_keeps_the_rest_from_running(log: list[str]) -> None:
    f = logged(declare(), log, qualifier="after")

    @f.register(B, qualifier="before")
    def _(x):
        raise KeyError("early")

    with pytest.raises(KeyError, match="early"):
        f(B())
    assert log == []
    assert f(A()) == "A"


def test_an_error_in_an_after_is_the_error_of_the_call(log: list[str]) -> None:
    f = logged(declare(), log)

    @f.register(B, qualifier="after")
    def _(x):
        raise KeyError("late")

    with pytest.raises(KeyError, match="late"):
        f(B())
    assert log == ["B"]


def test_befores_that_fit_more_widely_than_the_primary(log: list[str]) -> None:
    f = declare()
    f.register(C, lambda x: log.append("C"))
    f.register(object, lambda x: log.append("any"), qualifier="before")
    f(C())
    assert log == ["any", "C"]
    with pytest.raises(NoMethodError):
        f(1)


def test_a_removed_before_does_not_run(log: list[str]) -> None:
    f = declare()
    f.register(A, lambda x: log.append("A"))
    before = f.add(lambda x: log.append("before"), A, qualifier="before")
    f(A())
    f.remove(before)
    f(A())
    assert log == ["before", "A", "A"]


def test_propagation_at_the_start_runs_the_next_method_first(log: list[str]) -> None:
    f = declare()
    for cls in (A, B, C):
        f.register(
            cls,
            lambda x, name=cls.__name__: log.append(name) or name,
            propagate="start",
        )
    assert f(C()) == "C"
    assert log == ["A", "B", "C"]


def test_propagation_at_the_end_runs_the_next_method_last(log: list[str]) -> None:
    f = declare()
    for cls in (A, B, C):
        f.register(
            cls,
            lambda x, name=cls.__name__: log.append(name) or name,
            propagate="end",
        )
    assert f(C()) == "C"
    assert log == ["C", "B", "A"]


def test_a_propagating_method_may_be_the_last(log: list[str]) -> None:
    f = declare()
    f.register(A, lambda x: log.append("A") or "A", propagate="start")
    assert f(A()) == "A"


# ------------------------------------------------------------- combinations


def combined(combination: Any, *results: Any) -> Any:
    """A function whose methods give `results`, the most specific first."""
    f = declare(combination=combination)
    for cls, result in zip((C, B, A), results, strict=False):
        f.register(cls, lambda x, result=result: result)
    return f


def test_standard_gives_the_first_result() -> None:
    assert combined("standard", 1, 2, 3)(C()) == 1


def test_first_is_never_ambiguous() -> None:
    @generic(combination="first")
    def f(x, y): ...

    f.register(A, object, lambda x, y: "left")
    f.register(object, A, lambda x, y: "right")
    assert f(A(), A()) == "left"


def test_list_gives_all_results() -> None:
    f = combined("list", 1, 2, 3)
    assert (f(C()), f(B()), f(A())) == ([1, 2, 3], [2, 3], [3])
    with pytest.raises(NoMethodError):
        f(1)


def test_sum_adds_them_up() -> None:
    f = combined("sum", 1, 20, 300)
    assert (f(C()), f(A())) == (321, 300)


def test_sum_works_for_whatever_can_be_added() -> None:
    assert combined("sum", "a", "b", "c")(C()) == "abc"


def test_and_stops_at_the_first_false_result() -> None:
    assert combined("and", 1, 2, 3)(C()) == 3
    assert combined("and", 1, 0, None)(C()) == 0

    f = combined("and", [])

    @f.register(B)
    def _(x):
        raise AssertionError("not to be run")

    assert f(C()) == []


def test_or_stops_at_the_first_true_result() -> None:
    assert combined("or", 0, 2, 3)(C()) == 2
    assert combined("or", 0, None, "")(C()) == ""

    f = combined("or", 7)

    @f.register(B)
    def _(x):
        raise AssertionError("not to be run")

    assert f(C()) == 7


def test_append_joins_lists() -> None:
    assert combined("append", [1, 2], [], [3])(C()) == [1, 2, 3]


def test_a_function_combines_the_results() -> None:
    f = combined(max, 1, 7, 3)
    assert (f(C()), f(A())) == (7, 3)
    assert combined(tuple, 1, 2, 3)(C()) == (1, 2, 3)


def test_an_error_while_combining_is_the_error_of_the_call() -> None:
    f = combined("sum", 1, "a")
    with pytest.raises(TypeError, match="unsupported operand"):
        f(C())

    class Unsure:
        def __bool__(self) -> bool:
            raise KeyError("unsure")

    with pytest.raises(KeyError, match="unsure"):
        combined("and", Unsure(), 1)(C())


def test_a_combination_without_order_takes_the_first_defined_first() -> None:
    @generic(combination="list")
    def f(x, y): ...

    f.register(A, object, lambda x, y: "left")
    f.register(object, A, lambda x, y: "right")
    assert f(A(), A()) == ["left", "right"]


def test_befores_and_arounds_go_around_a_combination(log: list[str]) -> None:
    f = combined("sum", 1, 2, 3)
    f.register(A, lambda x: log.append("before"), qualifier="before")
    f.register(A, lambda x: log.append("after"), qualifier="after")

    @f.register(A, qualifier="around")
    def _(x, *, next_method):
        return ("around", next_method())

    assert f(C()) == ("around", 6)
    assert log == ["before", "after"]


def test_an_unknown_combination_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="append"):
        declare(combination="product")


def test_an_unknown_qualifier_is_refused_with_the_known_ones() -> None:
    f = declare()
    with pytest.raises(ValueError, match="around"):
        f.register(A, lambda x: None, qualifier="beside")
    with pytest.raises(ValueError, match="start"):
        f.register(A, lambda x: None, propagate="middle")


def test_keywords_and_further_arguments_reach_every_method(log: list[str]) -> None:
    @generic
    def f(x, *rest, **named): ...

    def note(where: str) -> Any:
        return lambda x, *rest, **named: log.append((where, rest, named))

    f.register(A, note("primary"))
    f.register(A, note("before"), qualifier="before")
    f.register(A, note("after"), qualifier="after")
    f(A(), 1, key=2)
    assert log == [(one, (1,), {"key": 2}) for one in ("before", "primary", "after")]
