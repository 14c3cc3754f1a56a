"""`latebind.compat.gnosis`: the dispatcher of "Charming Python: Multiple Dispatch"."""

from __future__ import annotations

import collections.abc as c
import itertools
import sys
import threading

import pytest

from latebind import GenericFunction
from latebind.compat.gnosis import (
    AT_END,
    AT_START,
    SKIP,
    Dispatch,
    def_order,
    dylan_order,
    lexicographic_mro,
    reverse_def,
    unambiguous_lexicographic_mro,
    weighted_mro,
)


class Thing: ...


class Rock(Thing): ...


class Paper(Thing): ...


class Scissors(Thing): ...


class Fire(Thing): ...


class General: ...


class Between(General): ...


class Specific(Between): ...


def say(text):
    return lambda *args: text


def chain(*propagate, order=lexicographic_mro):
    """Rules for General, Between and Specific."""
    classes = (General, Between, Specific)
    rules = zip(classes, propagate, strict=True)
    return Dispatch([((cls,), say(cls.__name__), how) for cls, how in rules], order)


# ---- rules -------------------------------------------------------------------


def test_a_call_gives_a_list_with_the_result_of_the_best_rule():
    beats = Dispatch(
        [
            ((Rock, Scissors), say(True)),
            ((Scissors, Paper), say(True)),
            ((Thing, Thing), say(False)),
            ((Paper, Rock), say(True)),
        ]
    )
    beats.order = weighted_mro
    assert beats(Rock(), Scissors()) == [True]
    assert beats(Paper(), Scissors()) == [False]
    beats.add_rule((Fire, Thing), say("burns"), AT_END)
    beats.add_rule((Thing, Fire), say("is burnt"), AT_END)
    assert beats(Fire(), Rock()) == ["burns", False]
    assert beats(Fire(), Fire()) == ["burns", "is burnt", False]
    beats.remove_rule((Fire, Thing))
    assert beats(Fire(), Rock()) == [False]
    assert beats(Rock(), Fire()) == ["is burnt", False]


def test_it_is_a_generic_function():
    dispatch = chain(SKIP, SKIP, SKIP)
    assert isinstance(dispatch, GenericFunction)
    assert len(dispatch.methods) == 3


def test_a_hit_enters_no_python_function_of_ours():
    dispatch, value, seen = chain(AT_END, AT_END, AT_END), Specific(), []
    dispatch(value)

    def profile(frame, event, arg):
        if event == "call" and "latebind" in frame.f_globals.get("__name__", ""):
            seen.append(frame.f_code.co_name)

    sys.setprofile(profile)
    try:
        dispatch(value)
    finally:
        sys.setprofile(None)
    assert seen == []


def test_no_rule_is_a_type_error():
    dispatch = chain(SKIP, SKIP, SKIP)
    for args in [(1,), (), (General(), General())]:
        with pytest.raises(TypeError, match="Dispatch instance: no rule for <"):
            dispatch(*args)


def test_as_many_arguments_as_classes_are_taken():
    dispatch = Dispatch()
    dispatch.add_rule((General,), lambda *args: len(args))
    dispatch.add_rule((General, tuple), lambda *args: len(args))
    dispatch.add_rule((General, tuple, dict), lambda *args: len(args))
    dispatch.add_rule((), lambda *args: len(args))
    g = General()
    calls = [(), (g,), (g, ()), (g, (), {})]
    assert [dispatch(*args) for args in calls] == [[0], [1], [2], [3]]


@pytest.mark.parametrize(
    ("propagate", "result"),
    [
        ((SKIP, SKIP, SKIP), "S"),
        ((AT_END, AT_END, AT_END), "SBG"),
        ((AT_START, AT_START, AT_START), "GBS"),
        ((SKIP, AT_END, AT_START), "BGS"),
        ((SKIP, AT_START, AT_END), "SGB"),
        ((AT_END, SKIP, AT_END), "SB"),
        ((AT_START, SKIP, AT_START), "BS"),
    ],
)
def test_propagation_runs_the_next_rule_before_or_after(propagate, result):
    names = chain(*propagate)(Specific())
    assert "".join(name[0] for name in names) == result


def test_the_results_of_one_call_are_not_those_of_another():
    dispatch = chain(AT_END, AT_END, AT_END)
    first = dispatch(Specific())
    first.append("mine")
    assert dispatch(Specific()) == ["Specific", "Between", "General"]


def test_a_rule_replaces_the_one_with_equal_classes():
    dispatch = chain(SKIP, SKIP, SKIP)
    dispatch.add_rule((Specific,), say("new"), AT_END)
    assert dispatch(Specific()) == ["new", "Between"]
    assert len(dispatch.table) == 3


def test_removing_what_is_not_there_changes_nothing():
    dispatch = chain(SKIP, SKIP, SKIP)
    dispatch.remove_rule((int,))
    assert len(dispatch.table) == 3


def test_the_table_says_the_rules():
    function = say("x")
    dispatch = Dispatch([((General,), function), ((Between,), function, AT_START)])
    assert dispatch.table == [
        ((General,), function, SKIP),
        ((Between,), function, AT_START),
    ]


def test_a_clone_goes_its_own_way():
    dispatch = chain(AT_END, AT_END, AT_END, order=reverse_def)
    clone = dispatch.clone()
    assert clone.order is reverse_def and type(clone) is Dispatch
    clone.remove_rule((Between,))
    assert dispatch(Specific()) == ["Specific", "Between", "General"]
    assert clone(Specific()) == ["Specific", "General"]


def test_in_a_class_it_is_called_without_the_instance():
    class Holder:
        dispatch = chain(SKIP, SKIP, SKIP)

    assert Holder().dispatch(General()) == ["General"]


# ---- orders ------------------------------------------------------------------


def test_definition_orders():
    assert chain(AT_END, AT_END, AT_END, order=def_order)(Specific()) == [
        "General",
        "Between",
        "Specific",
    ]
    assert chain(AT_END, AT_END, AT_END, order=reverse_def)(Specific()) == [
        "Specific",
        "Between",
        "General",
    ]


def far(order):
    """First argument exact, or the second and third nearer."""
    return Dispatch(
        [
            ((Specific, General, General), say("left"), AT_END),
            ((General, Specific, Between), say("right"), AT_END),
            ((General, General, General), say("all"), AT_END),
        ],
        order,
    )


def test_lexicographic_and_weighted_orders_differ():
    args = Specific(), Specific(), Specific()
    assert far(lexicographic_mro)(*args) == ["left", "right", "all"]
    assert far(weighted_mro)(*args) == ["right", "left", "all"]


def test_dylans_order_refuses_what_nothing_decides():
    assert dylan_order is unambiguous_lexicographic_mro
    dispatch = far(dylan_order)
    with pytest.raises(TypeError, match="no order between the rules <Specific, .* and"):
        dispatch(Specific(), Specific(), Specific())
    assert dispatch(Between(), Specific(), Specific()) == ["right", "all"]
    assert dispatch(Specific(), Between(), Specific()) == ["left", "all"]


def test_dylans_order_ends_where_nothing_decides():
    dispatch = Dispatch(
        [
            ((Specific, Specific), say("first"), AT_END),
            ((Between, General), say("left"), AT_END),
            ((General, Between), say("right"), AT_END),
        ],
        dylan_order,
    )
    assert dispatch(Specific(), Specific()) == ["first"]


def test_dylans_order_goes_by_subtype_before_place():
    class Left: ...

    class Right: ...

    class Both(Left, Right): ...

    dispatch = Dispatch([((Right,), say("R")), ((Left,), say("L"))], dylan_order)
    assert dispatch(Both()) == ["L"]


def test_an_order_of_ones_own_sees_classes_and_rules():
    seen = []

    def shortest_name(signature, matches):
        seen.append((list(signature), list(matches)))
        return sorted(matches, key=lambda rule: len(rule[0][0].__name__))

    dispatch = chain(AT_END, AT_END, SKIP, order=shortest_name)
    assert dispatch(Specific()) == ["General", "Between", "Specific"]
    dispatch(Specific())
    assert seen == [([Specific], dispatch.table)]


def test_a_new_order_counts_from_the_next_call_on():
    dispatch = chain(SKIP, SKIP, SKIP)
    assert dispatch(Specific()) == ["Specific"]
    dispatch.order = def_order
    assert dispatch(Specific()) == ["General"]


@pytest.mark.parametrize("order", [lexicographic_mro, weighted_mro, dylan_order])
def test_abstract_classes_stand_behind_the_last_real_one(order):
    dispatch = Dispatch(
        [
            ((object,), say("object"), AT_END),
            ((c.Sized,), say("sized"), AT_END),
            ((dict,), say("dict"), AT_END),
        ],
        order,
    )

    class Mine(dict): ...

    assert dispatch(Mine()) == ["dict", "sized", "object"]
    assert dispatch([]) == ["sized", "object"]


# ---- the next method ---------------------------------------------------------


def manual():
    trace = []

    def general(x, dispatch):
        trace.append("general")
        return "general"

    def between(x, dispatch):
        trace.append(f"between before {dispatch.next_method()}")
        return "between"

    def specific(x, dispatch):
        trace.append(f"specific before {dispatch.next_method()}")
        trace.append(f"again {dispatch.next_method()}")
        return "specific"

    multi = Dispatch()
    multi.add_dispatchable((General,), general)
    multi.add_dispatchable((Between,), between)
    multi.add_rule((Specific, Dispatch), specific)
    return multi, trace


def test_a_function_with_the_dispatcher_calls_the_next_one():
    multi, trace = manual()
    assert multi.with_dispatch(Specific()) == ["specific"]
    assert trace == [
        "general",
        "between before general",
        "specific before between",
        "general",
        "between before general",
        "again between",
    ]
    value = Between()
    assert multi(value, multi) == ["between"]


def test_the_last_one_has_no_next():
    multi = Dispatch()
    multi.add_dispatchable((General,), lambda x, dispatch: dispatch.next_method())
    with pytest.raises(IndexError, match="no rule after <General, Dispatch>"):
        multi.with_dispatch(General())


def test_a_function_may_name_the_dispatcher_instead_of_taking_it():
    multi = Dispatch([((General,), say("general"))])
    multi.add_rule((Specific,), lambda x: ["specific", multi.next_method()])
    assert multi(Specific()) == [["specific", "general"]]


def test_outside_of_a_call_there_is_no_next_method():
    with pytest.raises(RuntimeError, match="add_dispatchable"):
        Dispatch().next_method()


def test_the_place_is_the_callers_own():
    multi = Dispatch()

    def specific(x, dispatch):
        # A call of the same dispatcher in between does not move this one.
        inner = dispatch.with_dispatch(Between()) if x.again else None
        return [inner, dispatch.next_method()]

    multi.add_dispatchable((General,), lambda x, dispatch: "general")
    multi.add_dispatchable((Between,), lambda x, dispatch: dispatch.next_method())
    multi.add_dispatchable((Specific,), specific)
    value = Specific()
    value.again = True
    assert multi.with_dispatch(value) == [[["general"], "general"]]


def test_threads_need_no_clone():
    multi, wrong = Dispatch(), []
    multi.add_dispatchable((General,), lambda x, dispatch: x)
    multi.add_dispatchable((Between,), lambda x, dispatch: dispatch.next_method())

    def call():
        for _ in range(300):
            value = Between()
            if multi.with_dispatch(value) != [value]:
                wrong.append(value)

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_types_decide_whatever_the_metaclass_says_of_instances():
    class Refuses(type):
        def __instancecheck__(cls, value):
            raise AssertionError("nobody asks")

    class Var(metaclass=Refuses): ...

    multi = Dispatch([((Var,), say("var")), ((object,), say("object"))])
    assert [multi(Var()), multi(1), multi(Var())] == [["var"], ["object"], ["var"]]


def walked(propagates, asks):
    """What runs, by one position that moves on with every rule that begins."""
    trace, results, at = [], [], 0

    def call(i):
        nonlocal at
        trace.append(f"{i} begins")
        for _ in range(asks[i]):
            if at == len(propagates):
                trace.append("none is left")
                continue
            at += 1
            trace.append(call(at - 1))
            at -= 1
        return f"{i} ends"

    def run():
        nonlocal at
        if at < len(propagates):
            i, at = at, at + 1
            if propagates[i] == AT_START:
                run()
            results.append(call(i))
            if propagates[i] == AT_END:
                run()

    run()
    return results, trace


ALL_WAYS = list(itertools.product((AT_START, SKIP, AT_END), repeat=3))


@pytest.mark.parametrize("propagates", ALL_WAYS)
def test_next_method_goes_on_behind_what_ran(propagates):
    classes = (Specific, Between, General)
    for asks in itertools.product((0, 1, 2), repeat=3):
        multi, trace = Dispatch(), []

        def function(i, multi=multi, trace=trace, asks=asks):
            def run(x, dispatch):
                trace.append(f"{i} begins")
                for _ in range(asks[i]):
                    try:
                        trace.append(multi.next_method())
                    except IndexError:
                        trace.append("none is left")
                return f"{i} ends"

            return run

        for i, cls in enumerate(classes):
            multi.add_dispatchable((cls,), function(i), propagates[i])
        found = multi.with_dispatch(Specific())
        assert (found, trace) == walked(propagates, asks)


def test_an_order_may_want_no_rule_at_all():
    multi = Dispatch([((General,), say("general"))], lambda classes, rules: [])
    assert multi(General()) == []
    with pytest.raises(TypeError, match="no rule for <int>"):
        multi(1)


def test_as_class_method_it_gets_the_class():
    class Owner:
        made = classmethod(Dispatch([((type, int), lambda cls, x: (cls, x))]))

    assert Owner.made(1) == Owner().made(1) == [(Owner, 1)]
