"""How to write the text of a string: quotes and escapes. No dispatch here.

`fit` finds for a text which quotes may stand around it without a backslash
before a quote, and escapes what cannot be printed. The parts of an f-string go
through it one after the other, each leaving fewer quotes to the next.
"""

import sys
from collections.abc import Sequence

SINGLE = ("'", '"')
TRIPLE = ('"""', "'''")
ANY = SINGLE + TRIPLE


class Escapes(dict[int, str]):
    """A table for str.translate that fills itself."""

    def __init__(self, kept: str) -> None:
        super().__init__({ord(character): character for character in kept})

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character == "\\" or not character.isprintable():
            character = character.encode("unicode_escape").decode("ascii")
        self[code] = character
        return character


ESCAPES = Escapes(kept="")
ESCAPES_BUT_LINES = Escapes(kept="\n\t")


def fit(text: str, quotes: Sequence[str], table: Escapes) -> tuple[str, Sequence[str]]:
    """The text as it is written, and which of the quotes may stand around it,
    the best first."""
    body = text
    if "\\" in text or not text.isprintable():
        body = text.translate(table)
    long_only = "\n" in body
    fitting = [q for q in quotes if q not in body and (len(q) == 3 or not long_only)]
    if not fitting:
        return fit_anyhow(text, quotes)
    if body:
        last = body[-1]
        fitting.sort(key=lambda quote: quote[0] == last)
        if fitting[0][0] == last:  # """ and the text ends with "
            body = f"{body[:-1]}\\{last}"
    return body, fitting


def fit_anyhow(text: str, quotes: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The text as repr has it, with a quote of the same sign if there is one."""
    shown = repr(text)
    sign = shown[0]
    return shown[1:-1], [next((q for q in quotes if sign in q), sign)]


def quoted(text: str, quotes: Sequence[str] = ANY) -> str:
    """The text as a string literal, with as few backslashes as possible."""
    body, fitting = fit(text, quotes, ESCAPES_BUT_LINES)
    return f"{fitting[0]}{body}{fitting[0]}"


def forced(text: str) -> str:
    """The text escaped so that it can stand in single quotes."""
    return repr('"' + text)[2:-1]


# A part of an f-string: its text, and whether that is constant. The text of a
# field is code: since 3.12 it stays as it is, earlier it was part of the string.
Part = tuple[str, bool]
VERSION = sys.version_info
CODE_IS_FREE = VERSION >= (3, 12)
# Later releases have other quotes outside than inside a field, where they can.
CODE_COUNTS = VERSION >= (3, 13, 2) or (3, 12, 9) <= VERSION < (3, 13)
FORCES = VERSION >= (3, 11, 6)


def joined(parts: Sequence[Part]) -> str:
    """The f-string of the parts, without its prefix."""
    quotes: Sequence[str] = ANY
    bodies = []
    for text, constant in parts:
        if constant or not CODE_IS_FREE:
            body, fitting = fit(
                text, quotes, ESCAPES if constant else ESCAPES_BUT_LINES
            )
            if FORCES and set(fitting).isdisjoint(quotes):
                return joined_by_force(parts)
            quotes = fitting
        else:
            body = text
            if "\n" in body:
                quotes = [quote for quote in quotes if quote in TRIPLE]
            if CODE_COUNTS:
                quotes = [quote for quote in quotes if quote not in body] or quotes
        bodies.append(body)
    return "".join([quotes[0], *bodies, quotes[0]])


def joined_by_force(parts: Sequence[Part]) -> str:
    bodies = [
        text if CODE_IS_FREE and not constant else forced(text)
        for text, constant in parts
    ]
    return "".join(["'''", *bodies, "'''"])
