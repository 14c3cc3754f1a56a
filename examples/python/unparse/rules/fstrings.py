"""Strings with fields: f"..." and, since 3.14, t"..."."""

import ast
import sys

from ..nodes import Interpolation, TemplateStr
from ..places import BODY, FIELD, SPECIFICATION, Part, Place, Specification
from ..quoting import joined, quoted
from . import dispatch
from .expressions import text


@dispatch
def text(node: ast.JoinedStr, place: Place) -> str:
    if place.in_field:  # one string: it must do without a backslash
        return f"f{quoted(''.join([inner(value, BODY) for value in node.values]))}"
    return f"f{joined(parts(node))}"


@dispatch
def text(node: TemplateStr, place: Place) -> str:
    return f"t{joined(parts(node))}"


@dispatch
def text(node: ast.FormattedValue | Interpolation, place: Place) -> str:
    return inner(node, BODY)


def parts(node: ast.AST) -> list[tuple[str, bool]]:
    return [(inner(v, BODY), isinstance(v, ast.Constant)) for v in node.values]


@dispatch
def inner(node: ast.AST, part: Part) -> str:
    raise ValueError(f"{type(node).__name__} cannot be part of an f-string")


@dispatch
def inner(node: ast.JoinedStr, part: Part) -> str:
    return "".join([inner(value, part) for value in node.values])


@dispatch
def inner(node: ast.Constant, part: Part) -> str:
    return node.value.replace("{", "{{").replace("}", "}}")


@dispatch
def inner(node: ast.Constant, part: Specification) -> str:
    written = inner(node, BODY)
    if sys.version_info >= (3, 13):
        for sign in "\\", "'", '"':
            written = written.replace(sign, f"\\{sign}")
    if sys.version_info >= (3, 12):
        written = written.replace("\n", "\\n")
    return written


@dispatch
def inner(node: ast.FormattedValue, part: Part) -> str:
    return field(node, text(node.value, FIELD.ors))


@dispatch
def inner(node: Interpolation, part: Part) -> str:
    # It keeps its text, unless somebody took that away.
    return field(node, node.str or text(node.value, FIELD.ors))


def field(node: ast.AST, value: str) -> str:
    if FIELD.in_field and "\\" in value:
        raise ValueError("Unable to avoid backslash in f-string expression part")
    # Two opening braces would be one that stands for itself.
    space = " " if value.startswith("{") else ""
    conversion = "" if node.conversion == -1 else f"!{chr(node.conversion)}"
    specification = ""
    if node.format_spec:
        specification = f":{inner(node.format_spec, SPECIFICATION)}"
    return f"{{{space}{value}{conversion}{specification}}}"
