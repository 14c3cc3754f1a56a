"""Functions as methods: what of a signature dispatch needs.

A plain function is read straight from its code object, which costs a microsecond;
`inspect` is used for everything else that can be called.
"""

from __future__ import annotations

from latebind._core import Hint, Method
from latebind._errors import rest_of
from latebind._hints import hint_of, hints_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

QUALIFIERS = ("primary", "before", "after", "around")
PROPAGATIONS = (None, "start", "end")
NEXT = "next_method"

_Function = type(lambda: None)
_VARARGS, _VARKEYWORDS = 0x04, 0x08  # flags of a code object
_ANY = Hint.any()


class Parameters:
    """The parameters of a callable, in the order of a code object's names."""

    __slots__ = (
        "defaults",
        "keyword_defaults",
        "keywords",
        "names",
        "others",
        "positional",
        "posonly",
        "rest",
    )

    names: tuple[str, ...]  # positional ones, then keyword-only ones
    positional: int
    posonly: int
    keywords: int
    defaults: int  # how many of the positional ones have one
    keyword_defaults: Sequence[str]
    rest: str | None  # the name of *args
    others: str | None  # the name of **kwargs


def _parameters_of_function(function: Any) -> Parameters:
    code = function.__code__
    p = Parameters()
    p.positional = code.co_argcount
    p.posonly = code.co_posonlyargcount
    p.keywords = code.co_kwonlyargcount
    end = p.positional + p.keywords
    p.names = code.co_varnames
    defaults = function.__defaults__
    p.defaults = len(defaults) if defaults else 0
    p.keyword_defaults = function.__kwdefaults__ or ()
    flags = code.co_flags
    p.rest = p.names[end] if flags & _VARARGS else None
    p.others = None
    if flags & _VARKEYWORDS:
        p.others = p.names[end + 1 if flags & _VARARGS else end]
    return p


def _parameters_of_callable(function: Any, count: int) -> Parameters:
    """`count`: how many positional ones there are when nothing else says so."""
    import inspect

    p = Parameters()
    p.rest = p.others = None
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        p.names = tuple(f"argument{i + 1}" for i in range(count))
        p.positional = p.posonly = count
        p.keywords = p.defaults = 0
        p.keyword_defaults = ()
        return p
    plain, only = [], []
    for one in parameters:
        if one.kind is one.VAR_POSITIONAL:
            p.rest = one.name
        elif one.kind is one.VAR_KEYWORD:
            p.others = one.name
        elif one.kind is one.KEYWORD_ONLY:
            only.append(one)
        else:
            plain.append(one)
    p.names = tuple(one.name for one in plain + only)
    p.positional = len(plain)
    p.posonly = sum(one.kind is one.POSITIONAL_ONLY for one in plain)
    p.keywords = len(only)
    p.defaults = sum(one.default is not one.empty for one in plain)
    p.keyword_defaults = [one.name for one in only if one.default is not one.empty]
    return p


def parameters_of(function: Any, count: int = 0) -> Parameters:
    if type(function) is _Function and not hasattr(function, "__wrapped__"):
        return _parameters_of_function(function)
    return _parameters_of_callable(function, count)


def _explicit(
    function: Any, p: Parameters, types: Sequence[Any], by_name: Mapping[str, Any]
) -> dict[str, Hint]:
    if len(types) > p.positional:
        raise TypeError(
            f"{name_of(function)}: {len(types)} types given, but {p.positional} "
            f"positional parameter{'s' if p.positional != 1 else ''}"
        )
    hints = {name: hint_of(t) for name, t in zip(p.names, types, strict=False)}
    known = [*p.names[: p.positional + p.keywords], p.rest, p.others]
    for name, annotation in by_name.items():
        if name not in known:
            own = ", ".join(one for one in known if one)
            raise TypeError(
                f"{name_of(function)}: a type for {name!r}, which is no parameter of "
                f"it; its parameters are {own or 'none'}"
            )
        hints[name] = hint_of(annotation)
    return hints


def name_of(function: Any) -> str:
    name = getattr(function, "__qualname__", None)
    return name if isinstance(name, str) else repr(function)


def _code_of(what: str, given: Any, known: tuple[Any, ...]) -> int:
    try:
        return known.index(given)
    except ValueError:
        raise ValueError(
            f"{what} must be one of {', '.join(map(repr, known))}; not {given!r}"
        ) from None


def method_of(
    function: Callable[..., Any],
    types: Sequence[Any] | None = None,
    by_name: Mapping[str, Any] | None = None,
    *,
    owner: type | None = None,
    localns: Mapping[str, Any] | None = None,
    qualifier: str = "primary",
    propagate: str | None = None,
    commutative: bool = False,
    converts: bool = False,
) -> Method:
    """`function` as a method, by its annotations or, if given, by `types`."""
    p = parameters_of(function, len(types) if types else 0)
    if types is None and not by_name:
        hints = hints_of(function, owner=owner, localns=localns, returns=converts)
    else:
        hints = _explicit(function, p, types or (), by_name or {})
    names, positional = p.names, p.positional
    count = positional + p.keywords
    if NEXT in names[:positional] and hints.get(NEXT, _ANY) == _ANY:
        raise TypeError(
            f"{name_of(function)}: {NEXT} is given by the dispatcher; put it behind "
            f"the star: (..., *, {NEXT})"
        )
    if commutative and positional < 2 and p.rest is None:
        raise TypeError(
            f"{name_of(function)}: commutative exchanges the first two arguments, "
            f"but it has {positional} positional parameter"
            f"{'s' if positional != 1 else ''}"
        )
    get = hints.get
    given = tuple([get(name) for name in names[:count]])
    next_bit = required = 0
    if p.keywords:
        for i, name in enumerate(names[positional:count]):
            if name == NEXT:
                next_bit = 1 << i
            elif name not in p.keyword_defaults:
                required |= 1 << i
    method = Method(
        function,
        names,
        given,
        positional,
        p.posonly,
        positional - p.defaults,
        required,
        next_bit,
        get(p.rest) if p.rest else False,
        get(p.others) if p.others else False,
        0 if qualifier == "primary" else _code_of("qualifier", qualifier, QUALIFIERS),
        0 if propagate is None else _code_of("propagate", propagate, PROPAGATIONS),
        commutative,
        converts and "return" in hints,
    )
    if p.rest not in (None, "args"):
        method.rest_name = p.rest
    if p.others not in (None, "kwargs"):
        method.others_name = p.others
    if converts and "return" in hints:
        method.returns = hints["return"]
    return method


# ------------------------------------------------- attributes of Method, for people


def _hints(method: Method) -> dict[str, Hint]:
    """The hint of each parameter, by name; what may be anything has Hint.any()."""
    pairs = zip(method.parameter_names, method.parameter_hints, strict=True)
    return {name: _ANY if hint is None else hint for name, hint in pairs}


def _source(method: Method) -> str:
    """Where it is defined, as file:line; "" when that is not known."""
    function = method.function
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = getattr(function, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else ""


def _one(method: Method, name: str, hint: Hint | None, default: bool) -> str:
    written = getattr(method.function, "__annotations__", {})
    text = name
    if hint is not None:
        text = f"{name}: {hint.text}"
    elif name in written:
        given = written[name]
        text = f"{name}: {getattr(given, '__name__', given)}"
    if not default:
        return text
    return f"{text}=..." if text == name else f"{text} = ..."


def _signature_text(method: Method) -> str:
    """Its parameters as one would write them, e.g. "(x: int, *rest: str)"."""
    names, hints = method.parameter_names, method.parameter_hints
    parts = []
    for i in range(method.positional):
        parts.append(_one(method, names[i], hints[i], i >= method.required))
        if i + 1 == method.positional_only:
            parts.append("/")
    if method.rest is not False:
        parts.append(_one(method, rest_of(method), method.rest, False))
    elif len(names) > method.positional:
        parts.append("*")
    for i in range(method.positional, len(names)):
        bit = 1 << (i - method.positional)
        if method.next_bit == bit:
            parts.append(NEXT)
        else:
            optional = not method.keyword_required & bit
            parts.append(_one(method, names[i], hints[i], optional))
    if method.others is not False:
        others = method.__dict__.get("others_name", "kwargs")
        parts.append(_one(method, f"**{others}", method.others, False))
    return f"({', '.join(parts)})"


def _repr(method: Method) -> str:
    if method.tied:
        return f"<ambiguous: {', '.join(map(repr, method.tied))}>"
    name = getattr(method.function, "__name__", repr(method.function))
    return f"<method {name}{_signature_text(method)}>"


def install() -> None:
    """Give the class made in C what is written here."""
    Method.hints = property(_hints)
    Method.source = property(_source)
    Method.signature_text = property(_signature_text)
    Method.qualifier = property(lambda m: QUALIFIERS[m.qualifier_code])
    Method.propagate = property(lambda m: PROPAGATIONS[m.propagate_code])
    Method.__repr__ = _repr
