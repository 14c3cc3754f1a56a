"""`dispatch`, `Dispatcher`, and what a generic function lets one add and remove."""

import gc
import sys
import textwrap
import threading
import warnings
import weakref
from typing import Any

import pytest
from support import module_of

import latebind
from latebind import Dispatcher, NoMethodError, dispatch, generic


def test_definitions_of_one_name_are_one_function() -> None:
    @dispatch
    def area(x: int) -> str:
        return "int"

    first = area

    @dispatch
    def area(x: str) -> str:
        return "str"

    assert area is first
    assert (area(1), area("a")) == ("int", "str")
    assert len(area.methods) == 2


def test_the_most_specific_definition_runs_whatever_the_order_of_definition() -> None:
    @dispatch
    def f(x: object) -> str:
        return "object"

    @dispatch
    def f(x: bool) -> str:
        return "bool"

    @dispatch
    def f(x: int) -> str:
        return "int"

    assert [f(True), f(1), f("a")] == ["bool", "int", "object"]


def test_a_parameter_without_annotation_takes_everything() -> None:
    @dispatch
    def f(x, y: int) -> str:
        return "int"

    @dispatch
    def f(x, y) -> str:
        return "any"

    assert f(None, 1) == f("a", 2) == "int"
    assert f(None, "a") == "any"


def test_each_run_of_a_scope_has_functions_of_its_own() -> None:
    def scope(result: str) -> Any:
        @dispatch
        def f(x: int) -> str:
            return result

        return f

    one, two = scope("one"), scope("two")
    assert one is not two
    assert (one(1), two(1)) == ("one", "two")


def test_the_same_name_in_two_modules_is_two_functions() -> None:
    code = """
        from latebind import dispatch
        @dispatch
        def f(x: int):
            return __name__
    """
    one, two = module_of(code, "one"), module_of(code, "two")
    assert (one.f(1), two.f(1)) == ("one", "two")


def test_an_imported_generic_function_is_not_extended_by_its_name() -> None:
    one = module_of(
        """
        from latebind import dispatch
        @dispatch
        def f(x: int):
            return "one"
        """,
        "one",
    )
    two = {"__name__": "two", "f": one.f}
    exec("from latebind import dispatch\n@dispatch\ndef f(x: str): return 'two'", two)
    assert two["f"] is not one.f
    with pytest.raises(NoMethodError):
        one.f("a")


def test_a_name_bound_to_something_else_starts_anew() -> None:
    def f(x: Any) -> str:
        return "plain"

    @dispatch
    def f(x: int) -> str:
        return "int"

    with pytest.raises(NoMethodError):
        f("a")
    f = 3

    @dispatch
    def f(x: str) -> str:
        return "str"

    with pytest.raises(NoMethodError):
        f(1)


def test_defining_the_same_signature_again_replaces_the_method() -> None:
    @dispatch
    def f(x: int) -> str:
        return "old"

    assert f(1) == "old"

    @dispatch
    def f(x: int) -> str:
        return "new"

    assert f(1) == "new"
    assert len(f.methods) == 1


def test_a_cell_that_is_run_twice_changes_nothing() -> None:
    cell = textwrap.dedent(
        """
        from latebind import dispatch
        @dispatch
        def f(x: int, y): return "int"
        @dispatch
        def f(x: str, y): return "str"
        """
    )
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(cell, space)
    first = space["f"]
    assert first(1, 2) == "int"
    exec(cell, space)
    assert space["f"] is first
    assert len(first.methods) == 2
    assert (first(1, 2), first("a", 2)) == ("int", "str")


def test_a_class_that_is_redefined_in_a_cell_gets_the_new_method() -> None:
    cell = textwrap.dedent(
        """
        from latebind import dispatch
        class Point: ...
        @dispatch
        def f(p: Point): return number
        @dispatch
        def f(p: object): return "other"
        """
    )
    space: dict[str, Any] = {"__name__": "__main__", "number": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(cell, space)
        old = space["Point"]()
        assert space["f"](old) == 1
        space["number"] = 2
        exec(cell, space)
    assert space["f"](space["Point"]()) == 2
    assert space["f"](old) in (2, "other")  # the body reads the global: 2


def test_a_dispatcher_is_a_namespace_of_its_own() -> None:
    mine, yours = Dispatcher(), Dispatcher()

    @mine
    def f(x: int) -> str:
        return "mine"

    @yours
    def f(x: int) -> str:
        return "yours"

    assert (mine["f"](1), yours["f"](1)) == ("mine", "yours")
    assert set(mine.functions) == {"f"}


def test_a_dispatcher_goes_by_name_across_scopes() -> None:
    here = Dispatcher()

    def one() -> None:
        @here
        def f(x: int) -> str:
            return "int"

    def two() -> None:
        @here
        def f(x: str) -> str:
            return "str"

    one()
    two()
    assert (here["f"](1), here["f"]("a")) == ("int", "str")


def test_options_of_a_dispatcher_are_those_of_its_functions() -> None:
    here = Dispatcher(order="definition")

    @here
    def f(x: object) -> str:
        return "first"

    @here
    def f(x: int) -> str:
        return "second"

    assert here["f"](1) == "first"


@pytest.mark.parametrize("make", [dispatch, generic, Dispatcher])
def test_an_unknown_option_is_refused_by_name(make: Any) -> None:
    with pytest.raises(TypeError, match="odrer"):
        make(odrer="symmetric")


def test_an_unknown_order_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="symmetric"):

        @dispatch(order="sideways")
        def f(x: int) -> None: ...


@pytest.mark.parametrize("what", [3, "f", None])
def test_what_cannot_be_called_is_no_method(what: Any) -> None:
    @generic
    def f(x): ...

    with pytest.raises(TypeError):
        f.add(what, int)
    with pytest.raises(TypeError):
        f.register(int)(what)
    with pytest.raises(TypeError):
        dispatch(what) if what is not None else dispatch()(None)
    assert f.methods == ()


# ------------------------------------------------------------------- register


def test_register_by_annotation_returns_the_function_itself() -> None:
    @generic
    def f(x): ...

    def on_int(x: int) -> str:
        return "int"

    assert f.register(on_int) is on_int
    assert f(1) == "int"


def test_register_by_types() -> None:
    @generic
    def f(x, y): ...

    @f.register(int, str)
    def on_both(a, b):
        return "int, str"

    assert f.register(str, lambda x, y: "str, any") is not None
    assert f(1, "a") == "int, str"
    assert f("a", 1.5) == "str, any"


def test_register_by_keyword() -> None:
    @generic
    def f(x, *, key): ...

    @f.register(int, key=str)
    def on_str(x, *, key):
        return "str"

    @f.register(int, key=bytes)
    def on_bytes(x, *, key):
        return "bytes"

    assert (f(1, key="a"), f(1, key=b"a")) == ("str", "bytes")


def test_types_given_to_register_go_before_annotations() -> None:
    @generic
    def f(x, y): ...

    @f.register(int)
    def on_int(x: str, y: bytes) -> str:
        return "registered"

    assert f(1, b"") == "registered"
    with pytest.raises(NoMethodError):
        f("a", b"")


def test_the_same_function_may_serve_several_types() -> None:
    @generic
    def f(x): ...

    @f.register(int)
    @f.register(str)
    def on_some(x):
        return "some"

    assert (f(1), f("a"), len(f.methods)) == ("some", "some", 2)


def test_a_function_written_in_c_is_a_method() -> None:
    @generic
    def size(x): ...

    size.register(str, len)
    size.register(int, abs)
    size.register(list, list.copy)
    assert size("abc") == 3
    assert size(-4) == 4
    given = [1]
    assert size(given) == [1] and size(given) is not given


def test_a_class_and_a_callable_object_are_methods() -> None:
    class Adds:
        def __call__(self, x: Any) -> Any:
            return x + 1

    @generic
    def f(x): ...

    f.register(int, Adds())
    f.add(list, str)  # a class is taken for a type by register
    assert (f(1), f("ab")) == (2, ["a", "b"])


def test_a_method_says_where_it_is_from() -> None:
    @dispatch
    def f(x: int, *, key: str = "") -> None:
        """Says something."""

    (method,) = f.methods
    assert method.qualifier == "primary"
    assert method.function(1) is None
    assert set(method.hints) >= {"x", "key"}
    path, line = method.source.rsplit(":", 1)
    assert path.endswith("test_dispatch.py")
    assert int(line) > 1
    assert "x: int" in method.signature_text
    assert "int" in repr(method)


def test_hints_of_a_method_check_values() -> None:
    @dispatch
    def f(x: list[int]) -> None: ...

    hint = f.methods[0].hints["x"]
    assert hint.check([1]) and not hint.check(["a"])
    assert hint.text == "list[int]"


# ------------------------------------------------------------- add and remove


def make_pair() -> Any:
    @dispatch
    def f(x: object) -> str:
        return "object"

    @dispatch
    def f(x: int) -> str:
        return "int"

    return f


def test_removing_a_method_uncovers_the_inherited_one() -> None:
    f = make_pair()
    assert f(1) == "int"
    f.remove(f.resolve(int))
    assert f(1) == "object"


def test_a_method_is_removed_by_its_function_or_its_types() -> None:
    f = make_pair()
    f.remove(f.resolve(int).function)
    assert f(1) == "object"
    f.remove(object)
    assert f.methods == ()
    with pytest.raises(NoMethodError):
        f(1)


def test_removing_what_is_not_there_is_an_error_that_changes_nothing() -> None:
    f = make_pair()
    method = f.resolve(int)
    f.remove(method)
    with pytest.raises((LookupError, ValueError, TypeError)):
        f.remove(method)
    with pytest.raises((LookupError, ValueError, TypeError)):
        f.remove(str)
    with pytest.raises((LookupError, ValueError, TypeError)):
        f.remove(len)
    assert [one.signature_text.count("object") for one in f.methods] == [1]


def test_a_removed_method_can_be_added_again() -> None:
    f = make_pair()
    method = f.resolve(int)
    for _ in range(3):
        f.remove(method)
        assert f(1) == "object"
        method = f.add(method)
        assert f(1) == "int"


def test_one_method_can_serve_two_generic_functions() -> None:
    f, g = make_pair(), make_pair()
    method = f.add(lambda x: "text", str)
    g.add(method)
    assert (f("a"), g("a")) == ("text", "text")
    f.remove(method)
    assert (f("a"), g("a")) == ("object", "text")


def test_methods_are_listed_in_the_order_of_definition() -> None:
    f = make_pair()
    f.add(lambda x: "text", str)
    texts = [one.signature_text for one in f.methods]
    assert ["object" in texts[0], "int" in texts[1], "str" in texts[2]] == [True] * 3


def test_a_clone_goes_its_own_way() -> None:
    f = make_pair()
    g = f.clone("g")
    assert g.__name__ == "g"
    g.add(lambda x: "clone", str)
    f.remove(int)
    assert (f("a"), g("a")) == ("object", "clone")
    assert (f(1), g(1)) == ("object", "int")


def test_map_calls_for_each_element() -> None:
    @dispatch
    def add(x: int, y: int) -> int:
        return x + y

    @dispatch
    def add(x: str, y: object) -> str:
        return f"{x}{y}"

    assert add.map([1, "a", 3], [10, 20, 30]) == [11, "a20", 33]
    assert add.map([], []) == []
    assert add.map(iter([1]), (n for n in [2])) == [3]


def test_map_passes_an_error_on() -> None:
    f = make_pair()
    f.remove(object)
    with pytest.raises(NoMethodError):
        f.map([1, "a"])


def test_the_report_is_html_that_names_the_methods() -> None:
    @dispatch
    def f(x: int, y: list[str]) -> None:
        """Uses <angle> brackets."""

    report = f.report()
    assert "<html" in report.lower()
    assert "list[str]" in report
    assert "<angle>" not in report


# ------------------------------------------------------ what is no type


@pytest.mark.parametrize(
    "given", [(5,), (int, 5), (5, len), (int, 5, len), ((int, str),), (..., len)]
)
def test_what_is_neither_type_nor_function_is_refused_at_once(given: Any) -> None:
    @generic
    def f(x, y): ...

    with pytest.raises(TypeError, match="neither a type nor a function; accepted are"):
        f.register(*given)
    with pytest.raises(TypeError, match="f.register: x=5 is no type of a parameter"):
        f.register(x=5)
    assert f.methods == ()


def test_types_alone_make_a_decorator() -> None:
    """A class is a type, also where a function could stand."""

    @generic
    def f(x, y): ...

    @f.register(bytes, bytearray)
    def both(x, y):
        return "both"

    assert f(b"", bytearray()) == "both"
    assert f.methods[0].function is both


# ------------------------------------------------------ removing by types


def test_types_that_nobody_wrote_need_not_be_named() -> None:
    @dispatch
    def f(x: int, y=0): ...

    f.remove(int)
    assert f.methods == ()
    f.register(int, lambda x, y, *rest: 0)
    f.remove(int)
    assert f.methods == ()
    f.register(int, lambda x, y: 0)
    f.remove(int, object)
    assert f.methods == ()


def test_a_method_of_just_these_types_is_meant_first() -> None:
    @dispatch
    def f(x: int): ...
    @dispatch
    def f(x: int, y=0): ...
    @dispatch
    def f(x: int, y=0, z=0): ...

    one, two, three = f.methods
    f.remove(int)
    assert f.methods == (two, three)
    with pytest.raises(LookupError, match="several methods") as caught:
        f.remove(int)
    assert repr(two) in str(caught.value) and repr(three) in str(caught.value)
    assert repr(one) not in str(caught.value)
    f.remove(int, object)
    assert f.methods == (three,)


def test_types_that_somebody_wrote_must_be_named() -> None:
    @dispatch
    def f(x: int, y: str = ""): ...

    with pytest.raises(LookupError, match="types of all positional") as caught:
        f.remove(int)
    assert repr(f.methods[0]) in str(caught.value)
    f.remove(int, str)
    assert f.methods == ()


# ------------------------------------------------------ names that come later


def test_adding_needs_the_names_at_once() -> None:
    @generic
    def f(x): ...

    def method(x: "NotThere"): ...  # noqa: F821

    with pytest.raises(NameError, match="NotThere"):
        f.add(method)
    assert f.methods == ()
    with pytest.raises(NoMethodError):
        f(1)


def test_an_annotation_may_name_what_is_defined_later() -> None:
    module = module_of(
        """
        from latebind import dispatch

        @dispatch
        def f(x: "Later"):
            return "later"

        @dispatch
        def f(x: object):
            return "object"

        class Later: ...
        """
    )
    assert module.f(module.Later()) == "later"
    assert module.f(1) == "object"


def test_a_name_that_never_comes_is_named_at_the_call() -> None:
    module = module_of(
        """
        from latebind import dispatch

        @dispatch
        def f(x: "Never"): ...
        """
    )
    with pytest.raises(NameError, match="Never"):
        module.f(1)
    module.Never = int
    assert module.f(1) is None


WAITING = """
from latebind import dispatch, group

class A: ...

@dispatch(order="{order}")
def f(x: A): return 1

@dispatch
def f(x: "Later", y: object = 0): return 2

@dispatch
def f(x: object): return 3

@dispatch
def f(x: "Last"): return 4

@dispatch
def f(x: A, *rest): return 5
"""


@pytest.mark.parametrize("names", [("Later", "Last"), ("Last", "Later")])
@pytest.mark.parametrize(("order", "first"), [("definition", 1), ("symmetric", 4)])
def test_methods_stand_in_the_order_of_the_source(
    order: str, first: int, names: tuple[str, str]
) -> None:
    module = module_of(WAITING.format(order=order))
    assert [one.function(0) for one in module.f.methods] == [1, 3, 5]
    with pytest.raises(NameError):
        module.f(1)
    kept = type("Kept", (module.A,), {})
    for name in names:
        setattr(module, name, kept)
        if name != names[-1]:
            with pytest.raises(NameError, match=names[-1]):
                module.f(1)
    assert module.f(kept()) == first
    assert [one.function(0) for one in module.f.methods] == [1, 2, 3, 4, 5]


def test_of_definitions_for_the_same_types_the_last_one_counts() -> None:
    module = module_of(
        """
        from latebind import dispatch

        @dispatch
        def f(x: "Node"): return "first"

        class Node: ...

        @dispatch
        def f(x: Node): return "second"

        @dispatch
        def g(x: int): return "first"

        @dispatch
        def g(x: "Number"): return "second"

        @dispatch
        def g(x: int): return "third"

        Number = int
        """
    )
    assert (module.f(module.Node()), len(module.f.methods)) == ("second", 1)
    assert (module.g(1), len(module.g.methods)) == ("third", 1)


def test_a_definition_that_waits_in_a_group_goes_with_it() -> None:
    @generic
    def f(x): ...

    def first(x: "Later1"): ...  # noqa: F821

    with pytest.raises(KeyError), latebind.group():
        f.register(first)
        raise KeyError
    with pytest.raises(latebind.NoMethodError):
        f(1)  # nothing waits
    space: dict[str, Any] = {"f": f, "group": latebind.group}
    exec(
        "with group():\n"
        "    @f.register\n"
        "    def one(x: 'Coming'): return 1\n"
        "    class Coming: ...\n"
        "    @f.register\n"
        "    def two(x: object): return 2\n"
        "count = len(f.methods)\n",
        space,
    )
    assert space["count"] == 2
    assert f(space["Coming"]()) == 1


def test_what_waits_is_judged_when_it_comes() -> None:
    module = module_of(
        """
        from latebind import dispatch

        @dispatch
        def f(x: "Late", y: object): return 1

        @dispatch
        def f(x: object, y: int): return 2
        """
    )
    module.Late = int
    with pytest.warns(latebind.AmbiguityWarning):
        assert module.f("a", 1) == 2
    module = module_of(
        """
        from latebind import dispatch

        @dispatch(strict=True)
        def f(x: "Late", y: object): return 1

        @dispatch
        def f(x: object, y: int): return 2
        """
    )
    module.Late = int
    for _ in range(2):
        with pytest.raises(latebind.AmbiguousMethodError):
            module.f("a", 1)
    assert [one.function(1, 1) for one in module.f.methods] == [2]


def test_a_definition_that_is_refused_does_not_come_back() -> None:
    """Of definitions that wait, too, what failed is not done again."""
    module = module_of(
        """
        from latebind import dispatch

        @dispatch(strict=True)
        def f(x: "Late"): return 0

        @dispatch
        def f(x: int, y: object): return 1
        """
    )
    with pytest.raises(latebind.AmbiguousMethodError):
        module.f.register(object, int, lambda x, y: 2)
    module.Late = str
    assert (module.f(""), module.f(1, 1), len(module.f.methods)) == (0, 1, 2)


def test_threads_that_settle_and_define_lose_nothing() -> None:
    for _ in range(20):
        space: dict[str, Any] = {"dispatch": dispatch}
        exec(
            "@dispatch\ndef f(x: 'Late'): return 0\n@dispatch\ndef f(x: str): return 1",
            space,
        )
        f = space["f"]
        classes = [type(f"C{i}", (), {}) for i in range(20)]
        start = threading.Barrier(3)

        def define(part: list[type], f: Any = f, start: Any = start) -> None:
            start.wait()
            for cls in part:
                f.register(cls, lambda x: 2)

        def call(f: Any = f, start: Any = start) -> None:
            start.wait()
            for _ in range(10):
                f("x")

        space["Late"] = int
        threads = [
            threading.Thread(target=define, args=(classes[:10],)),
            threading.Thread(target=define, args=(classes[10:],)),
            threading.Thread(target=call),
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert [f(1), f("x"), *{f(cls()) for cls in classes}] == [0, 1, 2]
        assert len(f.methods) == 22


def test_annotations_may_all_be_text() -> None:
    module = module_of(
        """
        from __future__ import annotations
        from latebind import dispatch

        @dispatch
        def f(x: int | None, *rest: str, key: list[Tree] = ()):
            return "first"

        @dispatch
        def f(x: Tree):
            return "tree"

        class Tree: ...
        """
    )
    assert module.f(None, "a", key=[module.Tree()]) == "first"
    assert module.f(module.Tree()) == "tree"
    with pytest.raises(NoMethodError):
        module.f(1, 2)


def test_text_annotations_find_the_locals_around_them() -> None:
    module = module_of(
        """
        from __future__ import annotations
        from latebind import dispatch

        def scope():
            class Inner: ...

            @dispatch
            def f(x: Inner):
                return "inner"

            return f, Inner
        """
    )
    f, inner = module.scope()
    assert f(inner()) == "inner"


def test_a_class_may_name_itself_in_its_methods() -> None:
    module = module_of(
        """
        from __future__ import annotations
        from latebind import dispatch

        class Vector:
            @dispatch
            def mul(self, other: Vector):
                return "vector"

            @dispatch
            def mul(self, other: float):
                return "float"
        """
    )
    vector = module.Vector()
    assert (vector.mul(vector), vector.mul(1.0)) == ("vector", "float")


# ------------------------------------------------------------------ life time


def test_a_generic_function_that_nobody_holds_is_collected() -> None:
    class Held: ...

    def make() -> Any:
        @dispatch
        def f(x: Held) -> Any:
            return f  # a cycle

        return f

    f = make()
    f(Held())
    watch = weakref.ref(f)
    del f
    gc.collect()
    assert watch() is None


def test_a_removed_method_is_not_kept() -> None:
    f = make_pair()

    def text(x: str) -> str:
        return "text"

    f.register(text)
    assert f("a") == "text"
    f.remove(text)
    watch = weakref.ref(text)
    del text
    gc.collect()
    assert watch() is None


def test_arguments_are_not_kept() -> None:
    class Thing: ...

    @dispatch
    def f(x: Thing, *rest: Any, key: Any = None) -> None: ...

    thing = Thing()
    before = sys.getrefcount(thing)
    for _ in range(10):
        f(thing)
        f(thing, thing, key=thing)
        with pytest.raises(NoMethodError):
            f(1, thing)
    gc.collect()
    assert sys.getrefcount(thing) == before


def test_definitions_in_a_group_appear_together() -> None:
    @generic
    def f(x, y): ...

    with latebind.group():
        f.register(int, object, lambda x, y: "left")
        f.register(object, int, lambda x, y: "right")
        f.register(int, int, lambda x, y: "both")
    assert f(1, 1) == "both"
