"""Annotations as hints: what each form of annotation accepts, and when names are
looked up.
"""

# The old spellings are what is tested.
# ruff: noqa: UP006, UP007, UP045

from __future__ import annotations

import collections
import copy
import enum
import functools
import io
import itertools
import os
import pickle
import re
import signal
import subprocess
import sys
import types
import typing
from collections import abc as collections_abc
from typing import Annotated, Any, Literal, NamedTuple, Optional, Union

import pytest

from latebind import _hints
from latebind._core import Hint
from latebind._hints import UnresolvedName, hint_of, hints_of

INT, STR, NONE = map(Hint.instance, (int, str, type(None)))
ANY = Hint.any()
LIST = Hint.instance(list)


class Vector:
    def plus(self, other: Vector) -> Vector: ...

    def same(self, other: Self) -> Self: ...  # noqa: F821


class Colour(enum.Enum):
    RED = 1


class Pair(NamedTuple):
    first: int


class Movie(typing.TypedDict):
    title: str
    year: int


class Rated(Movie, total=False):
    stars: float


class Tree(typing.TypedDict):
    left: Tree


@typing.runtime_checkable
class Closes(typing.Protocol):
    def close(self) -> None: ...


@typing.runtime_checkable
class Named(typing.Protocol):
    name: str


class Unchecked(typing.Protocol):
    def close(self) -> None: ...


class Final(typing.Protocol):
    """Named like a form of typing."""


T = typing.TypeVar("T")
Number = typing.TypeVar("Number", int, float)
Bound = typing.TypeVar("Bound", bound="Vector")
UserId = typing.NewType("UserId", int)


class Box(typing.Generic[T]):
    pass


def positive(value: int) -> bool:
    return value > 0


class Below:
    def __init__(self, limit: int) -> None:
        self.limit = limit

    def test(self, value: int) -> bool:
        return value < self.limit


below = Below(10)


@pytest.mark.parametrize(
    ("annotation", "hint"),
    [
        (int, INT),
        (Vector, Hint.instance(Vector)),
        (Colour, Hint.instance(Colour)),
        (Pair, Hint.instance(Pair)),
        (None, NONE),
        (type(None), NONE),
        (Any, ANY),
        (object, ANY),
        (INT, INT),
        (Union[int, str], Hint.union(INT, STR)),
        (int | None, Hint.union(INT, NONE)),
        (Optional[int], Hint.union(INT, NONE)),
        (Union[int, "str"], Hint.union(INT, STR)),
        (Literal[1, "a"], Hint.literal(1, "a")),
        (Literal[1, Literal["a", None]], Hint.union(Hint.literal(1, "a"), NONE)),
        (Literal[Colour.RED], Hint.literal(Colour.RED)),
        (type[int], Hint.subclass(INT)),
        (typing.Type[Union[int, str]], Hint.subclass(Hint.union(INT, STR))),
        (type[Any], Hint.instance(type)),
        (typing.Type, Hint.instance(type)),
        (list, LIST),
        (typing.List, LIST),
        (list[int], Hint.items(list, INT)),
        (typing.List["int"], Hint.items(list, INT)),
        (list["int"], Hint.items(list, INT)),
        (list[Any], LIST),
        (list[T], LIST),
        (set[int], Hint.items(set, INT)),
        (frozenset[int], Hint.items(frozenset, INT)),
        (collections.deque[int], Hint.items(collections.deque, INT)),
        (
            collections_abc.Sequence[int],
            Hint.items(collections_abc.Sequence, INT),
        ),
        (typing.Collection[int], Hint.items(collections_abc.Collection, INT)),
        (typing.MutableSequence[int], Hint.items(collections_abc.MutableSequence, INT)),
        (typing.AbstractSet[int], Hint.items(collections_abc.Set, INT)),
        (dict[str, int], Hint.mapping(dict, STR, INT)),
        (typing.Dict[str, Any], Hint.mapping(dict, STR, ANY)),
        (typing.Mapping[str, int], Hint.mapping(collections_abc.Mapping, STR, INT)),
        (
            collections.defaultdict[str, list[int]],
            Hint.mapping(collections.defaultdict, STR, Hint.items(list, INT)),
        ),
        (collections.Counter[str], Hint.mapping(collections.Counter, STR, INT)),
        (
            typing.ItemsView[str, int],
            Hint.items(collections_abc.ItemsView, Hint.fixed(tuple, STR, INT)),
        ),
        (tuple, Hint.instance(tuple)),
        (typing.Tuple, Hint.instance(tuple)),
        (tuple[()], Hint.fixed(tuple)),
        (typing.Tuple[()], Hint.fixed(tuple)),
        (tuple[int, ...], Hint.items(tuple, INT)),
        (tuple[int, str], Hint.fixed(tuple, INT, STR)),
        (typing.Iterator[int], Hint.instance(collections_abc.Iterator)),
        (collections_abc.Iterable[int], Hint.instance(collections_abc.Iterable)),
        (typing.Generator[int, int, int], Hint.instance(collections_abc.Generator)),
        (typing.Awaitable[int], Hint.instance(collections_abc.Awaitable)),
        (typing.ContextManager[int], Hint.instance(typing.ContextManager.__origin__)),
        (typing.Callable, Hint.instance(collections_abc.Callable)),
        (typing.Callable[[int], str], Hint.instance(collections_abc.Callable)),
        (collections_abc.Callable[..., int], Hint.instance(collections_abc.Callable)),
        (typing.Hashable, Hint.instance(collections_abc.Hashable)),
        (T, ANY),
        (Number, Hint.union(INT, Hint.instance(float))),
        (Bound, Hint.instance(Vector)),
        (UserId, INT),
        (typing.Final[int], INT),
        (typing.ClassVar[int], INT),
        (typing.Final, ANY),
        (Annotated[int, "metres"], INT),
        (Annotated[int, positive], Hint.where(INT, positive)),
        (Annotated[int, positive, 3, int], Hint.where(INT, positive)),
        (Annotated[int, below], Hint.where(INT, below.test)),
        (
            Annotated[int, positive, below],
            Hint.where(Hint.where(INT, below.test), positive),
        ),
        (Closes, Hint.instance(Closes)),
        (Named, Hint.instance(Named)),
        (Box, Hint.instance(Box)),
        (Box[Any], Hint.instance(Box)),
        (Box[T], Hint.instance(Box)),
        (typing.TextIO, Hint.instance(io.TextIOBase)),
        (typing.IO[str], Hint.instance(io.TextIOBase)),
        (typing.IO, Hint.instance(io.IOBase)),
        ("int", INT),
        ("list[int] | None", Hint.union(Hint.items(list, INT), NONE)),
        ("typing.List[Vector]", Hint.items(list, Hint.instance(Vector))),
        ("None", NONE),
    ],
)
def test_each_form_is_its_hint(annotation: object, hint: Hint) -> None:
    assert hint_of(annotation, globalns=globals()) is hint


@pytest.mark.skipif(sys.version_info < (3, 11), reason="came with 3.11")
def test_forms_of_python_3_11() -> None:
    assert hint_of(typing.LiteralString) is STR
    spread = hint_of(tuple[int, typing.Unpack[tuple[str, ...]], None])
    assert spread.text.startswith("tuple[int, ")
    assert spread is hint_of(tuple[int, typing.Unpack[tuple[str, ...]], None])
    assert all(map(spread.check, [(1, None), (1, "a", None), (1, "a", "b", None)]))
    assert not any(
        map(spread.check, [(), (1,), (None,), (1, 2, None), (1, "a"), [1, None]])
    )
    flat = tuple[int, typing.Unpack[tuple[str, None]]]
    assert hint_of(flat) is Hint.fixed(tuple, INT, STR, NONE)
    whole = tuple[typing.Unpack[tuple[int, ...]]]
    assert hint_of(whole) is Hint.items(tuple, INT)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="came with 3.12")
def test_aliases_of_python_3_12() -> None:
    space: dict[str, Any] = {"__name__": __name__}
    exec(
        "type Ints = list[int]\n"
        "type Swapped[A, B] = tuple[B, A]\n"
        "type Own[A] = A\n"
        "type Later = list[NotYet]\n"
        "type Nested = list[Nested] | int\n"
        "def f[X: int](x: X, y: list[X]) -> X: ...\n",
        space,
    )
    assert hint_of(space["Ints"]) is Hint.items(list, INT)
    assert hint_of(space["Swapped"][int, str]) is Hint.fixed(tuple, STR, INT)
    assert hint_of(space["Own"][int]) is INT
    own = space["Own"][str]
    assert hint_of(list[own]) is Hint.items(list, STR)
    with pytest.raises(UnresolvedName, match="NotYet"):
        hint_of(space["Later"])
    assert hints_of(space["f"]) == {"x": INT, "y": Hint.items(list, INT)}
    try:
        nested = hint_of(space["Nested"])
    except TypeError as error:  # whoever cannot check it says so
        assert "Nested" in str(error)
    else:
        assert nested.check(1)


# --------------------------------------------------------------------------- functions


def test_parameters_are_named_and_may_be_anything_by_default() -> None:
    def f(a: int, /, b, *rest: str, c: Literal[1] = 1, **others: None) -> bytes: ...

    hints = {
        "a": INT,
        "b": ANY,
        "rest": STR,
        "c": Hint.literal(1),
        "others": NONE,
    }
    assert hints_of(f) == hints
    assert hints_of(f, returns=True) == {**hints, "return": Hint.instance(bytes)}


def test_a_result_that_nobody_asked_for_is_not_looked_at() -> None:
    def f(a: int) -> NotYet: ...  # noqa: F821

    assert hints_of(f) == {"a": INT}
    with pytest.raises(UnresolvedName, match=r"f\(\): its result: 'NotYet'"):
        hints_of(f, returns=True)


def test_whatever_can_be_called_has_hints() -> None:
    def f(a: int, b: str) -> None: ...

    class Callable:
        def __call__(self, a: int) -> None: ...

        @classmethod
        def make(cls, a: int) -> None: ...

        def method(self, a: int) -> None: ...

    class Made:
        def __init__(self, a: Vector) -> None: ...

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> None: ...

    both = {"a": INT, "b": STR}
    assert hints_of(wrapper) == both
    assert hints_of(functools.partial(f, b="x")) == both
    assert hints_of(staticmethod(f)) == both
    assert hints_of(Callable()) == {"a": INT}
    assert hints_of(Callable().method) == {"a": INT}
    assert hints_of(Callable.make) == {"a": INT}
    assert hints_of(Callable.__dict__["make"]) == {"cls": ANY, "a": INT}
    assert hints_of(Made) == {"a": Hint.instance(Vector)}
    assert hints_of(len) == {"obj": ANY}
    with pytest.raises(TypeError, match=r"has no signature.*register\(int, str\)"):
        hints_of(dict.update)


def test_text_is_looked_up_in_the_closure() -> None:
    class Local:
        pass

    def f(a: Local, b: list[Local]) -> object:
        return Local

    local = Hint.instance(Local)
    assert hints_of(f) == {"a": local, "b": Hint.items(list, local)}


def test_text_is_looked_up_in_local_names_before_the_module() -> None:
    class Vector:
        pass

    def f(a: Vector) -> None: ...

    assert hints_of(f)["a"].cls is globals()["Vector"]
    assert hints_of(f, localns={"Vector": Vector})["a"].cls is Vector


def test_text_is_looked_up_in_the_class() -> None:
    class Owner:
        class Inner:
            pass

        def f(self, a: Inner, b: Owner, c: Self) -> None: ...  # noqa: F821

    hints = hints_of(Owner.f, owner=Owner, localns={"Self": typing_self()})
    owner = Hint.instance(Owner)
    inner = Hint.instance(Owner.Inner)
    assert hints == {"self": ANY, "a": inner, "b": owner, "c": owner}


def typing_self() -> Any:
    if sys.version_info >= (3, 11):
        return typing.Self
    return pytest.importorskip("typing_extensions").Self


def test_self_needs_a_class() -> None:
    with pytest.raises(UnresolvedName, match="Self"):
        hint_of(typing_self())
    assert hint_of(typing_self(), owner=Vector) is Hint.instance(Vector)


def test_a_name_that_comes_later_is_found_later() -> None:
    space: dict[str, Any] = {}
    exec("def f(a: 'Later', b: 'list[Later]'): ...", space)
    with pytest.raises(UnresolvedName, match=r"f\(\): parameter 'a': 'Later'"):
        hints_of(space["f"])
    space["Later"] = int
    assert hints_of(space["f"]) == {"a": INT, "b": Hint.items(list, INT)}


def test_an_attribute_that_comes_later_is_found_later() -> None:
    module = types.SimpleNamespace()
    with pytest.raises(UnresolvedName):
        hint_of("module.Later", localns={"module": module})
    module.Later = int
    assert hint_of("module.Later", localns={"module": module}) is INT


def test_an_unresolved_name_is_a_name_error() -> None:
    assert issubclass(UnresolvedName, NameError)


@pytest.mark.parametrize(
    ("annotation", "says"),
    [
        (typing.NoReturn, "NoReturn accepts no value"),
        ("a b", "'a b' is no annotation"),
        ("int | 'str'", "cannot be evaluated"),
        (list[int, str], "2 type.s. inside, list takes 1"),
        (dict[int], "1 type.s. inside, dict takes 2"),
        (type[list[int]], r"type\[list\[int\]\] cannot be told of a class"),
        (Unchecked, "protocol Unchecked .* @typing.runtime_checkable"),
        (Final, "protocol Final .* @typing.runtime_checkable"),
    ],
)
def test_what_is_no_hint_is_named_with_its_parameter(
    annotation: object, says: str
) -> None:
    def f(a: int, b: int) -> None: ...

    f.__annotations__["b"] = annotation
    with pytest.raises(TypeError, match=r"f\(\): parameter 'b': .*" + says):
        hints_of(f)


# ------------------------------------------------------------------------ typed dicts


def test_a_typed_dict_is_checked_key_by_key() -> None:
    movie = hint_of(Movie)
    assert movie.check({"title": "Alien", "year": 1979})
    assert movie.check({"title": "Alien", "year": 1979, "more": 1})
    assert not movie.check({"title": "Alien"})
    assert not movie.check({"title": "Alien", "year": "1979"})
    assert not movie.check(3)
    assert movie.text == "Annotated[dict, 'title': str, 'year': int]"


def test_a_typed_dict_of_more_keys_is_narrower() -> None:
    movie, rated = hint_of(Movie), hint_of(Rated)
    assert rated.implies(movie)
    assert not movie.implies(rated)
    assert rated.check({"title": "Alien", "year": 1979})
    assert not rated.check({"title": "Alien", "year": 1979, "stars": "many"})
    assert hint_of(Movie) is movie


@pytest.mark.skipif(sys.version_info < (3, 11), reason="came with 3.11")
def test_required_keys_count_also_as_text() -> None:
    class Mixed(typing.TypedDict, total=False):
        a: typing.Required[int]
        b: typing.NotRequired[int]

    hint = hint_of(Mixed, localns={"typing": typing})
    assert hint.check({"a": 1})
    assert not hint.check({"b": 1})
    assert not hint.check({"a": 1, "b": ""})


# ------------------------------------------------------------------------- the others


def test_what_we_cannot_check_is_left_to_beartype() -> None:
    pytest.importorskip("beartype")
    hint = hint_of(re.Pattern[str])
    assert hint.kind == "opaque"
    assert hint.text == "re.Pattern[str]"
    assert hint is hint_of(re.Pattern[str])
    assert hint.implies(Hint.instance(re.Pattern))
    assert hint.check(re.compile("a"))
    assert not hint.check("a")
    assert hint_of(Box[int]) is not hint_of(Box[str])
    assert hint_of(Tree).kind == "opaque"  # contains itself
    with pytest.raises(TypeError, match="3 is no annotation that can be checked"):
        hint_of(3)


def test_a_validator_of_beartype_is_a_predicate() -> None:
    vale = pytest.importorskip("beartype.vale")
    hint = hint_of(Annotated[int, vale.Is[lambda value: value > 3]])
    assert hint.check(4)
    assert not hint.check(3)
    assert hint.implies(INT)


def test_without_beartype_the_error_names_it(monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "beartype", None)
    monkeypatch.setitem(sys.modules, "beartype.door", None)
    with pytest.raises(TypeError, match=r"re.Pattern\[str\] .* package beartype"):
        hint_of(re.Pattern[str])


def test_importing_and_plain_classes_do_not_import_typing() -> None:
    code = (
        "import sys; from latebind._hints import hints_of\n"
        "def f(a: int, b: str): ...\n"
        "hints_of(f)\n"
        "names = {'typing', 'inspect', 'beartype'}\n"
        "print(sorted(names & set(sys.modules)))\n"
    )
    path = str(_hints.__file__).rpartition("/latebind/")[0]
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=True,
    )
    assert done.stdout == "[]\n"


# --------------------------------------------------------------------- by type


class Claims(type):
    """Says of every value that it is an instance."""

    def __instancecheck__(cls, value: object) -> bool:
        return True


class Claiming(metaclass=Claims):
    pass


def test_by_type_is_another_hint_only_where_instances_are_asked() -> None:
    for cls in (int, collections_abc.Sized, Colour):
        assert Hint.by_type(cls) is Hint.instance(cls)
    assert Hint.by_type(object) is ANY
    assert Hint.by_type(Claiming) is Hint.by_type(Claiming)
    assert Hint.by_type(Claiming) is not Hint.instance(Claiming)
    assert Hint.by_type(Claiming).text == "Claiming"
    with pytest.raises(TypeError, match=r"by_type\(\) takes a class, not 1"):
        Hint.by_type(1)  # type: ignore[arg-type]


def test_by_type_asks_issubclass() -> None:
    class Duck(metaclass=type("Meta", (Claims,), {"__subclasscheck__": hears})): ...

    by_type, by_duck = Hint.by_type(Claiming), Hint.by_type(Duck)
    derived = type("Derived", (Claiming,), {})
    assert [by_type.check(x) for x in (Claiming(), derived(), 1)] == [True, True, False]
    assert Hint.instance(Claiming).check(1)
    assert [by_duck.check(x) for x in ("x", 1)] == [True, False]
    # Classes alone decide: nothing is left to be asked of a value.
    assert by_type.split() == ((by_type, None),)
    assert Hint.union(by_type, INT).split() == ((Hint.union(by_type, INT), None),)


def hears(cls: type, other: type) -> bool:
    return other is str


def test_by_type_is_pickled_and_copied_as_itself() -> None:
    for hint in (Hint.by_type(Claiming), Hint.items(list, Hint.by_type(Claiming))):
        assert pickle.loads(pickle.dumps(hint)) is hint
        assert copy.deepcopy(hint) is hint


# --------------------------------------------------------------- huge containers


class Interrupt(Exception):
    pass


def interrupted(hint: Hint, value: object) -> bool:
    """Whether a signal's handler can end a check of seconds after a few ms."""

    def stop(*unused: object) -> None:
        raise Interrupt

    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        hint.check(value)
    except Interrupt:
        return True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return False


MANY = [1] * 1_000_000
PAIRS = dict.fromkeys(range(50_000), 1)


class Endless(list[int]):
    def __iter__(self) -> typing.Iterator[int]:
        return itertools.count()


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (list[list[int]], [MANY] * 1_000),
        (list[list[Union[int, str]]], [MANY] * 1_000),
        (tuple[tuple[int, ...], ...], (tuple(MANY),) * 1_000),
        (tuple[tuple[Union[int, str], ...], ...], (tuple(MANY),) * 1_000),
        (list[dict[int, int]], [PAIRS] * 2_000),
        (list[int], Endless()),
        (list[typing.Deque[int]], [collections.deque(MANY)] * 99),
    ],
    ids=lambda each: str(each) if not hasattr(each, "__len__") else "",
)
def test_a_long_check_can_be_interrupted(annotation: Any, value: Any) -> None:
    assert interrupted(hint_of(annotation), value)


@pytest.mark.parametrize(
    ("value", "annotation", "fits"),
    [
        (range(10**30), typing.Sequence[int], True),
        (range(10**30), typing.Sequence[Union[int, str]], True),
        (range(10**30), typing.Sequence[typing.SupportsInt], True),
        (range(10**30), typing.Sequence[str], False),
        (range(10**30), typing.Sequence[bool], False),
        (range(0), typing.Sequence[str], True),
        ("abc", typing.Sequence[str], True),
        ("abc", typing.Sequence[int], False),
        ("", typing.Sequence[int], True),
        (b"abc", typing.Collection[int], True),
        (b"abc", typing.Collection[bytes], False),
        (bytearray(b"abc"), typing.MutableSequence[int], True),
        (bytearray(), typing.MutableSequence[str], True),
        ("aab", typing.Sequence[Literal["a", "b"]], True),
        ("abc", typing.Sequence[Literal["a", "b"]], False),
        (range(3), typing.Sequence[Literal[0, 1, 2]], True),
        (range(4), typing.Sequence[Literal[0, 1, 2]], False),
    ],
)
def test_elements_that_are_all_alike(value: Any, annotation: Any, fits: bool) -> None:
    assert hint_of(annotation).check(value) is fits


def test_the_handler_of_a_signal_may_change_what_is_checked() -> None:
    rows = [MANY] * 10_000

    def shorten(*unused: object) -> None:
        del rows[1:]

    before = signal.signal(signal.SIGALRM, shorten)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        assert hint_of(list[list[int]]).check(rows)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(rows) == 1
