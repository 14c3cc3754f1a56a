"""What is wrong with generic functions as they stand: for CI, before a call finds it.

ambiguous           two methods fit a call, and neither is more specific (not looked for
                    in generic functions with silent=True); the call is of classes
                    that exist: those of the modules, Python's built-in ones, and
                    the subclasses of those that methods name
possibly-ambiguous  the same if two tests of a value hold at once
duplicate           a definition that a later one with the same types replaced while
                    the module was imported
unresolved          a definition whose annotations name what does not exist
shadowed            a method that fits calls, but in each of them others run
unreachable         a method that fits no call that runs anything: all are ambiguous,
                    or have no primary method

The last two are looked for with the classes that exist now. A method is tried with

1.  its own classes: an instance of just what each parameter names;
2.  if that does not reach it, with all their subclasses, members of unions, given
    literals (and all values of bool, None and enumerations), in each form of call.

It is reached if it runs, or if a method that runs may call it as next_method. So a
finding holds for every class that exists, and no class yet to come is thought of. A
method whose parameters test values (Annotated, elements of containers) is taken to
be reached, and so is one with more than `_MOST` combinations; `Result.unchecked` has
the latter.
"""

from __future__ import annotations

import builtins
import enum
import itertools
import math
from contextlib import contextmanager

from latebind import _explain, _generic
from latebind._calls import Form, classes_in, forms_of, hint_at, subclasses_of
from latebind._core import GenericFunction, Hint
from latebind._errors import (
    AmbiguousMethodError,
    call_text,
    method_text,
    type_name,
)
from latebind._hints import UnresolvedName
from latebind._method import method_of
from latebind._modules import title_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from latebind._core import Method

KINDS = (
    "ambiguous",
    "possibly-ambiguous",
    "duplicate",
    "unresolved",
    "shadowed",
    "unreachable",
)
_MOST = 10_000  # calls tried for one method
_SUBCLASSES = 1_000
_SLOTS = 8  # of more, some are looked at as values


class Finding:
    """One thing that is wrong. methods: those concerned, the one to look at first."""

    __slots__ = ("code", "function", "kind", "message", "methods", "source", "witness")

    def __init__(
        self,
        kind: str,
        generic: GenericFunction,
        message: str,
        methods: tuple[Method, ...] = (),
        *,
        source: str = "",
        witness: tuple[str, ...] = (),
        code: str = "",
    ) -> None:
        self.kind = kind
        self.function = title_of(generic)
        self.message = message
        self.methods = [
            {"signature": method_text(generic, one), "source": one.source}
            for one in methods
        ]
        self.source = source or (methods[0].source if methods else "")
        self.witness = witness
        self.code = code

    def __str__(self) -> str:
        place = f"{self.source}: " if self.source else ""
        return f"{place}{self.kind}: {self.message}"

    def to_json(self) -> dict[str, Any]:
        file, _, line = self.source.rpartition(":")
        return {
            "kind": self.kind,
            "function": self.function,
            "file": file or None,
            "line": int(line) if line.isdigit() else None,
            "message": self.message,
            "methods": self.methods,
            "witness": list(self.witness),
            "code": self.code or None,
        }


class Result:
    """Of some generic functions: findings, and the methods that were too many."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.unchecked: list[str] = []
        self.functions = 0
        self.methods = 0


# ------------------------------------------------------------------ duplicates


class Recorder:
    """Notes which methods a later definition replaced."""

    def __init__(self) -> None:
        self.replaced: list[tuple[GenericFunction, Method, Method]] = []

    def note(
        self,
        generic: GenericFunction,
        before: tuple[Method, ...],
        fresh: tuple[Method, ...],
    ) -> None:
        left = dict.fromkeys(generic._methods)
        for old in dict.fromkeys((*before, *fresh)):
            if old not in left:
                new = next((one for one in left if _same(old, one)), None)
                if new is not None and new.source != old.source:
                    self.replaced.append((generic, old, new))


def _same(a: Method, b: Method) -> bool:
    return (
        a.parameter_hints[: a.positional] == b.parameter_hints[: b.positional]
        and a.qualifier == b.qualifier
    )


@contextmanager
def recording() -> Iterator[Recorder]:
    """While it lasts, definitions are watched: around the import of a module, and
    until what waited for names is settled."""
    recorder = Recorder()
    add, reorder = GenericFunction._add, _generic.reorder

    def watched(self: GenericFunction, methods: tuple[Method, ...]) -> Any:
        before = self._methods
        result = add(self, methods)
        recorder.note(self, before, methods)
        return result

    def watched_order(generic: GenericFunction, methods: tuple[Method, ...]) -> None:
        reorder(generic, methods)
        recorder.note(generic, methods, generic._methods)

    GenericFunction._add = watched
    _generic.reorder = watched_order
    try:
        yield recorder
    finally:
        GenericFunction._add = add
        _generic.reorder = reorder


# ------------------------------------------------------------------ calls to try


class _Unknown(Exception):
    """A hint for which nobody here knows what fits it."""


class _Sample:
    """A type, with the value if that is decided upon."""

    __slots__ = ("cls", "known", "value")

    def __init__(self, cls: type, known: bool = False, value: object = None) -> None:
        self.cls = cls
        self.known = known
        self.value = value


def _of_class(cls: type, wide: bool) -> Iterator[_Sample]:
    classes = [cls]
    if wide:
        classes = subclasses_of(cls, _SUBCLASSES) or [cls]
    for one in classes:
        if one is bool or one is type(None):
            values: Any = (False, True) if one is bool else (None,)
            yield from (_Sample(one, True, value) for value in values)
        elif isinstance(one, enum.EnumMeta) and len(one):
            yield from (_Sample(one, True, value) for value in one)
        else:
            yield _Sample(one)


def _samples(
    hint: Hint | None, wide: bool, others: Iterable[type]
) -> Iterator[_Sample]:
    """Arguments that a hint takes. `others`: where it takes anything."""
    if hint is None or hint.kind == "any":
        yield _Sample(object)
        if wide:
            for cls in others:
                yield from _of_class(cls, False)
    elif hint.kind == "union":
        for part in hint.parts:
            yield from _samples(part, wide, others)
    elif hint.kind == "instance":
        yield from _of_class(hint.cls, wide)
    elif hint.kind == "literal":
        yield from (_Sample(type(value), True, value) for value in hint.parts)
    else:
        raise _Unknown


def _looks(hint: Hint | None) -> bool:
    if hint is not None and hint.kind == "union":
        return any(map(_looks, hint.parts))
    return hint is not None and hint.kind == "literal"


def _calls(
    form: Form, method: Method, wide: bool, budget: int
) -> Iterator[tuple[tuple[type, ...], tuple[Any, ...] | None]]:
    """Types of all arguments, and the values if all are known. Only values that
    leave no other open are: an example of an int says nothing of the others."""
    axes: list[list[_Sample]] = []
    for i in range(form.positional + len(form.names)):
        others = {
            cls
            for one in form.methods
            for hint in [hint_at(one, form, i)]
            if hint is not None and hint.kind == "instance"
            for cls in [hint.cls]
        }
        hint = hint_at(method, form, i)
        axes.append(list(_samples(hint, wide, sorted(others, key=type_name))))
    if len(form.slots) > _SLOTS:
        raise _Unknown
    if math.prod(map(len, axes)) > budget:
        raise OverflowError
    looks = any(
        _looks(hint_at(method, form, i))
        for i in range(form.positional + len(form.names))
    )
    for samples in itertools.product(*axes):
        known = all(one.known for one in samples)
        if looks and not known:
            raise _Unknown
        yield (
            tuple(one.cls for one in samples),
            tuple(one.value for one in samples) if known else None,
        )


# ------------------------------------------------------------------ reaching


class _Outcome:
    """What became of the calls that a method fits, none of which reached it."""

    def __init__(self) -> None:
        self.runs: dict[Method, str] = {}  # what runs instead, and a call
        self.ambiguous: str | None = None
        self.missing: str | None = None
        self.count = 0


def _text(generic: GenericFunction, types: tuple[type, ...], form: Form) -> str:
    return call_text(generic, [type_name(cls) for cls in types], list(form.names))


def _try(
    generic: GenericFunction, method: Method, form: Form, wide: bool, out: _Outcome
) -> bool:
    """True as soon as one call reaches the method."""
    for types, values in _calls(form, method, wide, _MOST - out.count):
        out.count += 1
        link, _items = generic._explain(types, form.names or None, values)
        chain = _explain.chain_of(link)
        if method in _explain.reached_in(generic, chain):
            return True
        if chain:
            out.runs.setdefault(chain[0], _text(generic, types, form))
        elif _explain.status_of(link) == "ambiguous":
            out.ambiguous = out.ambiguous or _text(generic, types, form)
        else:
            out.missing = out.missing or _text(generic, types, form)
    return False


def _never_reached(
    generic: GenericFunction, method: Method, forms: list[Form]
) -> _Outcome | None:
    """None: some call reaches it, or that cannot be told. OverflowError: too many."""
    own = [form for form in forms if method in form.methods]
    out = _Outcome()
    try:
        for wide in (False, True):
            if any(_try(generic, method, form, wide, out) for form in own):
                return None
    except OverflowError:
        raise
    except Exception:  # _Unknown, or what a user's test or isinstance raises
        return None
    return out


def _describe(
    generic: GenericFunction, method: Method, out: _Outcome
) -> tuple[str, str, tuple[Method, ...]]:
    text = method_text(generic, method)
    if out.runs:
        others = ", ".join(
            f"{method_text(generic, one)}" for one in itertools.islice(out.runs, 3)
        )
        more = f" and {len(out.runs) - 3} more" if len(out.runs) > 3 else ""
        said = f"{text} is never reached; instead run {others}{more}"
        return "shadowed", said, (method, *out.runs)
    if out.ambiguous:
        said = f"each call that {text} fits is ambiguous, e.g. {out.ambiguous}"
    elif method.qualifier != "primary":
        said = f"{text} [{method.qualifier}] has no primary method to go with"
    else:
        said = f"no call reaches {text}"
    return "unreachable", said, (method,)


# ------------------------------------------------------------------ all of it


def _pending(generic: GenericFunction) -> Iterator[Finding]:
    try:
        _generic.settle(generic)
    except AmbiguousMethodError:
        raise
    except (UnresolvedName, TypeError) as error:
        for function in _generic.waiting_in(generic):
            code = getattr(function, "__code__", None)
            source = f"{code.co_filename}:{code.co_firstlineno}" if code else ""
            yield Finding("unresolved", generic, str(error), source=source)


def _make_known(generics: Iterable[GenericFunction], classes: Iterable[type]) -> None:
    """Let dispatch meet classes: an ambiguity is shown by those that it has met."""
    named = dict.fromkeys(
        cls
        for generic in generics
        for method in generic._methods
        for hint in (*method.parameter_hints, method.rest, method.others)
        if hint
        for cls in classes_in(hint)
    )
    every = dict.fromkeys(classes)
    every.update(
        (cls, None)
        for cls in vars(builtins).values()
        if isinstance(cls, type) and not issubclass(cls, BaseException)
    )
    for cls in named:
        if cls is not object:
            every.update(dict.fromkeys(subclasses_of(cls, _SUBCLASSES) or ()))
    probe = GenericFunction("probe")
    probe._add((method_of(lambda x: None, (type(None),)),))
    for cls in every:
        try:
            probe._resolve((cls,))
        except Exception:  # of a metaclass, or of an abstract class that was asked
            continue


def _ambiguities(generic: GenericFunction) -> Iterator[Finding]:
    for one in _explain.ambiguities_of(generic, None, True):
        kind = "possibly-ambiguous" if one.possible else "ambiguous"
        pair = " and ".join(method_text(generic, m) for m in (one.first, one.second))
        # The later one of the two is the one to look at.
        yield Finding(
            kind,
            generic,
            f"{one.call}: {pair}; {one.advice}",
            (one.second, one.first),
            witness=tuple(type_name(cls) for cls in one.witness),
            code=one.code,
        )


def _unreached(generic: GenericFunction, result: Result) -> Iterator[Finding]:
    forms = forms_of(generic)
    for method in generic._methods:
        try:
            out = _never_reached(generic, method, forms)
        except OverflowError:
            result.unchecked.append(
                f"{title_of(generic)}: {method_text(generic, method)}"
            )
            continue
        if out is not None:
            kind, message, methods = _describe(generic, method, out)
            yield Finding(kind, generic, message, methods)


def check(
    generics: Iterable[GenericFunction],
    recorder: Recorder | None = None,
    ignored: Iterable[str] = (),
    classes: Iterable[type] = (),
) -> Result:
    """Everything that is wrong with these, by kinds other than the ignored ones.
    `classes`: some that arguments may be of, besides those that methods name."""
    result, skip = Result(), set(ignored)
    every = list(generics)
    unresolved = {generic: list(_pending(generic)) for generic in every}
    _make_known(every, classes)
    for generic in every:
        found = unresolved[generic]
        if not generic.pending:
            found += [] if generic.silent else _ambiguities(generic)
            found += _unreached(generic, result)
        for owner, old, new in recorder.replaced if recorder else ():
            if owner is generic:
                text = method_text(generic, old)
                message = f"{text} is replaced by the same at {new.source}"
                found.append(Finding("duplicate", generic, message, (old, new)))
        result.functions += 1
        result.methods += len(generic._methods)
        result.findings += [one for one in found if one.kind not in skip]
    return result
