"""Operators: which of them need brackets at which place."""

import ast

from ..places import (
    Ands,
    Awaits,
    BitAnds,
    BitOrs,
    BitXors,
    Comparisons,
    Nots,
    Place,
    Powers,
    Products,
    Shifts,
    Signs,
    Sums,
)
from . import dispatch
from .expressions import text

SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.MatMult: "@",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.BitAnd: "&",
    ast.Invert: "~",
    ast.UAdd: "+",
    ast.USub: "-",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}


# An operation is as tight as its operator.


@dispatch
def text(node: ast.BinOp | ast.UnaryOp | ast.BoolOp, place: Place) -> str:
    return operation(node.op, place, node)


@dispatch
def text(node: ast.Compare, place: Place) -> str:
    parts = [text(node.left, place.bit_ors)]
    for sign, operand in zip(node.ops, node.comparators, strict=True):
        parts += (SIGNS[type(sign)], text(operand, place.bit_ors))
    return " ".join(parts)


@dispatch
def text(node: ast.Compare, place: BitOrs) -> str:
    return f"({text(node, place.all)})"


# The bare forms, from the tightest operator to the loosest.


@dispatch
def operation(operator: ast.Pow, place: Place, node: ast.BinOp) -> str:
    return f"{text(node.left, place.awaits)} ** {text(node.right, place.powers)}"


@dispatch
def operation(
    operator: ast.UAdd | ast.USub | ast.Invert, place: Place, node: ast.UnaryOp
) -> str:
    return f"{SIGNS[type(operator)]}{text(node.operand, place.signs)}"


@dispatch
def operation(
    operator: ast.Mult | ast.MatMult | ast.Div | ast.FloorDiv | ast.Mod,
    place: Place,
    node: ast.BinOp,
) -> str:
    return binary(node, place.products)


@dispatch
def operation(operator: ast.Add | ast.Sub, place: Place, node: ast.BinOp) -> str:
    return binary(node, place.sums)


@dispatch
def operation(operator: ast.LShift | ast.RShift, place: Place, node: ast.BinOp) -> str:
    return binary(node, place.shifts)


@dispatch
def operation(operator: ast.BitAnd, place: Place, node: ast.BinOp) -> str:
    return binary(node, place.bit_ands)


@dispatch
def operation(operator: ast.BitXor, place: Place, node: ast.BinOp) -> str:
    return binary(node, place.bit_xors)


@dispatch
def operation(operator: ast.BitOr, place: Place, node: ast.BinOp) -> str:
    return binary(node, place.bit_ors)


@dispatch
def operation(operator: ast.Not, place: Place, node: ast.UnaryOp) -> str:
    return f"not {text(node.operand, place.nots)}"


@dispatch
def operation(operator: ast.And, place: Place, node: ast.BoolOp) -> str:
    return chain(node, " and ", place.ands)


@dispatch
def operation(operator: ast.Or, place: Place, node: ast.BoolOp) -> str:
    return chain(node, " or ", place.ors)


# The places that are too tight for them.


@dispatch
def operation(operator: ast.Pow, place: Awaits, node: ast.BinOp) -> str:
    return bracketed(node, place)


@dispatch
def operation(
    operator: ast.UAdd | ast.USub | ast.Invert, place: Powers, node: ast.UnaryOp
) -> str:
    return bracketed(node, place)


@dispatch
def operation(
    operator: ast.Mult | ast.MatMult | ast.Div | ast.FloorDiv | ast.Mod,
    place: Signs,
    node: ast.BinOp,
) -> str:
    return bracketed(node, place)


@dispatch
def operation(operator: ast.Add | ast.Sub, place: Products, node: ast.BinOp) -> str:
    return bracketed(node, place)


@dispatch
def operation(operator: ast.LShift | ast.RShift, place: Sums, node: ast.BinOp) -> str:
    return bracketed(node, place)


@dispatch
def operation(operator: ast.BitAnd, place: Shifts, node: ast.BinOp) -> str:
    return bracketed(node, place)


@dispatch
def operation(operator: ast.BitXor, place: BitAnds, node: ast.BinOp) -> str:
    return bracketed(node, place)


@dispatch
def operation(operator: ast.BitOr, place: BitXors, node: ast.BinOp) -> str:
    return bracketed(node, place)


@dispatch
def operation(operator: ast.Not, place: Comparisons, node: ast.UnaryOp) -> str:
    return bracketed(node, place)


@dispatch
def operation(operator: ast.And, place: Nots, node: ast.BoolOp) -> str:
    return bracketed(node, place)


@dispatch
def operation(operator: ast.Or, place: Ands, node: ast.BoolOp) -> str:
    return bracketed(node, place)


def bracketed(node: ast.expr, place: Place) -> str:
    return f"({text(node, place.all)})"


def binary(node: ast.BinOp, place: Place) -> str:
    """Grouped to the left: the right operand is held tighter."""
    left, right = text(node.left, place), text(node.right, place.tighter)
    return f"{left} {SIGNS[type(node.op)]} {right}"


def chain(node: ast.BoolOp, word: str, place: Place) -> str:
    """Each operand is held tighter than the one before it."""
    operands = []
    for value in node.values:
        place = place.tighter
        operands.append(text(value, place))
    return word.join(operands)
