"""Keywords select like positions, by name; whatever way an argument is given."""

from typing import Any

import pytest

from latebind import NoMethodError, dispatch, generic

pytestmark = pytest.mark.filterwarnings("ignore::latebind.AmbiguityWarning")


@pytest.fixture
def f() -> Any:
    @dispatch
    def f(x: int, y: int) -> str:
        return "int, int"

    @dispatch
    def f(x: int, y: str) -> str:
        return "int, str"

    @dispatch
    def f(x: str, y: object) -> str:
        return "str, object"

    return f


def test_a_position_may_be_given_by_name(f: Any) -> None:
    assert f(1, y=2) == f(x=1, y=2) == f(1, 2) == "int, int"
    assert f(1, y="a") == f(x=1, y="a") == "int, str"


def test_the_order_of_keywords_does_not_matter(f: Any) -> None:
    assert f(y="a", x=1) == f(x=1, y="a") == "int, str"
    assert f(y=1, x="a") == f(x="a", y=1) == "str, object"


def test_names_made_at_run_time_are_names(f: Any) -> None:
    name = "".join(["  x", "  "]).strip()
    assert f(**{name: 1, "".join("y"): "a"}) == "int, str"


def test_calls_with_and_without_names_in_turn(f: Any) -> None:
    for _ in range(3):
        assert f(1, 2) == "int, int"
        assert f(y=2, x=1) == "int, int"
        assert f(1, y="a") == "int, str"
        assert f("a", y="a") == "str, object"


def test_an_unknown_name_is_named(f: Any) -> None:
    with pytest.raises(TypeError, match="zebra"):
        f(1, 2, zebra=3)
    with pytest.raises(TypeError, match="zebra"):
        f(1, zebra=3)


def test_an_argument_given_twice_is_an_error(f: Any) -> None:
    with pytest.raises(TypeError):
        f(1, 2, x=1)


def test_keyword_only_parameters_select() -> None:
    @dispatch
    def f(*, key: int) -> str:
        return "int"

    @dispatch
    def f(*, key: str) -> str:
        return "str"

    @dispatch
    def f(*, other: str) -> str:
        return "other"

    assert (f(key=1), f(key="a"), f(other="a")) == ("int", "str", "other")
    for wrong in ({}, {"key": 1.5}, {"key": 1, "other": "a"}):
        with pytest.raises(NoMethodError):
            f(**wrong)
    with pytest.raises(NoMethodError):
        f(1)


def test_a_default_is_that_of_the_method_that_runs() -> None:
    given: list[Any] = []

    @dispatch
    def f(x: int, *, key: list = given) -> Any:
        return key

    @dispatch
    def f(x: str, *, key: str = "default") -> Any:
        return key

    assert f(1) is given
    assert f("a") == "default"
    assert f("a", key="b") == "b"
    with pytest.raises(NoMethodError):
        f(1, key="b")


def test_a_changed_default_is_seen() -> None:
    def method(x: int, *, key: str = "old") -> str:
        return key

    @generic
    def f(x, *, key=""): ...

    f.register(method)
    assert f(1) == "old"
    method.__kwdefaults__ = {"key": "new"}
    assert f(1) == "new"


def test_a_missing_keyword_is_an_error() -> None:
    @dispatch
    def f(x: int, *, key: int) -> str:
        return "int"

    with pytest.raises(NoMethodError, match="key"):
        f(1)


def test_other_keywords_are_checked_by_their_hint() -> None:
    @dispatch
    def f(**numbers: int) -> str:
        return "numbers"

    @dispatch
    def f(**texts: str) -> str:
        return "texts"

    assert f(a=1, b=2) == "numbers"
    assert f(a="a") == "texts"
    with pytest.raises(NoMethodError):
        f(a=1, b="a")


def test_other_keywords_beside_known_ones() -> None:
    @dispatch
    def f(x: int, *, key: str = "", **rest: int) -> Any:
        return ("first", rest)

    @dispatch
    def f(x: int, *, key: bytes, **rest: object) -> Any:
        return ("second", rest)

    assert f(1, a=1) == ("first", {"a": 1})
    assert f(1, key="a", z=1) == ("first", {"z": 1})
    assert f(1, key=b"", z="a") == ("second", {"z": "a"})


def test_a_positional_only_name_is_free_for_other_keywords() -> None:
    @dispatch
    def f(x: int, /, **rest: str) -> Any:
        return rest

    assert f(1, x="a") == {"x": "a"}
    with pytest.raises(NoMethodError):
        f(x="a")


def test_a_positional_only_parameter_is_not_given_by_name() -> None:
    @dispatch
    def f(x: int, /) -> str:
        return "position"

    @dispatch
    def f(*, x: int) -> str:
        return "name"

    assert (f(1), f(x=1)) == ("position", "name")


def test_methods_may_name_the_same_position_differently() -> None:
    @dispatch
    def f(left: int) -> str:
        return "left"

    @dispatch
    def f(right: str) -> str:
        return "right"

    assert (f(left=1), f(right="a"), f(1), f("a")) == ("left", "right", "left", "right")
    with pytest.raises(NoMethodError):
        f(left="a")


def test_names_in_another_order_are_compared_by_name() -> None:
    @dispatch
    def f(a: object, b: int) -> str:
        return "a, b"

    @dispatch
    def f(b: object, a: int) -> str:
        return "b, a"

    assert f(a="x", b=1) == "a, b"
    assert f(a=1, b="x") == "b, a"


def test_a_name_and_variadic_positions() -> None:
    @dispatch
    def f(*rest: int, key: str = "") -> Any:
        return ("int", rest, key)

    @dispatch
    def f(*rest: str, key: object) -> Any:
        return ("str", rest, key)

    assert f(1, 2, key="a") == ("int", (1, 2), "a")
    assert f("a", key=None) == ("str", ("a",), None)
    assert f(key=None) == ("str", (), None)


def test_forty_keywords() -> None:
    names = [f"k{number}" for number in range(40)]
    space: dict[str, Any] = {}
    for hint in ("int", "str"):
        parameters = ", ".join(
            f"{name}: {hint if name == 'k39' else 'int'}" for name in names
        )
        exec(f"def on_{hint}(*, {parameters}): return {hint!r}, k39", space)

    @generic
    def f(**named): ...

    f.register(space["on_int"])
    f.register(space["on_str"])
    numbers = {name: 1 for name in reversed(names)}
    for _ in range(2):
        assert f(**numbers) == ("int", 1)
        assert f(**{**numbers, "k39": "a"}) == ("str", "a")
        with pytest.raises(NoMethodError):
            f(**{**numbers, "k0": "a"})


def test_keywords_of_a_bound_method() -> None:
    class C:
        @dispatch
        def m(self, x: int, *, key: int = 0) -> str:
            return "int"

        @dispatch
        def m(self, x: int, *, key: str) -> str:
            return "str"

    c = C()
    assert (c.m(1), c.m(1, key=1), c.m(x=1, key="a")) == ("int", "int", "str")
    assert C.m(c, 1, key="a") == C.m(self=c, x=1, key="a") == "str"


def test_names_that_are_no_text_are_refused_as_by_any_function() -> None:
    @dispatch
    def f(**named: object) -> None: ...

    with pytest.raises(TypeError, match="must be strings"):
        f(**{1: 2})  # type: ignore[arg-type]


def test_names_of_a_str_subclass() -> None:
    class Name(str): ...

    @dispatch
    def f(*, key: int) -> str:
        return "int"

    assert f(**{Name("key"): 1}) == "int"


def test_keyword_values_with_predicates() -> None:
    from typing import Literal

    @dispatch
    def f(*, mode: Literal["r"]) -> str:
        return "reading"

    @dispatch
    def f(*, mode: Literal["w", "a"]) -> str:
        return "writing"

    @dispatch
    def f(*, mode: str) -> str:
        return "other"

    assert [f(mode=one) for one in "rwax"] == ["reading", "writing", "writing", "other"]


def test_resolving_by_keyword_types() -> None:
    @dispatch
    def f(x: int, *, key: str) -> str:
        return "str"

    @dispatch
    def f(x: int, *, key: bytes) -> str:
        return "bytes"

    assert f.resolve(int, key=bytes).function(1, key=b"") == "bytes"
    with pytest.raises(NoMethodError):
        f.resolve(int)
