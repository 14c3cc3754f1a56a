"""`explain` says what a call would do, and why."""

from typing import Annotated, Any, Literal

import pytest

from latebind import NoMethodError, dispatch, generic


@pytest.fixture
def f() -> Any:
    @dispatch
    def f(x: object, y: object) -> str:
        return "object, object"

    @dispatch
    def f(x: int, y: object) -> str:
        return "int, object"

    @dispatch
    def f(x: int, y: str) -> str:
        return "int, str"

    @dispatch
    def f(x: int, y: str, z: float) -> str:
        return "three"

    return f


def texts(methods: Any) -> list[str]:
    return [one.function.__name__ and one.signature_text for one in methods]


def test_the_chosen_method_is_the_one_that_runs(f: Any) -> None:
    explanation = f.explain(1, "a")
    assert explanation.chosen.function(1, "a") == f(1, "a") == "int, str"


def test_the_chain_is_what_next_method_would_reach(f: Any) -> None:
    explanation = f.explain(1, "a")
    results = [one.function(1, "a") for one in explanation.chain]
    assert results == ["int, str", "int, object", "object, object"]
    assert tuple(explanation.chain) == f.chain(int, str)


def lines(explanation: Any) -> list[tuple[str, str, bool]]:
    """Of each method: what is said, its parameters, whether it is reached."""
    found = []
    for line in str(explanation).splitlines()[1:]:
        word, rest = line.split(None, 1)
        if word != "not":
            text = rest.partition(")")[0].partition("(")[2]
            found.append((word, text, "not reached" not in rest))
    return found


def test_what_would_come_next_is_told_from_what_runs(f: Any) -> None:
    explanation = f.explain(1, "a")
    assert explanation.reached == explanation.chain[:1]
    assert lines(explanation) == [
        ("runs", "x: int, y: str", True),
        ("next", "x: int, y: object", False),
        ("next", "x: object, y: object", False),
    ]
    assert "f(x: int, y: str) takes no next_method" in str(explanation)


def test_what_next_method_reaches_is_reached() -> None:
    @dispatch
    def g(x: object) -> str:
        return "object"

    @dispatch
    def g(x: int) -> str:
        return "int"

    @dispatch
    def g(x: bool, *, next_method: Any) -> str:
        return next_method()

    explanation = g.explain(True)
    assert explanation.reached == explanation.chain[:2]
    assert [reached for _w, _t, reached in lines(explanation)] == [True, True, False]
    assert "g(x: int) takes no next_method" in str(explanation)


def test_befores_and_afters_run_and_what_a_closed_around_holds_does_not() -> None:
    @generic
    def g(x): ...

    g.register(object, lambda x: 0)
    g.register(int, lambda x: 1)
    g.register(object, lambda x: None, before=True)
    g.register(bool, lambda x: None, after=True)
    assert [(word, reached) for word, _t, reached in lines(g.explain(True))] == [
        ("runs", True),
        ("runs", True),
        ("next", False),
        ("runs", True),
    ]
    g.register(bool, lambda x, *, next_method: next_method(), around=True)
    words = [(word, reached) for word, _t, reached in lines(g.explain(True))]
    assert words == [("runs", True), *[("next", one) for one in (1, 1, 0, 1)]]
    g.register(bool, lambda x: None, around=True)
    explanation = g.explain(True)
    assert explanation.reached == explanation.chain[:1]


@pytest.mark.parametrize(
    ("combination", "word", "reached"),
    [("list", "runs", True), ("or", "next", True), ("first", "next", False)],
)
def test_combinations_say_which_methods_they_run(
    combination: str, word: str, reached: bool
) -> None:
    @generic(combination=combination)
    def g(x): ...

    g.register(object, lambda x: 0)
    g.register(int, lambda x: 1)
    found = [(word, reached) for word, _t, reached in lines(g.explain(1))]
    assert found == [("runs", True), (word, reached)]


def test_rejected_methods_have_a_reason_and_an_argument(f: Any) -> None:
    rejected = {
        method.signature_text: (reason, argument)
        for method, reason, argument in f.explain(1, 2).rejected
    }
    assert len(rejected) == 2
    (two,) = (rejected[text] for text in rejected if "z" not in text)
    assert "y" in str(two[1]) or two[1] == 1
    assert all(reason for reason, _argument in rejected.values())


def test_what_was_wanted_is_said_of_types_too(f: Any) -> None:
    @dispatch
    def g(x: int, *rest: str) -> None: ...
    @dispatch
    def g(x: list[int], *, key: int = 0) -> None: ...

    assert "y is int, wanted str" in str(f.explain_types(int, int))
    said = [reason for _m, reason, _a in g.explain_types(int, bytes).rejected]
    assert said[0] == "*rest is bytes, wanted str"
    said = [reason for _m, reason, _a in g.explain_types(list, key=str).rejected]
    assert said[1] == "key is str, wanted int"
    said = [reason for _m, reason, _a in g.explain_types(list).rejected]
    assert said == ["x is list, wanted int", "it depends on the value of x"]


def test_a_notebook_shows_the_text(f: Any) -> None:
    """By the method that IPython calls with its printer."""
    shown: list[str] = []

    class Printer:
        text = shown.append

    found = f.explain_types(int, int)
    found._repr_pretty_(Printer(), False)
    assert shown == [str(found)]


def test_for_people_it_is_text(f: Any) -> None:
    text = str(f.explain(1, "a"))
    assert "int" in text and "str" in text
    assert "test_explain.py" in text
    assert len(text.splitlines()) > 2


def test_a_missing_method_is_explained(f: Any) -> None:
    f.remove(object, object)
    explanation = f.explain("a", "b")
    assert explanation.chosen is None
    assert list(explanation.chain) == []
    assert len(explanation.rejected) == 3
    assert str(explanation)


def test_an_ambiguous_call_is_explained() -> None:
    @generic(silent=True)
    def g(x, y): ...

    g.register(int, object, lambda x, y: "left")
    g.register(object, int, lambda x, y: "right")
    explanation = g.explain(1, 1)
    assert explanation.chosen is None
    assert explanation.status != g.explain(1, "a").status
    assert explanation.status != g.explain("a", "a").status
    assert "ambiguous" in str(explanation)


def test_explaining_runs_no_method() -> None:
    ran: list[int] = []

    @dispatch
    def g(x: int) -> None:
        ran.append(x)

    g.explain(1)
    g.explain_types(int)
    assert ran == []


def test_explaining_by_types_is_explaining_by_values(f: Any) -> None:
    by_type, by_value = f.explain_types(int, str), f.explain(1, "a")
    assert by_type.chosen is by_value.chosen
    assert tuple(by_type.chain) == tuple(by_value.chain)


def test_a_predicate_s_answer_is_shown() -> None:
    @dispatch
    def g(x: Annotated[int, lambda x: x > 0]) -> str:
        return "positive"

    @dispatch
    def g(x: int) -> str:
        return "int"

    @dispatch
    def g(x: Literal[7]) -> str:
        return "seven"

    def chosen(x: int) -> Any:
        return g.explain(x).chosen.function(x)

    assert [chosen(x) for x in (-1, 3, 7)] == [g(-1), g(3), g(7)]
    assert {one.signature_text for one, *_ in g.explain(3).rejected} == {
        g.methods[2].signature_text
    }


def test_keywords_are_explained() -> None:
    @dispatch
    def g(*, key: int) -> str:
        return "int"

    @dispatch
    def g(*, key: str) -> str:
        return "str"

    assert g.explain(key="a").chosen.function(key="a") == "str"
    ((_method, reason, argument),) = g.explain(key="a").rejected
    assert "key" in f"{reason} {argument}"
    assert g.explain_types(key=int).chosen.function(key=1) == "int"


def test_befores_and_afters_are_in_the_text() -> None:
    @generic
    def g(x): ...

    g.register(int, lambda x: "primary")
    g.register(int, lambda x: None, qualifier="before")
    g.register(int, lambda x, *, next_method: next_method(), qualifier="around")
    text = str(g.explain(1))
    assert "before" in text and "around" in text
    assert g.explain(1).chosen.qualifier in ("primary", "around")


def test_a_method_of_a_class_is_explained() -> None:
    class Base:
        def m(self, x: Any) -> str:
            return "Base"

    class Sub(Base):
        @dispatch
        def m(self, x: int) -> str:
            return "int"

    o = Sub()
    assert Sub.m.explain(o, 1).chosen is Sub.m.methods[0]
    assert Sub.m.explain(o, "a").chosen is None
    assert "Base" in str(Sub.m.explain(o, "a"))


def test_resolving_what_does_not_fit_is_an_error(f: Any) -> None:
    with pytest.raises(NoMethodError):
        f.resolve(int)
    with pytest.raises(NoMethodError):
        f.chain(int, str, str)
    with pytest.raises(TypeError):
        f.resolve(1, 2)
