"""What stands after `case`."""

import ast

from ..places import BitXors, Ors, Place
from . import dispatch
from .expressions import commas, literal, text


@dispatch
def text(node: ast.MatchAs, place: Ors) -> str:
    return f"({text(node, place.all)})" if node.pattern else text(node, place.all)


@dispatch
def text(node: ast.MatchOr, place: BitXors) -> str:
    return f"({text(node, place.all)})"


@dispatch
def text(node: ast.MatchValue, place: Place) -> str:
    return text(node.value, place.tests)


@dispatch
def text(node: ast.MatchSingleton, place: Place) -> str:
    return literal(node.value, place)


@dispatch
def text(node: ast.MatchSequence, place: Place) -> str:
    return f"[{commas(node.patterns, place.tests)}]"


@dispatch
def text(node: ast.MatchStar, place: Place) -> str:
    return f"*{node.name or '_'}"


@dispatch
def text(node: ast.MatchMapping, place: Place) -> str:
    pairs = [
        f"{text(key, place.tests)}: {text(pattern, place.tests)}"
        for key, pattern in zip(node.keys, node.patterns, strict=True)
    ]
    if node.rest:
        pairs.append(f"**{node.rest}")
    return f"{{{', '.join(pairs)}}}"


@dispatch
def text(node: ast.MatchClass, place: Place) -> str:
    pieces = [text(pattern, place.tests) for pattern in node.patterns]
    for name, pattern in zip(node.kwd_attrs, node.kwd_patterns, strict=True):
        pieces.append(f"{name}={text(pattern, place.tests)}")
    return f"{text(node.cls, place.atoms)}({', '.join(pieces)})"


@dispatch
def text(node: ast.MatchAs, place: Place) -> str:
    if node.pattern is None:
        return node.name or "_"
    return f"{text(node.pattern, place.bit_ors)} as {node.name}"


@dispatch
def text(node: ast.MatchOr, place: Place) -> str:
    return " | ".join([text(pattern, place.bit_xors) for pattern in node.patterns])
