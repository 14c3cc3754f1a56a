"""Hints that look at the value, and that they cost only the calls they concern."""

import collections
import enum
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import pytest

from latebind import NoMethodError, dispatch, generic

pytestmark = pytest.mark.filterwarnings("ignore::latebind.AmbiguityWarning")


class Counted:
    """A predicate that counts how often it is asked."""

    def __init__(self, answer: Any = True) -> None:
        self.answer = answer
        self.asked = 0

    def __call__(self, value: Any) -> Any:
        self.asked += 1
        return self.answer(value) if callable(self.answer) else self.answer


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


def test_a_literal_goes_before_its_type() -> None:
    @dispatch
    def f(x: int) -> str:
        return "int"

    @dispatch
    def f(x: Literal[0]) -> str:
        return "zero"

    assert [f(0), f(1), f(-0), f(10**30)] == ["zero", "int", "zero", "int"]


def test_a_literal_is_of_exactly_its_type() -> None:
    class Int(int): ...

    @dispatch
    def f(x: Literal[1]) -> str:
        return "one"

    @dispatch
    def f(x: object) -> str:
        return "object"

    assert [f(1), f(True), f(1.0), f(Int(1))] == ["one"] + ["object"] * 3


def test_literals_of_every_kind() -> None:
    @generic
    def f(x): ...

    for hint in (Literal["a"], Literal[b"a"], Literal[True], Literal[Colour.RED]):
        f.register(hint, lambda x, text=str(hint): text)
    f.register(Literal[None], lambda x: "none")
    f.register(object, lambda x: "object")
    assert f("a") == str(Literal["a"]) and f(b"a") == str(Literal[b"a"])
    assert f(True) == str(Literal[True]) and f(Colour.RED) == str(Literal[Colour.RED])
    assert [f(None), f(False), f(Colour.BLUE), f("b")] == ["none"] + ["object"] * 3


def test_hundreds_of_literals() -> None:
    @generic
    def f(x): ...

    for number in range(300):
        f.register(Literal[number], lambda x, number=number: -number)
    f.register(int, lambda x: "int")
    assert [f(number) for number in range(300)] == [-number for number in range(300)]
    assert f(300) == "int"


def test_elements_are_looked_at_each_time() -> None:
    @dispatch
    def f(x: list[int]) -> str:
        return "ints"

    @dispatch
    def f(x: list[str]) -> str:
        return "texts"

    @dispatch
    def f(x: list) -> str:
        return "list"

    given: list[Any] = [1]
    assert f(given) == "ints"
    given[0] = "a"
    assert f(given) == "texts"
    given.append(1)
    assert f(given) == "list"


def test_every_element_is_looked_at() -> None:
    @dispatch
    def f(x: list[int]) -> str:
        return "ints"

    @dispatch
    def f(x: object) -> str:
        return "object"

    for place in (0, 1, 500, 998, 999):
        given: list[Any] = [1] * 1_000
        given[place] = "a"
        assert f(given) == "object"
    assert f([1] * 1_000) == "ints"


def test_an_empty_list_fits_both_and_is_ambiguous() -> None:
    from latebind import AmbiguousMethodError

    @generic(silent=True)
    def f(x): ...

    f.register(list[int], lambda x: "ints")
    f.register(list[str], lambda x: "texts")
    with pytest.raises(AmbiguousMethodError):
        f([])
    assert (f([1]), f(["a"])) == ("ints", "texts")


@pytest.mark.parametrize(
    ("hint", "fits", "others"),
    [
        (list[int], [[1], [], [True]], [["a"], (1,), [1, None]]),
        (tuple[int, str], [(1, "a")], [(1,), (1, 2), (1, "a", 2), [1, "a"]]),
        (tuple[int, ...], [(), (1, 2)], [(1, "a"), [1]]),
        (tuple[()], [()], [(1,)]),
        (dict[str, int], [{}, {"a": 1}], [{1: 1}, {"a": "a"}, []]),
        (set[int], [set(), {1}], [{"a"}, frozenset()]),
        (frozenset[int], [frozenset({1})], [{1}]),
        (Sequence[int], [[1], (1, 2), range(3)], [["a"], {1}, "ab"]),
        (Mapping[str, int], [{"a": 1}, collections.OrderedDict(a=1)], [{1: 2}]),
        (collections.deque[int], [collections.deque([1])], [[1]]),
        (list[list[int]], [[[1], []]], [[1], [["a"]]]),
        (list[int | None], [[1, None]], [["a"]]),
        (type[int], [int, bool], [str, 1]),
        (dict[str, list[int]], [{"a": [1]}], [{"a": ["a"]}, {"a": 1}]),
    ],
    ids=str,
)
def test_hints_of_elements(hint: Any, fits: list[Any], others: list[Any]) -> None:
    @generic
    def f(x): ...

    f.register(hint, lambda x: "fits")
    f.register(object, lambda x: "other")
    assert [f(one) for one in fits] == ["fits"] * len(fits)
    assert [f(one) for one in others] == ["other"] * len(others)
    assert [f(one) for one in fits] == ["fits"] * len(fits)


def test_narrower_elements_go_first() -> None:
    @dispatch
    def f(x: list[int]) -> str:
        return "int"

    @dispatch
    def f(x: list[bool]) -> str:
        return "bool"

    @dispatch
    def f(x: list) -> str:
        return "list"

    assert [f([True]), f([True, 1]), f([1.5])] == ["bool", "int", "list"]


def test_a_predicate_is_asked_only_where_its_class_fits() -> None:
    asked = Counted()

    @dispatch
    def f(x: Annotated[int, asked]) -> str:
        return "asked"

    @dispatch
    def f(x: str) -> str:
        return "str"

    for _ in range(10):
        assert f("a") == "str"
    assert asked.asked == 0
    assert f(1) == f(2) == "asked"
    assert asked.asked == 2


def test_a_predicate_on_one_class_leaves_its_subclass_s_own_method_alone() -> None:
    asked = Counted()

    @dispatch
    def f(x: Annotated[int, asked]) -> str:
        return "asked"

    @dispatch
    def f(x: bool) -> str:
        return "bool"

    for _ in range(10):
        assert f(True) == "bool"
    assert asked.asked == 0


def test_a_predicate_is_asked_once_in_a_call() -> None:
    asked = Counted(lambda value: value > 0)

    @dispatch
    def f(x: Annotated[int, asked], *, next_method: Any) -> Any:
        return ["positive", next_method()]

    @dispatch
    def f(x: int) -> str:
        return "int"

    assert f(1) == ["positive", "int"]
    assert f(-1) == "int"
    assert asked.asked == 2


def test_predicates_of_other_arguments_are_not_asked_in_vain() -> None:
    asked = Counted()

    @dispatch
    def f(x: str, y: Annotated[int, asked]) -> str:
        return "asked"

    @dispatch
    def f(x: int, y: int) -> str:
        return "int, int"

    for _ in range(5):
        assert f(1, 1) == "int, int"
    assert asked.asked == 0
    assert f("a", 1) == "asked"


def test_a_false_predicate_leaves_the_method_out() -> None:
    @dispatch
    def f(x: Annotated[int, lambda x: False]) -> None: ...

    with pytest.raises(NoMethodError):
        f(1)


def test_several_predicates_must_all_hold() -> None:
    @dispatch
    def f(x: Annotated[int, lambda x: x > 0, lambda x: x < 10]) -> str:
        return "digit"

    @dispatch
    def f(x: int) -> str:
        return "int"

    assert [f(5), f(-5), f(50)] == ["digit", "int", "int"]


def test_truth_of_a_predicate_s_answer_counts() -> None:
    @dispatch
    def f(x: Annotated[list, len]) -> str:
        return "some"

    @dispatch
    def f(x: list) -> str:
        return "none"

    assert (f([1]), f([])) == ("some", "none")


def test_a_list_that_changes_while_it_is_looked_at_is_survived() -> None:
    given: list[Any] = list(range(100))

    class Meddler(type):
        def __instancecheck__(cls, value: Any) -> bool:
            given.clear()
            return True

    class Meddled(metaclass=Meddler): ...

    @dispatch
    def f(x: list[Meddled]) -> str:
        return "fits"

    @dispatch
    def f(x: object) -> str:
        return "object"

    assert f(given) in ("fits", "object")


def test_a_list_that_contains_itself_ends() -> None:
    given: list[Any] = []
    given.append(given)

    @dispatch
    def f(x: list[list[list[int]]]) -> str:
        return "nested"

    @dispatch
    def f(x: list) -> str:
        return "list"

    assert f(given) == "list"


def test_literals_and_classes_in_one_union() -> None:
    @dispatch
    def f(x: str | Literal[1, 2] | None) -> str:
        return "fits"

    @dispatch
    def f(x: object) -> str:
        return "object"

    assert [f("a"), f(1), f(2), f(None)] == ["fits"] * 4
    assert [f(3), f(True), f(1.0)] == ["object"] * 3


def test_next_methods_behind_a_value() -> None:
    @dispatch
    def f(x: Literal[1], *, next_method: Any) -> Any:
        return ["one", *next_method()]

    @dispatch
    def f(x: Annotated[int, lambda x: x > 0], *, next_method: Any) -> Any:
        return ["positive", *next_method()]

    @dispatch
    def f(x: int) -> Any:
        return ["int"]

    assert f(1) == ["one", "positive", "int"]
    assert f(2) == ["positive", "int"]
    assert f(-1) == ["int"]


def test_a_factorial_by_values() -> None:
    @dispatch
    def factorial(n: Literal[0]) -> int:
        return 1

    @dispatch
    def factorial(n: int) -> int:
        return n * factorial(n - 1)

    assert factorial(20) == 2432902008176640000
