"""Loads of calls: each a table of cases to be timed by turns.

A load makes the same functions for every peer and asks each for the same calls.
The functions return a number, so it is seen whether the right one ran.
"""

import collections.abc
import linecache
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness import Case
from peers import Build, latebind
from things import BUILTINS, Function, classes, function, pairs, shuffled

Cases = dict[str, Case]
Builds = dict[str, Build]


@dataclass(frozen=True)
class Load:
    name: str
    title: str
    goal: float | None  # ratio to the plain call, for latebind
    peer: float | None  # the best ratio known of a peer
    cases: Callable[[Builds], Cases]


class Unfit(Exception):
    """A call came to another result than it should."""


def fitting(builds: Builds, make: Callable[[str, Build], Case]) -> Cases:
    """The cases of those that can do what a load asks for. A peer may raise
    whatever it likes where it cannot; Latebind has to."""
    cases = {}
    for name, build in builds.items():
        try:
            cases[name] = make(name, build)
        except Exception:
            if name == "latebind":
                raise
    return cases


def checked(case: Case, results: Sequence[Any]) -> Case:
    """The case, if each of its statements comes to what it should."""
    names = dict(case.names)
    for statement, result in zip(case.statements, results, strict=True):
        call = statement.split("; ")[-1]
        for _ in range(3):
            if (found := eval(call, {}, names)) != result:
                raise Unfit(f"{call} gave {found!r}")
    return case


def cases_for(
    builds: Builds,
    functions: Sequence[Function],
    plain: Function,
    calls: Sequence[str],
    results: Sequence[Any],
    names: dict[str, Any],
    *,
    less: Sequence[str] = (),
    plain_calls: Sequence[str] = (),
) -> Cases:
    """A case for the plain function, and one for each peer that can do it."""
    simple = plain_calls or calls

    def make(_: str, build: Build) -> Case:
        named = {**names, "f": build(functions, False)}
        return checked(Case(calls, named, len(calls), less), results)

    first = {"plain": Case(simple, {**names, "f": plain}, len(simple))}
    return first | fitting(builds, make)


# Two arguments, 64 pairs of classes


def chain_text(values: int) -> str:
    """A nested chain of isinstance over the classes T0, T1, …"""
    lines = ["def f(a, b):"]
    for i in range(values):
        lines.append(f"    {'el' if i else ''}if isinstance(a, T{i}):")
        for j in range(values):
            word = "elif" if j else "if"
            lines.append(f"        {word} isinstance(b, T{j}):")
            lines.append(f"            return {i * values + j}")
    return "\n".join(lines)


def match_text(values: int) -> str:
    lines = ["def f(a, b):", "    match a, b:"]
    for i in range(values):
        for j in range(values):
            lines.append(f"        case T{i}(), T{j}():")
            lines.append(f"            return {i * values + j}")
    return "\n".join(lines)


TABLE_TEXT = "def f(a, b):\n    return TABLE[type(a), type(b)](a, b)\n"


def by_hand(kinds: Sequence[type], functions: Sequence[Function]) -> dict[str, Any]:
    """What one writes without a library."""
    scope: dict[str, Any] = {f"T{i}": kind for i, kind in enumerate(kinds)}
    scope["TABLE"] = dict(zip(pairs(kinds, kinds), functions, strict=True))
    texts = {
        "isinstance chain": chain_text(len(kinds)),
        "match statement": match_text(len(kinds)),
        "dict of types": TABLE_TEXT,
    }
    made = {}
    for name, text in texts.items():
        local = dict(scope)
        exec(text, local)
        made[name] = local["f"]
    return made


def two_arguments(builds: Builds, objects: Sequence[Any]) -> Cases:
    kinds = [type(each) for each in objects]
    functions = [function(i, pair) for i, pair in enumerate(pairs(kinds, kinds))]
    order = shuffled(64)
    calls = [f"f(x{n // 8}, x{n % 8})" for n in order]
    names = {f"x{i}": each for i, each in enumerate(objects)}
    plain = function(0, [], "a, b")
    cases = cases_for(builds, functions, plain, calls, order, names)
    for name, made in by_hand(kinds, functions).items():
        cases[name] = checked(Case(calls, {**names, "f": made}, 64), order)
    return cases


def user_classes(builds: Builds) -> Cases:
    return two_arguments(builds, [cls() for cls in classes(8)])


def builtins(builds: Builds) -> Cases:
    return two_arguments(builds, BUILTINS)


# One argument, and methods


def one_argument(builds: Builds) -> Cases:
    kinds = classes(8)
    functions = [function(i, [kind], "a") for i, kind in enumerate(kinds)]
    order = shuffled(8) * 3
    names: dict[str, Any] = {f"x{i}": kind() for i, kind in enumerate(kinds)}
    calls = [f"f(x{i})" for i in order]
    plain = function(0, [], "a")
    return cases_for(builds, functions, plain, calls, order, names)


def bound_method(builds: Builds) -> Cases:
    kinds = classes(8)
    functions = [function(i, [k], "self, b", "m") for i, k in enumerate(kinds)]
    order = shuffled(8) * 3
    names: dict[str, Any] = {f"x{i}": kind() for i, kind in enumerate(kinds)}
    calls = [f"o.m(x{i})" for i in order]

    def case_of(member: Any) -> Case:
        owner = type("Owner", (), {"m": member})
        return Case(calls, {**names, "o": owner()}, len(calls))

    return {"plain": case_of(function(0, [], "self, b", "m"))} | fitting(
        builds, lambda _, build: checked(case_of(build(functions, True)), order)
    )


# Keywords


def keyword_passed(builds: Builds) -> Cases:
    kinds = classes(8)
    functions = [function(i, [k, int], "a, *, k") for i, k in enumerate(kinds)]
    for each in functions:
        del each.__annotations__["k"]
    order = shuffled(8) * 3
    names: dict[str, Any] = {f"x{i}": kind() for i, kind in enumerate(kinds)}
    names["v"] = 1
    calls = [f"f(x{i}, k=v)" for i in order]
    plain = function(0, [], "a, *, k")
    return cases_for(builds, functions, plain, calls, order, names)


def keyword_dispatched(builds: Builds) -> Cases:
    kinds = classes(4)
    functions = [
        function(i, pair, "a, *, k") for i, pair in enumerate(pairs(kinds, kinds))
    ]
    order = shuffled(16) * 2
    names: dict[str, Any] = {f"x{i}": kind() for i, kind in enumerate(kinds)}
    calls = [f"f(x{n // 4}, k=x{n % 4})" for n in order]
    plain = function(0, [], "a, *, k")
    return cases_for(builds, functions, plain, calls, order, names)


# A method written in C


def c_function(builds: Builds) -> Cases:
    kinds = classes(8)
    names: dict[str, Any] = {f"x{i}": kind() for i, kind in enumerate(kinds)}
    order = shuffled(64)
    calls = [f"f(x{n // 8}, x{n % 8})" for n in order]
    results = [n // 8 == n % 8 for n in order]
    plain = Case(calls, {**names, "f": function(0, [], "a, b")}, 64)
    itself = Case(calls, {**names, "f": operator.is_}, 64)
    cases = {"plain": plain, "the C function itself": checked(itself, results)}
    if "latebind" in builds:
        made = latebind([function(0, pair) for pair in pairs(kinds, kinds)], False)
        for pair in pairs(kinds, kinds):
            made.add(operator.is_, *pair)
        cases["latebind"] = checked(Case(calls, {**names, "f": made}, 64), results)
    return cases


# Methods for values


def with_values(builds: Builds, calls: Sequence[str], result: int) -> Cases:
    functions = [
        function(number, [hint], "a")
        for number, hint in enumerate((object, str, int, Literal[7], list, list[int]))
    ]
    names = {"s": "seven", "i": 8, "seven": 7, "four": [1, 2, 3, 4]}
    plain = function(0, [], "a")
    return cases_for(builds, functions, plain, calls, [result] * len(calls), names)


def beside_values(builds: Builds) -> Cases:
    return with_values(builds, ["f(s)"] * 20, 1)


def beside_literal(builds: Builds) -> Cases:
    return with_values(builds, ["f(i)"] * 20, 2)


def hit_literal(builds: Builds) -> Cases:
    return with_values(builds, ["f(seven)"] * 20, 3)


def hit_list(builds: Builds) -> Cases:
    return with_values(builds, ["f(four)"] * 20, 5)


# Abstract classes, and classes that change


def abstract_classes(builds: Builds) -> Cases:
    abc = collections.abc
    kinds = [abc.Mapping, abc.Sequence, abc.Set, *classes(5)]
    functions = [function(i, [kind], "a") for i, kind in enumerate(kinds)]
    objects = [{}, [], set(), *[kind() for kind in kinds[3:]]]
    order = shuffled(8) * 3
    names: dict[str, Any] = {f"x{i}": each for i, each in enumerate(objects)}
    calls = [f"f(x{i})" for i in order]
    plain = function(0, [], "a")
    return cases_for(builds, functions, plain, calls, order, names)


def changing_class(builds: Builds) -> Cases:
    kinds = classes(8)
    functions = [function(i, [kind], "a") for i, kind in enumerate(kinds)]
    names = {"C": kinds[3], "x": kinds[3](), "v": 1}
    calls = ["C.v = v; f(x)"] * 20
    return cases_for(
        builds,
        functions,
        function(0, [], "a"),
        calls,
        [3] * 20,
        names,
        less=["C.v = v"] * 20,
        plain_calls=["f(x)"] * 20,
    )


# The next method

STEPS = 4

LATEBIND_STEP = "def f(a, *, next_method):\n    return next_method(a)\n"
OVLD_STEP = "from ovld import call_next\ndef f(a):\n    return call_next(a)\n"


def stepping(text: str, kind: type) -> Function:
    """The text's function f for a class. Ovld rewrites it from its source, and
    looks for that where Python's tracebacks do."""
    file = f"<step of {kind.__name__}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    scope: dict[str, Any] = {"__name__": __name__}
    exec(compile(text, file, "exec"), scope)
    made = scope["f"]
    made.__annotations__ = {"a": kind}
    return made


def next_method(builds: Builds) -> Cases:
    """A chain of methods, each of which calls the next, less the last alone."""
    kinds = [classes(1)[0]]
    for number in range(STEPS):
        kinds.append(type(f"D{number}", (kinds[-1],), {}))
    names: dict[str, Any] = {"deep": kinds[-1](), "flat": kinds[0]()}
    texts = {"latebind": LATEBIND_STEP, "ovld": OVLD_STEP}

    def make(name: str, build: Build) -> Case:
        functions = [function(0, [kinds[0]], "a")]
        functions += [stepping(texts[name], kind) for kind in kinds[1:]]
        named = {**names, "f": build(functions, False)}
        case = Case(["f(deep)"] * 20, named, 20 * STEPS, ["f(flat)"] * 20)
        return checked(case, [0] * 20)

    plain = Case(["f(flat)"] * 20, {**names, "f": function(0, [], "a")}, 20)
    able = {name: build for name, build in builds.items() if name in texts}
    return {"plain": plain} | fitting(able, make)


LOADS = [
    Load(
        "user-classes", "two arguments, user classes, 64 pairs", 1.9, 5.1, user_classes
    ),
    Load("builtins", "two arguments, builtins, 64 pairs", 2.4, 6.1, builtins),
    Load("one-argument", "one argument", 1.9, 5.0, one_argument),
    Load("method", "a method, o.m(b)", 1.9, 4.6, bound_method),
    Load("keyword-passed", "a keyword passed through", 1.7, 4.6, keyword_passed),
    Load("keyword", "dispatched on a keyword", 2.6, 3.8, keyword_dispatched),
    Load("c-function", "a C function as method", 1.0, None, c_function),
    Load("beside-values", "beside Literal and list[int]", 2.3, 5.1, beside_values),
    Load(
        "beside-literal", "an int that is not the Literal", None, None, beside_literal
    ),
    Load("hit-literal", "hitting a Literal", 8.0, 14.0, hit_literal),
    Load("hit-list", "hitting list[int], 4 elements", 8.0, 14.0, hit_list),
    Load("abstract", "with methods for abstract classes", 2.6, 5.0, abstract_classes),
    Load("changing", "a class written to between calls", 3.0, 5.0, changing_class),
    Load("next-method", "a step to the next method", 3.0, None, next_method),
]
