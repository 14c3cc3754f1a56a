"""`latebind.compat.multipledispatch`: what programs rely on."""

from __future__ import annotations

import abc
import collections.abc as c
import copy
import pickle
import random
import sys
import threading
import types
import warnings
from typing import Any

import pytest

from latebind import GenericFunction
from latebind.compat import multipledispatch as ours
from latebind.compat.multipledispatch import (
    Dispatcher,
    MDNotImplementedError,
    conflict,
    core,
    dispatch,
    dispatcher,
    utils,
)
from latebind.compat.multipledispatch.conflict import (
    AmbiguityWarning,
    ambiguities,
    ambiguous,
    consistent,
    edge,
    ordering,
    super_signature,
    supercedes,
)
from latebind.compat.multipledispatch.dispatcher import (
    MethodDispatcher,
    ambiguity_register_error_ignore_dup,
)
from latebind.compat.multipledispatch.variadic import (
    Variadic,
    VariadicSignatureType,
    isvariadic,
)


class A: ...


class B(A): ...


class C: ...


class D(B, C): ...


def make(*signatures: Any, name: str = "f") -> Dispatcher:
    """A dispatcher whose functions say their signatures."""
    f = Dispatcher(name)
    for signature in signatures:
        f.add(signature, lambda *args, signature=signature, **kwargs: signature)
    return f


def package_frames(call: Any) -> list[str]:
    """The names of the package's Python functions that `call()` enters."""
    seen = []

    def profile(frame: types.FrameType, event: str, arg: Any) -> None:
        if event == "call" and "latebind" in frame.f_globals.get("__name__", ""):
            seen.append(frame.f_code.co_name)

    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(None)
    return seen


def twice(x):
    "Doubles."
    return x * 2


pickled = Dispatcher("pickled", doc="For pickling.")
pickled.add((int,), twice)
pickled.add((str, [int]), repr)


# ---- calls -------------------------------------------------------------------


def test_all_positional_arguments_decide():
    f = make((A, A), (A, B), (C, object))
    assert f(A(), A()) == (A, A)
    assert f(A(), B()) == (A, B)
    assert f(C(), 1) == (C, object)


def test_it_is_a_generic_function():
    f = make((int,), (str,))
    assert isinstance(f, GenericFunction)
    assert len(f.methods) == 2


def test_keywords_are_passed_on_and_do_not_count():
    f = Dispatcher("f")
    f.add((int,), lambda x, y=0, **rest: (x, y, rest))
    assert f(1, y="text", z=2) == (1, "text", {"z": 2})
    with pytest.raises(NotImplementedError):
        f(1, 2)
    with pytest.raises(NotImplementedError):
        f(x=1)


def test_a_hit_enters_no_python_function_of_ours():
    f = make((int, int), (str, [object]))
    calls = [(1, 2), ("a",), ("a", 1, 2)]
    for args in calls:
        f(*args)
    assert package_frames(lambda: [f(*args) for args in calls]) == []
    f(1, 2, key=3)
    assert package_frames(lambda: f(1, 2, key=3)) == []


def test_no_signature_is_a_not_implemented_error():
    with pytest.raises(
        NotImplementedError, match="Could not find signature for f: <str, int>"
    ):
        make((int, int))("a", 1)
    with pytest.raises(NotImplementedError, match="Could not find signature for f: <>"):
        make()()


def test_a_method_can_hand_the_call_on():
    f = Dispatcher("f")
    f.add((object,), lambda x: "object")

    @f.register(int)
    def _(x):
        if x % 2:
            raise MDNotImplementedError
        return "even"

    @f.register(bool)
    def _(x):
        raise MDNotImplementedError("never")

    assert [f(2), f(3), f(True), f(False)] == ["even", "object", "object", "even"]


def test_when_all_hand_it_on_none_completed():
    f = Dispatcher("f")

    @f.register(float)
    def _(x):
        raise MDNotImplementedError

    with pytest.raises(NotImplementedError, match="<float> found, but none completed"):
        f(1.0)


def test_other_exceptions_come_through():
    f = Dispatcher("f")
    f.add((object,), lambda x: "never")

    @f.register(int)
    def _(x):
        raise NotImplementedError("mine")

    with pytest.raises(NotImplementedError, match="^mine$"):
        f(1)


def test_methods_added_later_are_seen():
    f = make((A,))
    assert f(B()) == (A,)
    f.add((B,), lambda x: "B")
    assert f(B()) == "B"
    f.add((B,), lambda x: "new B")
    assert f(B()) == "new B"


def test_bases_assigned_later_are_seen():
    class Thing(A): ...

    f = make((A,), (C,))
    assert f(Thing()) == (A,)
    Thing.__bases__ = (C,)
    assert f(Thing()) == (C,)


def test_abstract_classes_are_dispatched_on():
    f = make((object, c.Mapping), (object, c.Sized))
    assert f(1, {}) == (object, c.Mapping)
    assert f(1, []) == (object, c.Sized)

    class Thing: ...

    with pytest.raises(NotImplementedError):
        f(1, Thing())
    c.Mapping.register(Thing)
    assert f(1, Thing()) == (object, c.Mapping)


# ---- signatures --------------------------------------------------------------


def test_a_tuple_stands_for_each_of_its_classes():
    f = Dispatcher("f")
    f.add((int, (str, list)), lambda x, y: "found")
    assert set(f.funcs) == {(int, str), (int, list)}
    assert f(1, []) == f(1, "") == "found"


def test_annotations_count_when_there_is_no_signature():
    f = Dispatcher("f")

    def first(x: int, y: str = "", *rest: float, key: bytes = b""):
        return "first"

    # As they stand: the module's annotations are strings.
    first.__annotations__ = {"x": int, "y": str}
    f.register()(first)
    assert list(f.funcs) == [(int, str)]
    assert f(1, "") == "first"
    f.add((), lambda: "nothing")
    assert f() == "nothing"


@pytest.mark.parametrize(
    ("signature", "says"),
    [
        ((int, 1), "f: .*non-type 1 in the signature <int, 1>"),
        (([int], str), r"\[<class 'int'>\] must be the last"),
        (([int, str],), "ends with a list of one class"),
        (([],), "ends with a list of one class"),
        ((int, [1]), "not 1"),
    ],
)
def test_a_wrong_signature_says_what_is_wrong(signature, says):
    f = Dispatcher("f")
    error = ValueError if says == "not 1" else TypeError
    with pytest.raises(error, match=says):
        f.add(signature, twice)
    assert f.funcs == {}


def test_a_list_takes_any_number():
    f = make((str, [float]), ([(int, str)],), ([object],))
    assert f("a", 1.0, 2.0) == (str, [float])
    assert f("a", 1, "b") == ([(int, str)],)
    assert f(None) == ([object],)
    with pytest.raises(NotImplementedError):
        make((str, [str]))()


def test_fixed_and_variadic_signatures_do_not_replace_each_other():
    f = make(([int],), (int,), (), (int, [int]))
    assert [f(), f(1), f(1, 2)] == [(), (int,), (int, [int])]

    @f.register(int)
    def _(x):
        raise MDNotImplementedError

    assert f(1) in (([int],), (int, [int]))
    f.add(([int],), lambda *args: "new")
    f.add((int, [int]), lambda *args: "new, too")
    assert f(1, 2) == "new, too" and f(1) in ("new", "new, too")


def test_calls_may_have_many_arguments():
    f = make((str, [float]), ([(int, str)],), (int,) * 10)
    assert f(*"abcdefghijklmnop") == ([(int, str)],)
    assert f("a", *[1.0] * 30) == (str, [float])
    assert f(*range(10)) == (int,) * 10
    assert f.dispatch(*[int] * 9)() == ([(int, str)],)
    assert f.dispatch(*[float] * 9) is None
    assert f.dispatch(*[int] * 8)() == ([(int, str)],)
    with pytest.raises(NotImplementedError, match="Could not find signature for f: <"):
        f(*[1.0] * 9)
    f.add(([object],), lambda *args: "any")
    assert f(*[1.0] * 9) == "any"

    @f.register([float])
    def _(*args):
        raise MDNotImplementedError

    assert f(*[1.0] * 9) == f(*[1.0] * 7) == "any"


def test_variadic_types_are_equal_by_their_classes():
    assert Variadic[A, B] == Variadic[B, A] != Variadic[A]
    assert hash(Variadic[A, B]) == hash(Variadic[B, A])
    assert isvariadic(Variadic[int]) and not isvariadic(int)
    assert type(Variadic[int]) is VariadicSignatureType
    assert Variadic[int, str].__name__ == "Variadic[(int, str)]"
    assert issubclass(Variadic[bool], Variadic[int])
    assert not issubclass(Variadic[int, str], Variadic[int])
    assert not issubclass(float, Variadic[int])
    with pytest.raises(ValueError, match="not 1"):
        Variadic[1]


# ---- which goes first --------------------------------------------------------


def test_supercedes():
    assert supercedes([B, A], [A, A])
    assert not supercedes([B, A], [A, B])
    assert supercedes([], [Variadic[int]])
    assert supercedes([B, B, Variadic[B]], [A, Variadic[A]])
    assert not supercedes([A], [A, A])


def test_consistent_and_ambiguous():
    assert consistent([A, B], [B, A]) and ambiguous([A, B], [B, A])
    assert not consistent([A], [C])
    assert consistent([], [Variadic[int]]) and not consistent([], [int])
    assert consistent([int, Variadic[object]], [int, int, str])
    assert not ambiguous([A, A], [B, B])


def test_ambiguities_are_pairs_that_nothing_decides():
    signatures = [(A, B), (B, A), (A, C)]
    assert {frozenset(pair) for pair in ambiguities(signatures)} == {
        frozenset({(A, B), (B, A)})
    }
    assert ambiguities([*signatures, (B, B)]) == set()
    assert super_signature([(A, B), (B, A)]) == [B, B]
    several = [(A, Variadic[A]), (B, B, Variadic[B])]
    assert super_signature(several) == [B, B, Variadic[A]]


def test_the_order_has_the_more_specific_first():
    signatures = [(A, A), (A, B), (B, A), (B, B), (A, C)]
    order = ordering(signatures)
    assert sorted(map(str, order)) == sorted(map(str, signatures))
    for a in signatures:
        for b in signatures:
            assert not edge(a, b) or order.index(a) < order.index(b)


def test_ambiguities_are_warned_of_when_a_call_needs_the_order():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f = make((A, B), (B, A))
        assert f(A(), B()) == (A, B)  # just this signature: nothing to decide
    with pytest.warns(AmbiguityWarning, match="Ambiguities exist in") as told:
        assert f(B(), B()) in ((A, B), (B, A))
    assert "@dispatch(B, B)" in str(told[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f(B(), D())


def test_reorder_tells_whom_one_likes():
    f = make((A, B), (B, A))
    told = []
    order = f.reorder(on_ambiguity=lambda *args: told.append(args))
    assert told == [(f, ambiguities(f.funcs))]
    assert f.ordering is order and set(order) == {(A, B), (B, A)}


def test_on_ambiguity_orders_at_once():
    f, told = Dispatcher("f"), []
    for signature in [(A, B), (B, A)]:
        f.add(signature, twice, on_ambiguity=lambda *args: told.append(args[1]))
    assert len(told) == 1
    f.register(B, B, on_ambiguity=lambda *args: told.append(args))(twice)
    assert len(told) == 1


def test_ambiguous_calls_can_be_made_errors():
    class E(A): ...

    f = Dispatcher("f")
    for signature in [(A, B), (B, A), (A, E), (E, A)]:
        f.add(signature, lambda x, y: "found", ambiguity_register_error_ignore_dup)
    with pytest.raises(NotImplementedError, match="Ambiguous signature for f: <B, E>"):
        f(B(), E())
    assert f(A(), E()) == "found"


def test_ordering_is_no_longer_halted():
    for call in (ours.halt_ordering, ours.restart_ordering):
        with pytest.warns(DeprecationWarning):
            call()


# ---- dispatch ----------------------------------------------------------------


def test_dispatch_collects_by_name_in_a_namespace():
    one, other = {}, {}

    def f(x):
        return 1

    first = dispatch(int, namespace=one)(f)

    def f(x):
        return 2

    assert dispatch(str, namespace=one)(f) is first is one["f"]
    second = dispatch(int, namespace=other)(f)
    assert [first(0), first(""), second(0)] == [1, 2, 2]
    assert "f" not in core.global_namespace


def test_without_a_namespace_it_is_the_global_one():
    try:

        @dispatch(int)
        def only_in_this_test(x):
            return x

        assert core.global_namespace["only_in_this_test"] is only_in_this_test
    finally:
        core.global_namespace.pop("only_in_this_test")


class Sample:
    @dispatch(int)
    def f(self, x):
        return self, "int"

    @dispatch(str)
    def f(self, x):
        return self, "str"

    @dispatch(int, int)
    def f(self, x, y=0, **rest):
        return self, rest

    @dispatch(list)
    def __init__(self, data):
        self.data = data

    @dispatch(int)
    def __init__(self, datum):
        self.data = [datum]


def test_in_a_class_the_first_argument_does_not_count():
    sample = Sample(3)
    assert sample.data == Sample([3]).data == [3]
    assert sample.f(1) == (sample, "int")
    assert sample.f("") == (sample, "str")
    assert sample.f(1, 2, z=3) == (sample, {"z": 3})
    assert Sample.f(sample, 1) == (sample, "int")
    bound = sample.f
    assert bound(1) == (sample, "int")
    with pytest.raises(NotImplementedError, match="signature for f: <float>"):
        sample.f(1.0)


def test_a_hit_of_a_method_enters_no_python_function_of_ours():
    sample = Sample(1)
    sample.f(1)
    assert package_frames(lambda: sample.f(1)) == []


def test_method_dispatchers_can_be_asked_and_extended():
    class Other:
        f = MethodDispatcher("f")

        @f.register(int)
        def _(self, x):
            return "int"

        f.add((str,), lambda self, x: "str")

    assert Other().f(1) == "int" and Other().f("") == "str"
    assert Other.__dict__["f"].dispatch(str)(None, "") == "str"
    assert Other.__dict__["f"].dispatch(float) is None


def test_a_method_of_a_base_is_hidden_by_one_of_the_same_name():
    class Base:
        @dispatch(int)
        def f(self, x):
            return "base"

    class Derived(Base):
        @dispatch(str)
        def f(self, x):
            return "derived"

    assert Derived().f("") == "derived"
    with pytest.raises(NotImplementedError):
        Derived().f(1)


def test_a_dispatcher_in_a_class_is_called_without_the_instance():
    class Holder:
        f = make((int,))

    assert Holder().f(1) == (int,)
    assert Holder().f is Holder.f is Holder.__dict__["f"]


# ---- questions ---------------------------------------------------------------


def test_dispatch_gives_the_function_or_none():
    f = Dispatcher("f")
    f.add((int,), twice)
    f.add((object, object), repr)
    assert f.dispatch(int) is f.dispatch(bool) is twice
    assert f.dispatch(int, str) is repr
    assert f.dispatch(str) is None
    with pytest.warns(DeprecationWarning):
        assert f.resolve((int,)) is twice


def test_dispatch_iter_gives_all_that_fit():
    f = make((object,), (A,), (B,), ([A],))
    found = [function(0) for function in f.dispatch_iter(B)]
    assert found[0] == (B,) and sorted(map(str, found)) == sorted(
        map(str, [(B,), (A,), ([A],), (object,)])
    )
    assert list(f.dispatch_iter(int, int)) == []


def test_documentation_tells_of_all_signatures():
    f = Dispatcher("f", doc="What it is for.")
    f.add((object, object), lambda x, y: 0)
    f.add((int,), twice)
    assert f.__doc__.splitlines() == [
        "Multiply dispatched method: f",
        "",
        "What it is for.",
        "",
        "Inputs: <int>",
        "--------------",
        "Doubles.",
        "",
        "Other signatures:",
        "    object, object",
    ]


def test_help_and_source_print(capsys):
    f = Dispatcher("f")
    f.add((int,), twice)
    f.help(1)
    assert capsys.readouterr().out == "Doubles.\n"
    f.source(1)
    assert "return x * 2" in capsys.readouterr().out
    with pytest.raises(TypeError, match="no function for <str>"):
        f.source("")


def test_names():
    f = Dispatcher("f")
    assert f.name == f.__name__ == "f"
    assert str(f) == repr(f) == "<dispatched f>"


def test_pickling_and_copying():
    for f in (pickle.loads(pickle.dumps(pickled)), copy.copy(pickled)):
        assert f is not pickled
        assert [f(2), f.name, f.doc] == [4, "pickled", "For pickling."]
        assert list(f.funcs) == list(pickled.funcs)
        assert f.dispatch(str, int) is repr


def test_a_subclass_may_have_its_own_arguments():
    class Named(Dispatcher):
        def __init__(self):
            super().__init__("fixed")

    f = Named()
    f.add((int,), twice)
    assert [f(2), f.name] == [4, "fixed"]


# ---- modules -----------------------------------------------------------------


def test_utils():
    assert utils.expand_tuples([(int, float), (str, list)]) == [
        (int, str),
        (float, str),
        (int, list),
        (float, list),
    ]
    assert utils.expand_tuples([]) == [()]
    assert utils.reverse_dict({"a": (1, 2), "b": (2,)}) == {1: ("a",), 2: ("a", "b")}
    assert utils.groupby(len, ["a", "bc", "d"]) == {1: ["a", "d"], 2: ["bc"]}
    assert utils._toposort({1: (2, 3), 2: (3,)}) == [1, 2, 3]
    with pytest.raises(ValueError, match="cycles"):
        utils._toposort({1: (2,), 2: (1,)})
    assert utils.typename((int, str)) == "(int, str)"
    assert utils.raises(KeyError, lambda: {}[0]) and not utils.raises(KeyError, dict)


def test_the_names_that_programs_import_are_there():
    assert conflict.AmbiguityWarning is dispatcher.AmbiguityWarning
    assert dispatcher.str_signature((int, float)) == "int, float"
    assert dispatcher.variadic_signature_matches((str,), (str, Variadic[int]))
    assert not dispatcher.variadic_signature_matches((), (str, Variadic[int]))
    assert core.ismethod(lambda self: 0) and not core.ismethod(len)
    assert ours.__version__


def test_calls_from_several_threads_while_methods_are_added():
    f = make((object,))
    kinds = [type(f"T{i}", (), {}) for i in range(30)]
    wrong, stop = [], threading.Event()

    def call() -> None:
        while not stop.is_set():
            for i, kind in enumerate(kinds):
                if f(kind()) not in ((object,), i):
                    wrong.append(i)

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for i, kind in enumerate(kinds):
        f.add((kind,), lambda x, i=i: i)
        assert f(kind()) == i
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []


# ---- the original ------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.filterwarnings("ignore::Warning")
def test_it_chooses_as_the_original(seed):
    theirs = pytest.importorskip("multipledispatch")
    from multipledispatch.conflict import ambiguities as their_ambiguities

    pick = random.Random(seed)
    classes: list[type] = [object, int, bool, c.Sized, c.Mapping, dict]
    for i in range(8):
        places = pick.sample(range(6, 6 + i), pick.choice([0, 1, 1, 2]) if i > 1 else 0)
        bases = tuple(classes[place] for place in sorted(places, reverse=True))
        classes.append(type(f"K{i}", bases, {}))
        if pick.random() < 0.2:
            c.Sized.register(classes[-1])
    mine, other = Dispatcher("f"), theirs.Dispatcher("f")
    for _ in range(12):
        signature: list[Any] = pick.choices(classes, k=pick.randint(0, 3))
        if pick.random() < 0.2:
            signature.append([tuple(pick.sample(classes, 2))])
        for each in (mine, other):
            each.add(tuple(signature), lambda *args, s=str(signature): s)
    for a in mine.funcs:
        for b in mine.funcs:
            if a != b and supercedes(a, b) and supercedes(b, a):
                pytest.skip("the original goes by the hashes of tuples of classes")
    text = dispatcher.str_signature
    orders = [each.reorder(lambda *told: None) for each in (mine, other)]
    assert list(map(text, orders[0])) == list(map(text, orders[1]))
    ambiguous = ambiguities(mine.funcs), their_ambiguities(other.funcs)
    assert {frozenset(map(text, pair)) for pair in ambiguous[0]} == {
        frozenset(map(text, pair)) for pair in ambiguous[1]
    }
    for _ in range(60):
        types_ = pick.choices(classes, k=pick.randint(0, 4))
        found, expected = mine.dispatch(*types_), other.dispatch(*types_)
        assert (found and found()) == (expected and expected())


@pytest.mark.parametrize("meta", [type, abc.ABCMeta])
@pytest.mark.parametrize("kind", [Dispatcher, MethodDispatcher])
def test_types_decide_whatever_the_metaclass_says_of_instances(kind, meta):
    class Counts(meta):
        asked = 0

        def __instancecheck__(cls, value: Any) -> bool:
            Counts.asked += 1
            return True

    Var = Counts("Var", (), {})  # noqa: N806
    Derived = Counts("Derived", (Var,), {})  # noqa: N806
    f = kind("f")
    f.add((Var, int), lambda *args: "var")
    f.add((object, int), lambda *args: "object")
    f.add((str, [(Var, str)]), lambda *args: "rest")
    first = (None,) * f._leading
    for _ in range(2):
        assert f(*first, Derived(), 1) == "var"
        assert f(*first, "x", 1) == "object"
        assert f(*first, "x", Var(), "y") == "rest"
        with pytest.raises(NotImplementedError):
            f(*first, "x", b"")
    assert Counts.asked == 0


def test_a_metaclass_may_say_what_is_a_subclass():
    class Meta(type):
        def __instancecheck__(cls, value: Any) -> bool:
            raise AssertionError("nobody asks")

        def __subclasscheck__(cls, other: type) -> bool:
            return hasattr(other, "quack")

    class Duck(metaclass=Meta): ...

    class Drake:
        quack = 1

    f = Dispatcher("f")
    f.add((Duck,), lambda x: "duck")
    f.add((object,), lambda x: "object")
    assert [f(Drake()), f(1), f(Drake())] == ["duck", "object", "duck"]


class Upwards(Dispatcher):
    """Finds the method of the least specific class first."""

    asked = 0

    def dispatch_iter(self, *types_: type) -> Any:
        type(self).asked += 1
        for cls in reversed(types_[0].__mro__):
            if (cls,) in self.funcs:
                yield self.funcs[cls,]


class Fixed(Dispatcher):
    def dispatch(self, *types_: type) -> Any:
        return lambda *args, **kwargs: (types_, args, kwargs)


def test_a_subclass_may_find_functions_its_own_way():
    def hand_on(x):
        raise MDNotImplementedError

    f = Upwards("f")
    f.add((A,), lambda x: "A")
    f.add((B,), lambda x: "B")
    assert [f(B()), f(D()), f(D())] == ["B", "A", "A"]
    assert Upwards.asked == 1  # just these classes go first, and the rest is kept
    f.add((object,), hand_on)
    assert f(D()) == "A"
    f.add((D,), lambda x: "just D")
    assert f(D()) == "just D"
    assert f.dispatch(D)(0) == "just D"
    f.add((int,), hand_on)
    with pytest.raises(NotImplementedError, match="none completed"):
        f(1)
    with pytest.raises(NotImplementedError, match="Could not find signature for g"):
        Upwards("g")(1)
    assert Fixed("f")(1, k=2) == ((int,), (1,), {"k": 2})
    assert type("Deeper", (Fixed,), {})("f")(1) == ((int,), (1,), {})


def test_a_subclass_that_calls_its_own_way_keeps_it():
    class Says(Fixed):
        def __call__(self, *args):
            return "called", super().__call__(*args)

    assert Says("f")(1) == ("called", ((int,), (1,), {}))


def test_as_class_method_a_dispatcher_gets_the_class():
    class Owner:
        @classmethod
        @dispatch(type, int, namespace={})
        def made(cls, x):
            return cls, x

    assert Owner.made(1) == Owner().made(1) == (Owner, 1)


def test_variadic_matches_come_one_by_one():
    matches = dispatcher.variadic_signature_matches_iter
    ints = (str, Variadic[int])
    assert list(matches((str, int, int), ints)) == [True, True, True, True]
    assert list(matches((str, str), ints)) == [True, False, True]
    assert list(matches((), ints)) == [False]
