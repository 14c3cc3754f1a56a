"""Expressions but for operators: names, literals, calls, collections."""

import ast
import sys
from collections.abc import Iterable
from types import EllipsisType

from ..nodes import ParamSpec, TypeVar, TypeVarTuple
from ..places import Atoms, Ors, Place, Tests, Yields
from ..quoting import quoted
from . import dispatch

HUGE = f"1e{sys.float_info.max_10_exp + 1}"  # what a literal too large was


@dispatch
def text(node: ast.AST, place: Place) -> str:
    raise TypeError(f"no rule how to write {type(node).__name__} as an expression")


# Brackets. Each rule below for Place writes the bare form. (A rule here for two
# classes at once would be ambiguous with the bare form of each: that is more
# special in the class, and this in the place.)


@dispatch
def text(node: ast.Tuple, place: Yields) -> str:
    return f"({items(node.elts, place)})"


@dispatch
def text(node: ast.Yield, place: Tests) -> str:
    return f"({text(node, place.all)})"


@dispatch
def text(node: ast.YieldFrom, place: Tests) -> str:
    return f"({text(node, place.all)})"


@dispatch
def text(node: ast.IfExp, place: Ors) -> str:
    return f"({text(node, place.all)})"


@dispatch
def text(node: ast.Lambda, place: Ors) -> str:
    return f"({text(node, place.all)})"


@dispatch
def text(node: ast.Await, place: Atoms) -> str:
    return f"({text(node, place.all)})"


# Names and what hangs on them.


@dispatch
def text(node: ast.Name, place: Place) -> str:
    return node.id


@dispatch
def text(node: ast.Attribute, place: Place) -> str:
    value = node.value
    # `3.real` would be a number and a name.
    number = isinstance(value, ast.Constant) and isinstance(value.value, int)
    return f"{text(value, place.atoms)}{' .' if number else '.'}{node.attr}"


@dispatch
def text(node: ast.Subscript, place: Place) -> str:
    index = node.slice
    bare = isinstance(index, ast.Tuple) and index.elts
    if bare and sys.version_info < (3, 11):
        bare = not any(isinstance(item, ast.Starred) for item in index.elts)
    inside = items(index.elts, place) if bare else text(index, place.tests)
    return f"{text(node.value, place.atoms)}[{inside}]"


@dispatch
def text(node: ast.Slice, place: Place) -> str:
    lower = text(node.lower, place.tests) if node.lower else ""
    upper = text(node.upper, place.tests) if node.upper else ""
    step = f":{text(node.step, place.tests)}" if node.step else ""
    return f"{lower}:{upper}{step}"


@dispatch
def text(node: ast.Call, place: Place) -> str:
    arguments = commas([*node.args, *node.keywords], place.tests)
    return f"{text(node.func, place.atoms)}({arguments})"


@dispatch
def text(node: ast.keyword, place: Place) -> str:
    value = text(node.value, place.tests)
    return f"**{value}" if node.arg is None else f"{node.arg}={value}"


@dispatch
def text(node: ast.Starred, place: Place) -> str:
    return f"*{text(node.value, place.bit_ors)}"


# Constants.


@dispatch
def text(node: ast.Constant, place: Place) -> str:
    written = literal(node.value, place)
    return f"u{written}" if node.kind == "u" else written


@dispatch
def literal(value: object, place: Place) -> str:
    return repr(value)


@dispatch
def literal(value: str, place: Place) -> str:
    return quoted(value) if place.in_field else repr(value)


@dispatch
def literal(value: float | complex, place: Place) -> str:
    return repr(value).replace("inf", HUGE).replace("nan", f"({HUGE}-{HUGE})")


@dispatch
def literal(value: EllipsisType, place: Place) -> str:
    return "..."


@dispatch
def literal(value: tuple, place: Place) -> str:
    inside = [literal(item, place) for item in value]
    return f"({inside[0]},)" if len(inside) == 1 else f"({', '.join(inside)})"


# Collections.


@dispatch
def text(node: ast.Tuple, place: Place) -> str:
    return items(node.elts, place) if node.elts else "()"


@dispatch
def text(node: ast.List, place: Place) -> str:
    return f"[{commas(node.elts, place.tests)}]"


@dispatch
def text(node: ast.Set, place: Place) -> str:
    # An empty set has no literal of its own.
    return f"{{{commas(node.elts, place.tests) or '*()'}}}"


@dispatch
def text(node: ast.Dict, place: Place) -> str:
    pairs = []
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            pairs.append(f"**{text(value, place.bit_ors)}")
        else:
            pairs.append(f"{text(key, place.tests)}: {text(value, place.tests)}")
    return f"{{{', '.join(pairs)}}}"


@dispatch
def text(node: ast.ListComp, place: Place) -> str:
    return f"[{text(node.elt, place.tests)}{loops(node.generators, place)}]"


@dispatch
def text(node: ast.SetComp, place: Place) -> str:
    return f"{{{text(node.elt, place.tests)}{loops(node.generators, place)}}}"


@dispatch
def text(node: ast.GeneratorExp, place: Place) -> str:
    return f"({text(node.elt, place.tests)}{loops(node.generators, place)})"


@dispatch
def text(node: ast.DictComp, place: Place) -> str:
    key, value = text(node.key, place.tests), text(node.value, place.tests)
    return f"{{{key}: {value}{loops(node.generators, place)}}}"


@dispatch
def text(node: ast.comprehension, place: Place) -> str:
    word = " async for " if node.is_async else " for "
    target, values = text(node.target, place.targets), text(node.iter, place.ors)
    tests = [f" if {text(test, place.ors)}" for test in node.ifs]
    return f"{word}{target} in {values}{''.join(tests)}"


# Choices, functions, and what stops one.


@dispatch
def text(node: ast.IfExp, place: Place) -> str:
    body, test = text(node.body, place.ors), text(node.test, place.ors)
    return f"{body} if {test} else {text(node.orelse, place.tests)}"


@dispatch
def text(node: ast.NamedExpr, place: Place) -> str:
    return f"({text(node.target, place.atoms)} := {text(node.value, place.atoms)})"


@dispatch
def text(node: ast.Lambda, place: Place) -> str:
    parameters = text(node.args, place)
    # Python 3.10 left a space before the colon.
    space = " " if parameters or sys.version_info < (3, 11) else ""
    return f"lambda{space}{parameters}: {text(node.body, place.tests)}"


@dispatch
def text(node: ast.Await, place: Place) -> str:
    return f"await {text(node.value, place.atoms)}"


@dispatch
def text(node: ast.Yield, place: Place) -> str:
    return f"yield {text(node.value, place.atoms)}" if node.value else "yield"


@dispatch
def text(node: ast.YieldFrom, place: Place) -> str:
    return f"yield from {text(node.value, place.atoms)}"


# Parameters, of functions and of types.


@dispatch
def text(node: ast.arguments, place: Place) -> str:
    positional = [*node.posonlyargs, *node.args]
    without = len(positional) - len(node.defaults)
    pieces = [
        parameter(argument, node.defaults[i - without] if i >= without else None, place)
        for i, argument in enumerate(positional)
    ]
    if node.posonlyargs:
        pieces.insert(len(node.posonlyargs), "/")
    if node.vararg:
        pieces.append(f"*{text(node.vararg, place)}")
    elif node.kwonlyargs:
        pieces.append("*")
    for argument, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
        pieces.append(parameter(argument, default, place))
    if node.kwarg:
        pieces.append(f"**{text(node.kwarg, place)}")
    return ", ".join(pieces)


def parameter(node: ast.arg, default: ast.expr | None, place: Place) -> str:
    name = text(node, place)
    return f"{name}={text(default, place.tests)}" if default else name


@dispatch
def text(node: ast.arg, place: Place) -> str:
    if node.annotation is None:
        return node.arg
    return f"{node.arg}: {text(node.annotation, place.tests)}"


@dispatch
def text(node: TypeVar, place: Place) -> str:
    bound = f": {text(node.bound, place.tests)}" if node.bound else ""
    return f"{node.name}{bound}{default_type(node, place)}"


@dispatch
def text(node: TypeVarTuple, place: Place) -> str:
    return f"*{node.name}{default_type(node, place)}"


@dispatch
def text(node: ParamSpec, place: Place) -> str:
    return f"**{node.name}{default_type(node, place)}"


def default_type(node: ast.AST, place: Place) -> str:
    default = getattr(node, "default_value", None)  # since 3.13
    return f" = {text(default, place.tests)}" if default else ""


# What several rules need.


def commas(nodes: Iterable[ast.AST], place: Place) -> str:
    return ", ".join([text(node, place) for node in nodes])


def items(nodes: list[ast.expr], place: Place) -> str:
    """The items of a tuple: one alone keeps its comma."""
    inside = commas(nodes, place.tests)
    return f"{inside}," if len(nodes) == 1 else inside


def loops(generators: list[ast.comprehension], place: Place) -> str:
    return "".join([text(generator, place) for generator in generators])
