"""Which signature goes before which, and where nothing decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations

from .utils import _toposort
from .variadic import isvariadic

Signature = Sequence[type]


class AmbiguityWarning(Warning):
    """Two signatures fit the same arguments, and neither is more specific."""


def supercedes(a: Signature, b: Signature) -> bool:
    """Whether whatever fits `a` fits `b`."""
    if len(a) == len(b):
        return all(map(issubclass, a, b))
    if not b or not isvariadic(b[-1]):
        return False
    fixed = len(b) - 1
    if len(a) < len(b):
        return not a and not fixed
    return all(map(issubclass, a[:fixed], b)) and all(
        issubclass(each, b[-1]) for each in a[fixed:]
    )


def consistent(a: Signature, b: Signature) -> bool:
    """Whether some arguments may fit both."""
    if len(a) > len(b):
        a, b = b, a
    if not a:
        return not b or isvariadic(b[0])
    if len(a) < len(b):
        if not isvariadic(a[-1]):
            return False
        a = [*a, *[a[-1]] * (len(b) - len(a))]
    return all(
        issubclass(mine, yours) or issubclass(yours, mine)
        for mine, yours in zip(a, b, strict=True)
    )


def ambiguous(a: Signature, b: Signature) -> bool:
    """Whether arguments may fit both, and neither is more specific."""
    return consistent(a, b) and not (supercedes(a, b) or supercedes(b, a))


def ambiguities(
    signatures: Iterable[Signature],
) -> set[tuple[tuple[type, ...], tuple[type, ...]]]:
    """The pairs that are ambiguous, and that no other signature decides."""
    distinct = list(dict.fromkeys(map(tuple, signatures)))
    return {
        (a, b)
        for a, b in combinations(distinct, 2)
        if ambiguous(a, b)
        and not any(supercedes(each, a) and supercedes(each, b) for each in distinct)
    }


def super_signature(signatures: Iterable[Signature]) -> list[type]:
    """A signature that would decide between `signatures`.

    Of signatures of several lengths the shorter ones end with a variadic class.
    """
    signatures = list(signatures)
    length = max(map(len, signatures))
    rows = [[*each, *each[-1:] * (length - len(each))] for each in signatures]
    return [
        max(classes, key=lambda cls: len(cls.__mro__))
        for classes in zip(*rows, strict=True)
    ]


def edge(
    a: Signature, b: Signature, tie_breaker: Callable[[Signature], int] = hash
) -> bool:
    """Whether `a` goes before `b`; of two that fit the same, `tie_breaker` says."""
    return supercedes(a, b) and (
        not supercedes(b, a) or tie_breaker(a) > tie_breaker(b)
    )


def ordering(signatures: Iterable[Signature]) -> list[tuple[type, ...]]:
    """All signatures, the more specific before the less specific."""
    distinct = list(map(tuple, signatures))
    edges = {a: [b for b in distinct if edge(a, b)] for a in distinct}
    # Those that go before others come first among those that are free.
    return _toposort(dict(sorted(edges.items(), key=lambda item: not item[1])))
