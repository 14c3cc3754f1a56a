"""What is raised and warned of, and how it is put in words."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from latebind._core import GenericFunction, Hint, Method


class NoMethodError(TypeError):
    """No method fits the arguments of a call.

    generic: the generic function. types: of the arguments, positional ones first.
    nearest: the methods that fail by the fewest arguments. Pickled, only the words
    are left.
    """

    generic: GenericFunction
    types: tuple[type, ...]
    nearest: tuple[Method, ...]

    def __reduce__(self) -> Any:
        return type(self), self.args


class AmbiguousMethodError(TypeError):
    """Several methods fit, and none is the most specific.

    generic, types: as in NoMethodError. candidates: the methods.
    """

    generic: GenericFunction
    types: tuple[type, ...]
    candidates: tuple[Method, ...]

    def __reduce__(self) -> Any:
        return type(self), self.args


class AmbiguityWarning(UserWarning):
    """Two methods may both fit a call without one being more specific."""


# Where people find them.
for _public in (NoMethodError, AmbiguousMethodError, AmbiguityWarning):
    _public.__module__ = "latebind"


def type_name(cls: object) -> str:
    """A type's name as people write it; with its module if it is not built in."""
    if cls is type(None):
        return "None"
    if not isinstance(cls, type):
        return getattr(cls, "text", None) or repr(cls)
    try:
        module, name = cls.__module__, cls.__qualname__
        plain = module in ("builtins", "__main__")
        return name if plain else f"{module}.{name}"
    except Exception:
        return object.__repr__(cls)


def name_of(generic: GenericFunction) -> str:
    """As people call it: with its classes, if it stands in one."""
    name: str = generic.__name__
    tail = str(generic.__qualname__).rpartition("<locals>.")[2]
    return tail if tail.endswith(f".{name}") else name


def call_text(generic: GenericFunction, types: list[str], names: list[str]) -> str:
    """E.g. "area(int, scale=str)"."""
    positional = types[: len(types) - len(names)]
    named = [f"{n}={t}" for n, t in zip(names, types[len(positional) :], strict=True)]
    return f"{name_of(generic)}({', '.join(positional + named)})"


def _short(value: object) -> str:
    try:
        text = repr(value)
    except Exception:
        text = object.__repr__(value)
    return text if len(text) <= 40 else text[:37] + "..."


# ------------------------------------------------------------------ no method


class Misfit:
    """Why one method does not fit: how many arguments, and the first in words."""

    __slots__ = ("argument", "method", "reason", "weight")

    def __init__(self, method: Method, weight: int, argument: Any, reason: str):
        self.method = method
        self.weight = weight
        self.argument = argument
        self.reason = reason


def _twin(value: object, hint: Hint) -> str:
    """A remark when the classes differ but are called the same."""
    cls = type(value)
    try:
        alike = hint.cls is not None and hint.cls.__qualname__ == cls.__qualname__
        alike = alike and hint.cls.__module__ == cls.__module__
    except Exception:
        return ""
    return " (another class of the same name: it was defined again)" if alike else ""


def _by_class(hint: Hint) -> bool:
    """True when an argument's type alone decides."""
    if hint.kind == "union":
        return all(_by_class(part) for part in hint.parts)
    return hint.kind in ("any", "instance")


def _wrong(name: str, hint: Hint, value: object) -> str:
    given = type_name(type(value))
    if _by_class(hint):
        return f"{name} is {given}, wanted {hint.text}{_twin(value, hint)}"
    return f"{name} is {_short(value)} ({given}), wanted {hint.text}"


def misfit(method: Method, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Misfit:
    """Compare a call with one method, argument by argument."""
    names, hints = method.parameter_names, method.parameter_hints
    positional, next_bit = method.positional, method.next_bit
    given = dict(zip(names, args[:positional], strict=False))
    problems: list[tuple[Any, str]] = []
    if len(args) > positional and method.rest is False:
        many = "argument" if positional == 1 else "arguments"
        problems.append((None, f"takes {positional} positional {many}"))
    for name, value in kwargs.items():
        at = names.index(name) if name in names else -1
        known = at >= method.positional_only and name not in given
        if known and not (at >= positional and next_bit >> (at - positional) & 1):
            given[name] = value
        elif method.others is False:
            twice = at >= method.positional_only and name in given
            problems.append((name, _unwanted(name, twice)))
        elif method.others and not _fits(method.others, value):
            problems.append((name, _wrong(name, method.others, value)))
    for i, name in enumerate(names):
        is_keyword = i >= positional
        bit = 1 << (i - positional) if is_keyword else 0
        needed = bool(method.keyword_required & bit) or (
            not is_keyword and i < method.required
        )
        if name in given:
            hint = hints[i]
            if hint is not None and not _fits(hint, given[name]):
                problems.append((name, _wrong(name, hint, given[name])))
        elif needed:
            problems.append((name, f"{name} is missing"))
    if method.rest:
        for value in args[positional:]:
            if not _fits(method.rest, value):
                problems.append(("*", _wrong(rest_of(method), method.rest, value)))
    argument, reason = problems[0] if problems else (None, "fits")
    return Misfit(method, len(problems), argument, reason)


def _unwanted(name: str, twice: bool) -> str:
    if twice:
        return f"{name} is given twice, by position and by name"
    return f"takes no keyword {name!r}"


def rest_of(method: Method) -> str:
    """What the method calls its *args."""
    return f"*{method.__dict__.get('rest_name', 'args')}"


def _fits(hint: Hint, value: object) -> bool:
    try:
        return hint.check(value)
    except Exception:
        return False


_SHOWN = 3


def no_method(
    generic: GenericFunction,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    what: str = "no method of {call} for these types",
) -> NoMethodError:
    misfits = sorted(
        (misfit(one, args, kwargs) for one in generic._methods),
        key=lambda one: one.weight,
    )
    nearest = [one for one in misfits if one.weight == misfits[0].weight][:_SHOWN]
    values = [*args, *kwargs.values()]
    types = tuple(type(value) for value in values)
    call = call_text(generic, [type_name(t) for t in types], list(kwargs))
    lines = [what.format(call=call, name=name_of(generic))]
    if not misfits:
        lines.append("it has no methods at all")
    elif what.startswith("no method"):
        lines.append("nearest:" if len(nearest) > 1 else "the nearest:")
        lines += [f"  {method_text(generic, m.method)}: {m.reason}" for m in nearest]
    error = NoMethodError("\n".join(lines))
    error.generic = generic
    error.types = types
    error.nearest = tuple(one.method for one in nearest)
    return error


def method_text(generic: GenericFunction, method: Method) -> str:
    """The method's own name, unless it has none of its own, and its parameters."""
    name = getattr(method.function, "__name__", "_")
    if name in ("_", "<lambda>"):
        name = generic.__name__
    return f"{name}{method.signature_text}"


# ------------------------------------------------------------------ ambiguous


def ambiguous(
    generic: GenericFunction,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    tied: tuple[Method, ...] | None,
) -> AmbiguousMethodError:
    types = tuple(type(value) for value in (*args, *kwargs.values()))
    candidates = tied or _candidates(generic, args, kwargs)
    call = call_text(generic, [type_name(t) for t in types], list(kwargs))
    lines = [f"{call} is ambiguous between"]
    lines += [f"  {method_text(generic, one)}  ({one.source})" for one in candidates]
    lines.append(_way_out(generic, args, kwargs, candidates))
    error = AmbiguousMethodError("\n".join(lines))
    error.generic = generic
    error.types = types
    error.candidates = candidates
    return error


def _way_out(
    generic: GenericFunction,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    tied: tuple[Method, ...],
) -> str:
    """What to do. When there is a method that goes before all of them, it was its
    next_method that could not choose."""
    for one in generic._methods:
        before = one.next_bit and one not in tied and one.qualifier == "primary"
        if (
            before
            and tied
            and all(_is_beaten(each, [one]) for each in tied)
            and not misfit(one, args, kwargs).weight
        ):
            return (
                f"they come after {method_text(generic, one)}, which asked for the "
                "next one; let it call the one that is meant"
            )
    return "add a method that is at least as specific as each of them"


_TIED = 3


def _candidates(
    generic: GenericFunction, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Method, ...]:
    """Those that fit; of several qualifiers the primary ones."""
    values = (*args, *kwargs.values())
    types = tuple(type(value) for value in values)
    try:
        _link, items = generic._explain(types, tuple(kwargs) or None, values)
    except Exception:  # of a test of values; the call itself has told of it
        items = []
    tied = dict.fromkeys(item[0] for item in items if item[1] == _TIED)
    if len(tied) > 1:
        return tuple(tied)
    fitting = [one for one in generic._methods if not misfit(one, args, kwargs).weight]
    return tuple(
        one
        for one in fitting
        if one.qualifier == "primary" and not _is_beaten(one, fitting)
    )


def _is_beaten(method: Method, others: list[Method]) -> bool:
    """True when another one is at least as specific everywhere, more somewhere."""
    for other in others:
        pairs = list(zip(method.parameter_hints, other.parameter_hints, strict=False))
        if other is method or other.qualifier != "primary":
            continue
        if all(covers(mine, its) for mine, its in pairs) and any(
            not covers(its, mine) for mine, its in pairs
        ):
            return True
    return False


def covers(wide: Hint | None, narrow: Hint | None) -> bool:
    """Does a parameter's hint (None: any) take all that another one takes?"""
    return wide is None or (narrow is not None and narrow.implies(wide))


def failure(
    generic: GenericFunction,
    reason: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    tied: tuple[Method, ...] | None,
) -> TypeError:
    """The exception for a call that comes to nothing; called by the extension."""
    if reason == "ambiguous":
        return ambiguous(generic, args, kwargs, tied)
    if reason == "exhausted":
        text = "{name} has no next method: the last one that fits was {call}"
        return no_method(generic, args, kwargs, text)
    return no_method(generic, args, kwargs)
