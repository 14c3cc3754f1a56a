"""Statements: lines at a margin."""

import ast

from ..margins import Margin
from ..nodes import TryStar, TypeAlias
from ..places import PLAIN
from ..quoting import TRIPLE, quoted
from . import dispatch
from .expressions import commas, text
from .operators import SIGNS

ALL, TARGETS, YIELDS, TESTS = PLAIN.all, PLAIN.targets, PLAIN.yields, PLAIN.tests


# Whole trees.


@dispatch
def source(tree: ast.AST) -> str:
    return text(tree, TESTS)


@dispatch
def source(tree: ast.stmt | ast.ExceptHandler | ast.match_case) -> str:
    return lines(tree, Margin()).lstrip("\n")


@dispatch
def source(tree: ast.Module) -> str:
    margin = Margin(ignored={i.lineno: f"ignore{i.tag}" for i in tree.type_ignores})
    return documented(tree.body, margin).lstrip("\n")


@dispatch
def source(tree: ast.Interactive) -> str:
    return "".join([lines(node, Margin()) for node in tree.body]).lstrip("\n")


@dispatch
def source(tree: ast.Expression) -> str:
    return text(tree.body, TESTS)


@dispatch
def source(tree: ast.FunctionType) -> str:
    return f"({commas(tree.argtypes, TESTS)}) -> {text(tree.returns, TESTS)}"


# Simple statements.


@dispatch
def lines(node: ast.AST, margin: Margin) -> str:
    raise TypeError(f"no rule how to write {type(node).__name__} as a statement")


@dispatch
def lines(node: ast.Expr, margin: Margin) -> str:
    return f"{margin.line}{text(node.value, YIELDS)}"


@dispatch
def lines(node: ast.Assign, margin: Margin) -> str:
    targets = "".join([f"{text(target, TARGETS)} = " for target in node.targets])
    value = text(node.value, TESTS)
    return f"{margin.line}{targets}{value}{margin.remark(node)}"


@dispatch
def lines(node: ast.AugAssign, margin: Margin) -> str:
    sign = SIGNS[type(node.op)]
    return f"{margin.line}{text(node.target, TESTS)} {sign}= {text(node.value, TESTS)}"


@dispatch
def lines(node: ast.AnnAssign, margin: Margin) -> str:
    target = text(node.target, TESTS)
    if isinstance(node.target, ast.Name) and not node.simple:
        target = f"({target})"
    value = f" = {text(node.value, TESTS)}" if node.value else ""
    return f"{margin.line}{target}: {text(node.annotation, TESTS)}{value}"


@dispatch
def lines(node: TypeAlias, margin: Margin) -> str:
    head = f"type {text(node.name, TESTS)}{type_parameters(node)}"
    return f"{margin.line}{head} = {text(node.value, TESTS)}"


@dispatch
def lines(node: ast.Return, margin: Margin) -> str:
    if node.value is None:
        return f"{margin.line}return"
    return f"{margin.line}return {text(node.value, TESTS)}"


@dispatch
def lines(node: ast.Delete, margin: Margin) -> str:
    return f"{margin.line}del {commas(node.targets, TESTS)}"


@dispatch
def lines(node: ast.Raise, margin: Margin) -> str:
    raised = f" {text(node.exc, TESTS)}" if node.exc else ""
    cause = f" from {text(node.cause, TESTS)}" if node.cause else ""
    return f"{margin.line}raise{raised}{cause}"


@dispatch
def lines(node: ast.Assert, margin: Margin) -> str:
    message = f", {text(node.msg, TESTS)}" if node.msg else ""
    return f"{margin.line}assert {text(node.test, TESTS)}{message}"


@dispatch
def lines(node: ast.Import, margin: Margin) -> str:
    return f"{margin.line}import {', '.join([alias(name) for name in node.names])}"


@dispatch
def lines(node: ast.ImportFrom, margin: Margin) -> str:
    origin = f"{'.' * (node.level or 0)}{node.module or ''}"
    names = ", ".join([alias(name) for name in node.names])
    return f"{margin.line}from {origin} import {names}"


def alias(node: ast.alias) -> str:
    return f"{node.name} as {node.asname}" if node.asname else node.name


@dispatch
def lines(node: ast.Global, margin: Margin) -> str:
    return f"{margin.line}global {', '.join(node.names)}"


@dispatch
def lines(node: ast.Nonlocal, margin: Margin) -> str:
    return f"{margin.line}nonlocal {', '.join(node.names)}"


@dispatch
def lines(node: ast.Pass, margin: Margin) -> str:
    return f"{margin.line}pass"


@dispatch
def lines(node: ast.Break, margin: Margin) -> str:
    return f"{margin.line}break"


@dispatch
def lines(node: ast.Continue, margin: Margin) -> str:
    return f"{margin.line}continue"


# Statements with blocks.


@dispatch
def lines(node: ast.If, margin: Margin) -> str:
    parts = [f"{margin.line}if {text(node.test, TESTS)}:", block(node.body, margin)]
    rest = node.orelse
    while len(rest) == 1 and isinstance(rest[0], ast.If):
        also = rest[0]
        parts.append(f"{margin.line}elif {text(also.test, TESTS)}:")
        parts.append(block(also.body, margin))
        rest = also.orelse
    return "".join([*parts, clause("else", rest, margin)])


@dispatch
def lines(node: ast.While, margin: Margin) -> str:
    head = f"{margin.line}while {text(node.test, TESTS)}:"
    return f"{head}{block(node.body, margin)}{clause('else', node.orelse, margin)}"


@dispatch
def lines(node: ast.For, margin: Margin) -> str:
    return loop("for", node, margin)


@dispatch
def lines(node: ast.AsyncFor, margin: Margin) -> str:
    return loop("async for", node, margin)


def loop(word: str, node: ast.For | ast.AsyncFor, margin: Margin) -> str:
    target, values = text(node.target, TARGETS), text(node.iter, TESTS)
    head = f"{margin.line}{word} {target} in {values}:{margin.remark(node)}"
    return f"{head}{block(node.body, margin)}{clause('else', node.orelse, margin)}"


@dispatch
def lines(node: ast.With, margin: Margin) -> str:
    return guarded("with", node, margin)


@dispatch
def lines(node: ast.AsyncWith, margin: Margin) -> str:
    return guarded("async with", node, margin)


def guarded(word: str, node: ast.With | ast.AsyncWith, margin: Margin) -> str:
    managers = ", ".join([manager(item) for item in node.items])
    head = f"{margin.line}{word} {managers}:{margin.remark(node)}"
    return f"{head}{block(node.body, margin)}"


def manager(node: ast.withitem) -> str:
    context = text(node.context_expr, TESTS)
    if node.optional_vars is None:
        return context
    return f"{context} as {text(node.optional_vars, TESTS)}"


@dispatch
def lines(node: ast.Try, margin: Margin) -> str:
    return attempt("except", node, margin)


@dispatch
def lines(node: TryStar, margin: Margin) -> str:
    return attempt("except*", node, margin)


def attempt(word: str, node: ast.Try, margin: Margin) -> str:
    return "".join(
        [
            clause("try", node.body, margin),
            *[handler(word, each, margin) for each in node.handlers],
            clause("else", node.orelse, margin),
            clause("finally", node.finalbody, margin),
        ]
    )


@dispatch
def lines(node: ast.ExceptHandler, margin: Margin) -> str:
    return handler("except", node, margin)


def handler(word: str, node: ast.ExceptHandler, margin: Margin) -> str:
    caught = f" {text(node.type, TESTS)}" if node.type else ""
    name = f" as {node.name}" if node.name else ""
    return f"{margin.line}{word}{caught}{name}:{block(node.body, margin)}"


@dispatch
def lines(node: ast.Match, margin: Margin) -> str:
    head = f"{margin.line}match {text(node.subject, TESTS)}:"
    return f"{head}{block(node.cases, margin)}"


@dispatch
def lines(node: ast.match_case, margin: Margin) -> str:
    guard = f" if {text(node.guard, TESTS)}" if node.guard else ""
    head = f"{margin.line}case {text(node.pattern, TESTS)}{guard}:"
    return f"{head}{block(node.body, margin)}"


# Definitions. An empty line stands before them.


@dispatch
def lines(node: ast.FunctionDef, margin: Margin) -> str:
    return function("def", node, margin)


@dispatch
def lines(node: ast.AsyncFunctionDef, margin: Margin) -> str:
    return function("async def", node, margin)


def function(
    word: str, node: ast.FunctionDef | ast.AsyncFunctionDef, margin: Margin
) -> str:
    result = f" -> {text(node.returns, TESTS)}" if node.returns else ""
    head = f"{word} {node.name}{type_parameters(node)}({text(node.args, ALL)}){result}:"
    body = documented(node.body, margin.deeper)
    return f"\n{decorators(node, margin)}{margin.line}{head}{margin.remark(node)}{body}"


@dispatch
def lines(node: ast.ClassDef, margin: Margin) -> str:
    bases = commas([*node.bases, *node.keywords], TESTS)
    head = f"class {node.name}{type_parameters(node)}{f'({bases})' if bases else ''}:"
    body = documented(node.body, margin.deeper)
    return f"\n{decorators(node, margin)}{margin.line}{head}{body}"


def decorators(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, margin: Margin
) -> str:
    return "".join([f"{margin.line}@{text(d, TESTS)}" for d in node.decorator_list])


def type_parameters(node: ast.AST) -> str:
    parameters = getattr(node, "type_params", None)  # since 3.12
    return f"[{commas(parameters, TESTS)}]" if parameters else ""


# Blocks.


def clause(word: str, body: list[ast.stmt], margin: Margin) -> str:
    """`else:` and the like, if there is anything in it."""
    return f"{margin.line}{word}:{block(body, margin)}" if body else ""


def block(body: list, margin: Margin) -> str:
    deeper = margin.deeper
    return "".join([lines(node, deeper) for node in body])


def documented(body: list[ast.stmt], margin: Margin) -> str:
    """A block that may begin with the description of what it is the block of."""
    first = body[0] if body else None
    if not isinstance(first, ast.Expr) or not is_string(first.value):
        return "".join([lines(node, margin) for node in body])
    mark = "u" if first.value.kind == "u" else ""
    description = f"{margin.line}{mark}{quoted(first.value.value, TRIPLE)}"
    return "".join([description, *[lines(node, margin) for node in body[1:]]])


def is_string(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
