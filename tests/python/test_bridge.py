"""Methods in C of Python's generic functions; classes of C; ends, interpreters."""

import gc
import importlib.util
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

import pytest
from bridging import compile_extension, folder, made, shapes, with_methods  # noqa: F401  (fixtures)
from support import output_of, run_child

import latebind
from latebind import GenericFunction, NoMethodError, generic

# --------------------------------------------------- methods in C of Python's generics


class A: ...


class B(A): ...


class C(B): ...


class D(C): ...


def test_a_generic_function_of_python_takes_a_method_in_c(shapes: Any) -> None:
    f = made()
    f.register(int, lambda x: "Python")
    shapes.add(f, (str,), "boxed_plain")
    assert f(1) == "Python"
    assert f("a") == ("C", "a")
    with pytest.raises(NoMethodError):
        f(1.5)


def test_a_method_in_c_is_a_method_like_others(shapes: Any) -> None:
    f = made()
    added = shapes.add(f, (str, int), "boxed_plain", optional=1)
    assert added in f.methods
    assert f("a") == ("C", "a") and f("a", 1) == ("C", "a", 1)
    assert added.signature_text == "(argument1: str, argument2: int = ..., /)"
    assert "module.c:" in added.source
    assert added.function.__name__ == "boxed_plain"
    assert added.function.__doc__ == "A method in C."
    explanation = f.explain("a", 1)
    assert explanation.chosen is added and "module.c:" in str(explanation)
    assert f.resolve(str) is added
    f.remove(added)
    assert added not in f.methods
    with pytest.raises(NoMethodError):
        f("a")


def test_the_next_method_crosses_twice(shapes: Any) -> None:
    f = made()
    shapes.add(f, (D,), "boxed_next", context="D in C", wants_next=True)
    f.register(C, lambda x, *, next_method: ["C in Python", *next_method()])
    shapes.add(f, (B,), "boxed_next", context="B in C", wants_next=True)
    f.register(A, lambda x: ["A in Python"])
    assert f(D()) == ["D in C", "C in Python", "B in C", "A in Python"]
    assert f(C()) == ["C in Python", "B in C", "A in Python"]
    assert f(B()) == ["B in C", "A in Python"]


def test_a_method_in_c_sees_whether_there_is_a_next_method(shapes: Any) -> None:
    f = made()
    shapes.add(f, (A,), "boxed_next", context="last", wants_next=True)
    assert f(A()) == ["last"]
    shapes.add(f, (B,), "boxed_always_next", wants_next=True)
    assert f(B()) == ["last"]
    g = made()
    shapes.add(g, (B,), "boxed_always_next", wants_next=True)
    with pytest.raises(NoMethodError):
        g(B())


def test_a_method_in_c_that_did_not_ask_for_the_next_has_none(shapes: Any) -> None:
    f = made()
    shapes.add(f, (A,), "boxed_next", context="alone")
    f.register(object, lambda x: ["object"])
    assert f(A()) == ["alone"]
    shapes.add(f, (B,), "boxed_always_next")
    with pytest.raises(SystemError, match="wants_next"):
        f(B())


def test_methods_in_c_survive_when_forms_are_made_anew(shapes: Any) -> None:
    f = made()
    shapes.add(f, (str, object), "boxed_plain")
    assert f("a", 1) == ("C", "a", 1)
    f.register(str, int, lambda x, y: "two")  # another slot
    f.register(int, lambda x, key=None: "defaults")
    assert f("a", 1) == "two"
    assert f("a", "b") == ("C", "a", "b")
    f.remove(str, int)
    assert f("a", 1) == ("C", "a", 1)
    assert f.clone("g")("a", 1) == ("C", "a", 1)


def test_qualifiers_of_methods_in_c(shapes: Any) -> None:
    f = made()
    seen: list[Any] = []
    f.register(A, lambda x: seen.append("primary"))
    shapes.add(f, (A,), "boxed_raising", qualifier=1)  # before
    with pytest.raises(KeyError):
        f(A())
    assert seen == []


def test_a_commutative_method_in_c_serves_both_orders(shapes: Any) -> None:
    f = made()
    shapes.add(f, (int, str), "boxed_plain", commutative=True)
    assert f(1, "a") == ("C", 1, "a")
    assert f("a", 1) == ("C", 1, "a")


def test_further_arguments_of_a_method_in_c(shapes: Any) -> None:
    f = made()
    shapes.add(f, (int,), "boxed_plain", rest=str)
    numbers = tuple("abcdefghijkl")
    assert f(1, *numbers) == ("C", 1, *numbers)
    with pytest.raises(NoMethodError):
        f(1, 2)


def test_hints_that_look_at_values_choose_methods_in_c(shapes: Any) -> None:
    f = made()
    shapes.add(f, (list[int],), "boxed_plain")
    f.register(list, lambda x: "a list")
    assert f([1]) == ("C", [1])
    assert f(["a"]) == "a list"


def test_what_a_method_in_c_raises_is_raised(shapes: Any) -> None:
    f = made()
    shapes.add(f, (str,), "boxed_raising")
    shapes.add(f, (int,), "boxed_refusing")
    shapes.add(f, (list,), "boxed_silent")
    with pytest.raises(KeyError, match="the key"):
        f("the key")
    with pytest.raises(RuntimeError, match="C does not want to"):
        f(1)
    with pytest.raises(SystemError, match="boxed_silent"):
        f([])
    with pytest.raises(TypeError, match="keyword"):
        f.methods[0].function(1, key=2)


def test_the_context_is_released_with_the_method(shapes: Any) -> None:
    class Context: ...

    f = made()
    context = Context()
    gone = weakref.ref(context)
    added = shapes.add(f, (A,), "boxed_next", context=context)
    assert f(A()) == [context]
    del context
    assert gone() is not None
    f.remove(added)
    del added
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ("types", "kind", "options", "error"),
    [
        ((int,), "unknown", {}, ValueError),
        ((int,), "typed", {}, TypeError),
        ([int], "boxed_plain", {}, TypeError),
        ((int,), "boxed_plain", {"optional": 2}, ValueError),
        ((3,), "boxed_plain", {}, TypeError),
    ],
)
def test_what_is_no_method_is_refused(
    shapes: Any, types: Any, kind: str, options: Any, error: type
) -> None:
    class Context: ...

    f = made()
    context = Context()
    gone = weakref.ref(context)
    with pytest.raises(error):
        shapes.add(f, types, kind, context=context, **options)
    with pytest.raises(TypeError):
        shapes.add(len, (int,), "boxed_plain", context=context)
    assert f.methods == ()
    del context
    gc.collect()
    assert gone() is None, "the context was not released"


def named(name: str) -> GenericFunction:
    """One whose only form has this name in the engine, as long as it lives; with
    "python:" before it, as those that C binds are identifiers."""

    @generic(name=name)
    def f(x: Any) -> Any: ...

    return f


def test_c_calls_generic_functions_of_python(shapes: Any) -> None:
    f = made()
    f.register(int, lambda x: "int")
    f.register(object, str, lambda x, y: "two")
    f.register(lambda *args: args)
    assert shapes.invoke(f, 1) == f(1) == "int"
    assert shapes.invoke(f, 1, "a") == "two"
    assert shapes.invoke(f) == ()
    assert shapes.invoke(f, *range(16)) == tuple(range(16))
    f.remove(int)
    assert shapes.invoke(f, 1) == (1,)
    f.register(int, lambda x: "again")
    assert shapes.invoke(f, 1) == "again"


def test_exceptions_pass_through_a_call_by_c(shapes: Any) -> None:
    f = made()
    error = ValueError("mine")

    def fail(x: A) -> None:
        raise error

    f.register(fail)
    with pytest.raises(ValueError) as caught:
        shapes.invoke(f, A())
    assert caught.value is error
    with pytest.raises(NoMethodError):
        shapes.invoke(f, 1)


def test_a_call_by_the_engine_runs_chains_as_a_call_of_python(shapes: Any) -> None:
    f = named("by the engine")
    shapes.add(f, (D,), "boxed_next", context="D", wants_next=True)
    f.register(C, lambda x, *, next_method: ["C", *next_method()])
    shapes.add(f, (B,), "boxed_next", context="B", wants_next=True)
    f.register(A, lambda x: ["A"])
    for one in (A(), B(), C(), D()):
        assert shapes.invoke_form("python:by the engine", one) == f(one)
    with pytest.raises(RuntimeError, match="no applicable method"):
        shapes.invoke_form("python:by the engine", 1)
    with pytest.raises(LookupError):
        shapes.invoke_form("nobody's", 1)


def test_functions_of_python_leave_their_names_to_c(shapes: Any) -> None:
    f = named("ours")
    f.register(A, lambda x: "A")
    assert shapes.invoke_form("python:ours", A()) == "A"
    with pytest.raises(LookupError, match="ours"):
        shapes.invoke_form("ours", A())


def test_a_rule_that_only_the_engine_knows_is_refused(shapes: Any) -> None:
    f = named("with a rule behind")
    f.register(B, lambda x, *, next_method: ["B", *next_method()])
    f.register(A, lambda x: ["A"])
    assert f(C()) == ["B", "A"]
    shapes.add_behind("python:with a rule behind", C)
    with pytest.raises(SystemError, match="with a rule behind has a method that was"):
        f(C())
    assert f(A()) == ["A"]


def test_a_next_method_outlives_a_call_by_the_engine(shapes: Any) -> None:
    f = named("outlived")
    f.register(B, lambda x, *, next_method: next_method)
    f.register(A, lambda x: "A")
    kept = shapes.invoke_form("python:outlived", B())
    assert kept and kept() == "A"
    f.remove(A)
    assert kept() == "A"


def test_a_generic_function_and_its_engine_find_each_other(shapes: Any) -> None:
    f = made()
    f.register(int, lambda x: x)
    assert shapes.round_trip(f) is f
    assert shapes.round_trip(shapes.area) is shapes.area
    with pytest.raises(TypeError):
        shapes.round_trip(len)
    assert shapes.call_it(f, 5) == 5
    g = made()
    taken = shapes.add(g, (int,), "boxed_plain")
    shapes.take_away(g, taken)
    assert g.methods == ()


# ------------------------------------------------------------------ C's classes


def test_classes_of_c_are_types(shapes: Any) -> None:
    assert shapes.Circle.__name__ == "Circle"
    assert shapes.Circle.__module__ == "shapes"
    assert shapes.Shape.__doc__ == "What has an area."
    assert issubclass(shapes.Circle, shapes.Shape)
    assert not issubclass(shapes.Circle, shapes.Square)
    assert shapes.class_name(shapes.Circle) == ("Circle", True)
    assert shapes.class_name(int) == ("int", True)
    assert isinstance(shapes.Circle(), shapes.Shape)


def test_members_of_the_struct_are_attributes(shapes: Any) -> None:
    c = shapes.Circle(r=2.5, sides=7)
    assert (c.r, c.sides, c.tag) == (2.5, 7, 0)
    c.r, c.tag = 3, 255
    assert (c.r, c.tag) == (3.0, 255)
    with pytest.raises(ValueError, match="tag"):
        c.tag = 256
    with pytest.raises(TypeError):
        c.sides = "many"
    with pytest.raises(AttributeError):
        del c.sides
    with pytest.raises(AttributeError):
        c.unknown = 1
    with pytest.raises(AttributeError, match="unknown"):
        c.unknown  # noqa: B018
    with pytest.raises(TypeError, match="by name"):
        shapes.Circle(1)
    with pytest.raises(TypeError, match="Circle.r"):
        shapes.Circle.r.__get__(shapes.Square(), None)
    assert {"r", "sides", "tag"} <= set(dir(c))


def test_free_attributes_are_the_c_object_s(shapes: Any) -> None:
    t = shapes.Thing()
    t.colour = ["red"]
    assert t.colour == ["red"]
    del t.colour
    with pytest.raises(AttributeError, match="colour"):
        t.colour  # noqa: B018
    assert t.unit == shapes.Thing.unit == "metre"
    t.unit = "inch"
    assert (t.unit, shapes.Thing().unit) == ("inch", "metre")
    t.note = 21
    assert t.twice == 42
    with pytest.raises(AttributeError, match="twice"):
        t.twice = 1
    with pytest.raises(KeyError):
        shapes.Thing().twice  # noqa: B018
    assert t.hello(1, "b") == (1, "b")
    assert shapes.Thing.hello(t, 3) == (3,)
    with pytest.raises(TypeError):
        shapes.Thing.hello(3)
    with pytest.raises(TypeError, match="keyword"):
        t.hello(a=1)


def test_what_a_c_object_holds_is_let_go_of(shapes: Any) -> None:
    class Value: ...

    t = shapes.Thing()
    t.free, t.note = Value(), Value()
    seen = [weakref.ref(t.free), weakref.ref(t.note)]
    t.free = None
    assert seen[0]() is None
    finished = shapes.counts()[1]
    del t
    assert seen[1]() is None
    assert shapes.counts()[1] == finished + 1


def test_cycles_through_c_objects_are_collected(shapes: Any) -> None:
    class Mine(shapes.Thing): ...

    one, two = Mine(), shapes.Thing()
    one.free, two.note = two, one
    gone = weakref.ref(one)
    before = shapes.counts()[1]
    del one, two
    gc.collect()
    shapes.synchronize()
    gc.collect()
    assert gone() is None
    assert shapes.counts()[1] == before + 2


def test_one_pointer_has_one_object(shapes: Any) -> None:
    c = shapes.make_circle(2.0)
    assert shapes.same(c) is c
    assert c.r == 2.0
    lasting = shapes.lasting_circle()
    assert shapes.lasting_circle() is lasting
    assert shapes.forget_lasting()
    with pytest.raises(ReferenceError, match="no more"):
        lasting.r  # noqa: B018
    with pytest.raises(ReferenceError):
        shapes.area(lasting)
    again = shapes.lasting_circle()
    assert again is not lasting
    shapes.forget_lasting()


def test_counted_objects_have_a_use_by_python(shapes: Any) -> None:
    before = shapes.counts()[0]
    n = shapes.Node()
    assert shapes.counts()[0] == before + 1
    assert shapes.node_users(n) == 1
    assert shapes.other(n) is n
    assert shapes.node_users(n) == 1
    del n
    assert shapes.counts()[0] == before
    with pytest.raises(TypeError):
        shapes.Node(3)


def test_what_stands_for_c_is_not_copied(shapes: Any) -> None:
    import copy
    import pickle

    with pytest.raises(TypeError, match="copy"):
        copy.copy(shapes.Circle())
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(shapes.Circle())
    with pytest.raises(TypeError, match="no class of C"):
        latebind._core.Object()


def test_generic_functions_of_python_dispatch_on_types_of_c(shapes: Any) -> None:
    f = made()
    f.register(shapes.Shape, lambda x: "shape")
    f.register(shapes.Circle, lambda x, *, next_method: ["circle", next_method()])
    assert f(shapes.Square()) == "shape"
    assert f(shapes.Circle()) == ["circle", "shape"]


# ------------------------------------------------------- threads, ends, interpreters


def test_threads_of_c_and_changes_of_python(with_methods: Any) -> None:
    class Mine(with_methods.Circle):
        def area(self) -> float:
            return 1.0

    m = Mine(r=1.0)
    stop = threading.Event()
    wrong: list[float] = []

    def call() -> None:
        while not stop.is_set():
            result = with_methods.area_in_thread(m)
            if result not in (1.0, 2.0, 3.0):
                wrong.append(result)

    threads = [threading.Thread(target=call) for _ in range(3)]
    for one in threads:
        one.start()
    for number in range(300):
        Mine.area = lambda self: 2.0
        if number % 3 == 0:
            del Mine.area
        else:
            Mine.area = lambda self: 1.0
    stop.set()
    for one in threads:
        one.join()
    assert wrong == []


PROGRAM = """
import sys
try:
    import _interpreters as interpreters
    def run(number, code):
        error = interpreters.exec(number, code)
        if error is not None:
            raise RuntimeError(error)
except ImportError:
    import _xxsubinterpreters as interpreters
    def run(number, code):
        interpreters.run_string(number, code)
"""

INNER = """
import sys
sys.path[:] = {path!r}
import shapes
from latebind import generic
@generic
def f(x): ...
shapes.add(f, (int,), "boxed_next", context="C", wants_next=True)
f.register(object, lambda x: ["Python"])
assert f(1) == ["C", "Python"]
assert shapes.invoke(f, 1) == ["C", "Python"]
class Mine(shapes.Circle):
    def area(self): return 5.0
shapes.make_method(shapes.Shape, "area", shapes.area)
assert shapes.total_area([Mine(), shapes.Circle(r=1)]) == 8.0
assert shapes.area_in_thread(Mine()) == 5.0
print("inner")
"""


def test_another_interpreter_may_have_the_generic_functions(folder: Path) -> None:
    inner = INNER.format(path=sys.path)
    printed = output_of(
        PROGRAM
        + f"""
for _ in range(2):
    number = interpreters.create()
    run(number, {inner!r})
    interpreters.destroy(number)
"""
    )
    assert printed.split() == ["inner", "inner"]


def test_in_a_second_interpreter_a_bound_generic_is_a_clear_error(
    folder: Path,
) -> None:
    inner = f"""
import sys
sys.path[:] = {sys.path!r}
try:
    import shapes
except RuntimeError as error:
    print(error)
"""
    printed = output_of(
        PROGRAM
        + f"""
import shapes
number = interpreters.create()
run(number, {inner!r})
interpreters.destroy(number)
print(shapes.area(shapes.Circle(r=1)))
"""
    )
    assert "area is bound to the runtime of another interpreter" in printed
    assert printed.split()[-1] == "3.0"


def test_the_end_of_the_interpreter_is_quiet(folder: Path) -> None:
    printed = output_of(
        """
        import shapes, sys, atexit
        from latebind import generic
        shapes.make_method(shapes.Shape, "area", shapes.area)
        class Mine(shapes.Circle):
            def area(self): return super().area() + 1
            def __del__(self): print("gone", self.r, shapes and self.area())
        kept = Mine(r=1.0)
        sys.kept = Mine(r=2.0)
        shapes.kept = shapes.Thing()
        shapes.kept.cycle = shapes.kept
        shapes.kept.note = Mine(r=3.0)
        @generic
        def f(x): ...
        shapes.add(f, (int,), "boxed_next", context=kept, wants_next=True)
        shapes.area.register(shapes.Shape, lambda s: kept.r)
        atexit.register(lambda: print(f(1)[0].r, shapes.area(shapes.Shape())))
        """
    )
    assert printed.splitlines()[0] == "1.0 1.0"


NO_MEMORY = """
import gc, sys
import shapes, _testcapi
from latebind import generic
shapes.make_method(shapes.Shape, "area", shapes.area)
shapes.area.register(shapes.Shape, lambda s, *, next_method: 1.0)
Shape, Circle, Thing = shapes.Shape, shapes.Circle, shapes.Thing

# The interpreter itself does not survive a failed allocation where it makes a
# function (3.12) or a cell (3.11, with assertions), so they are made here.
@generic
def f(x): ...
def last(x): return ["Python"]
def override(self): return Circle.area(self) + self.r
def other(self): return 2.0
def labelled(s, prefix, *, next_method=None): return prefix

def methods_in_c():
    f._clear()
    shapes.add(f, (int,), "boxed_next", context="C", wants_next=True)
    f.add(last, object)
    assert f(1) == ["C", "Python"]
    assert shapes.invoke(f, 1) == ["C", "Python"]

def classes():
    Mine = type(Circle)("Mine", (Circle,), {"area": override})
    m = Mine(r=1.0)
    assert shapes.total_area([m]) == 4.0
    Mine.area = other
    assert shapes.total_area([m]) == 2.0
    del Mine.area
    assert shapes.total_area([m]) == 3.0

def typed():
    try:
        shapes.label.register(Circle, labelled)
        assert shapes.call_label(Circle()) == "from C"
    finally:
        if shapes.label.methods:
            shapes.label.remove(labelled)

def objects():
    t = Thing()
    t.free = t
    t.note = [t]
    t.hello(t)
    t.unit
    n = shapes.Node()
    shapes.other(n)
    shapes.lend_circle(1.0)
    shapes.weigh(Circle())

def quiet(*ignored): pass
sys.unraisablehook = quiet
for scenario in (methods_in_c, classes, typed, objects):
    scenario(); scenario()
    failures = 0
    for number in range(1, LIMIT):
        try:
            _testcapi.set_nomemory(number, number + 1)
            try:
                scenario()
            finally:
                _testcapi.remove_mem_hooks()
        except (MemoryError, SystemError, ReferenceError):
            failures += 1
        except AssertionError:
            pass # a method in Python that failed gave zero to C
        if number % 50 == 0:
            gc.collect()
    assert failures > 2, (scenario, failures)
    gc.collect()
    scenario()
    print(scenario.__name__)
"""


def test_everything_survives_failed_allocations(folder: Path) -> None:
    if importlib.util.find_spec("_testcapi") is None:
        pytest.skip("this Python has no _testcapi")
    if hasattr(sys, "gettotalrefcount"):
        pytest.skip("the interpreter's own assertions fail without memory")
    done = run_child(NO_MEMORY.replace("LIMIT", "400"), timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == ["methods_in_c", "classes", "typed", "objects"]


def test_the_example_works(root: Path, tmp_path: Path) -> None:
    example = root / "examples" / "python" / "extension"
    compile_extension("bodies", sorted(example.glob("*.c")), tmp_path)
    script = example / "demo.py"
    done = run_child(
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        f"exec(compile(open({str(script)!r}).read(), 'demo.py', 'exec'))"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (example / "demo.expected").read_text()
