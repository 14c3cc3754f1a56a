"""GenericFunction, as far as it need not be fast: it is given to the class in C."""

from __future__ import annotations

import sys
from _contextvars import ContextVar

from latebind import _convert, _core, _errors, _explain, _method
from latebind._core import GenericFunction, Method, UnboundGenericFunction
from latebind._hints import UnresolvedName

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import FrameType
    from typing import Any

# The `group` inside which definitions are collected, if any.
current_group: ContextVar[Any] = ContextVar("latebind_group", default=None)
# The methods that may not bring ambiguities, of strict groups.
_strict: ContextVar[frozenset[Method]] = ContextVar(
    "latebind_strict", default=frozenset()
)

_OWN = ("name", "qualname", "module", "doc", "convert_returns")
_OPTIONS = {*_OWN, "order", "combination", "precedence", "strict", "silent"}


# ------------------------------------------------------------------ making


def define(function: Any, options: Mapping[str, Any]) -> GenericFunction:
    """A generic function that looks like `function`, without methods."""
    inner = getattr(function, "__func__", function)
    own = {key: options[key] for key in _OWN if key in options}
    rest = {key: value for key, value in options.items() if key not in _OWN}
    kind = GenericFunction
    if isinstance(function, (classmethod, staticmethod)):
        kind = UnboundGenericFunction
        rest["binding"] = "class" if isinstance(function, classmethod) else "static"
    else:
        check_function(function)
    _check_precedence(inner, rest)
    if rest.get("strict"):
        rest.pop("silent", None)  # an error is no warning
    name = own.get("name") or getattr(inner, "__name__", "f")
    qualname = own.get("qualname") or (
        getattr(inner, "__qualname__", name) if "name" not in own else name
    )
    made = kind(name, **rest)
    attributes = made.__dict__
    attributes["__name__"] = name
    attributes["__qualname__"] = qualname
    attributes["__module__"] = own.get("module") or getattr(inner, "__module__", None)
    attributes["options"] = dict(options)
    if own.get("doc") is not None:
        attributes["doc"] = own["doc"]
    if own.get("convert_returns"):
        attributes["convert_returns"] = True
    if getattr(inner, "__isabstractmethod__", False):
        attributes["__isabstractmethod__"] = True
    return made


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse what is no option, where it stands."""
    for key in options:
        if key not in _OPTIONS:
            raise TypeError(
                f"no option {key!r} of a generic function; there are "
                f"{', '.join(sorted(_OPTIONS))}"
            )


def check_function(given: Any, *types: Any) -> None:
    """Refuse what cannot be a definition, and say what would be one."""
    if types or isinstance(given, type):
        names = ", ".join(map(_errors.type_name, (given, *types)))
        raise TypeError(
            f"a function is wanted, not the type{'s' if types else ''} {names}: types "
            f"stand in its annotations, or in @f.register({names}) of a generic "
            "function f"
        )
    if isinstance(given, property):
        raise TypeError("a function is wanted, not a property: put @property above")
    if not callable(getattr(given, "__func__", given)):
        raise TypeError(f"a function is wanted, not {given!r}")


def _check_precedence(function: Any, options: Mapping[str, Any]) -> None:
    names = options.get("precedence")
    if names is None:
        return
    if not isinstance(names, (tuple, list)):
        raise TypeError(
            "precedence must be a tuple of names of parameters, as in "
            f'precedence=("b", "a"); not {names!r}'
        )
    if names and options.get("order") != "lexicographic":
        raise ValueError(
            'precedence says which argument order="lexicographic" looks at first; '
            "without that order it does nothing"
        )
    p = _method.parameters_of(function)
    known = p.names[: p.positional + p.keywords]
    for name in names:
        if name not in known:
            raise ValueError(
                f"{_method.name_of(function)}: precedence names {name!r}; its "
                f"parameters are {', '.join(known)}"
            )


# ------------------------------------------------------------------ adding
#
# While a definition waits for a name, `pending` is the list of all definitions in
# the order of the source: the methods there were, then whatever came, waiting or
# not. What need not wait is added at once, and put in its place among those that
# had to when they are settled. The list only grows until nothing waits any more, so
# that a thread that settles sees whether another one has defined something meanwhile.


class _Waiting:
    """A definition whose annotations name what does not exist yet."""

    __slots__ = ("added", "arguments", "function", "method")

    def __init__(self, function: Any, arguments: dict[str, Any]) -> None:
        self.function = function
        self.arguments = arguments
        self.method: Method | None = None  # as soon as its names are there
        self.added = False

    def resolve(self, generic: GenericFunction) -> Method:
        """Raises UnresolvedName while a name is not there."""
        if self.method is None:
            arguments = dict(self.arguments)
            if generic.owner is not None:
                arguments["owner"] = generic.owner
            self.method = _method.method_of(self.function, **arguments)
        return self.method


def waiting_in(generic: GenericFunction) -> list[Any]:
    """The functions whose annotations name what does not exist yet."""
    return [
        one.function
        for one in generic.pending or ()
        if isinstance(one, _Waiting) and one.method is None
    ]


def _publish(generic: GenericFunction, entry: Any) -> None:
    """Add a method, or what waits, at once or at the end of the group."""
    active = current_group.get()
    if active is not None:
        active.pending.append((generic, (entry,), False))
    elif generic.pending is None and isinstance(entry, Method):
        generic._add((entry,))
    else:
        _publish_now(generic, (entry,))


def _publish_now(generic: GenericFunction, entries: tuple[Any, ...]) -> None:
    log = generic.pending
    methods = tuple(one for one in entries if isinstance(one, Method))
    if log is None and len(methods) < len(entries):
        generic.pending = log = list(generic._methods)
    if log is not None:
        log.extend(entries)
    if not methods:
        return
    try:
        generic._add(methods)
    except BaseException:
        if log is not None:
            _strike(generic, log, entries)
        raise


def _strike(generic: GenericFunction, log: list[Any], entries: tuple[Any, ...]) -> None:
    """Take the last mention of each out again."""
    for entry in reversed(entries):
        for i in reversed(range(len(log))):
            if log[i] is entry:
                del log[i]
                break
    if not any(isinstance(one, _Waiting) for one in log):
        generic.pending = None


def publish_group(pending: list[tuple[GenericFunction, tuple[Any, ...], bool]]) -> None:
    """All of it or nothing. Each: a generic function, what is defined, and whether
    that may bring no ambiguity."""
    together: dict[GenericFunction, tuple[Any, ...]] = {}
    strict: set[Method] = set()
    for generic, entries, is_strict in pending:
        entries = tuple(_resolved(generic, one) for one in entries)
        together[generic] = together.get(generic, ()) + entries
        if is_strict:
            strict.update(one for one in entries if isinstance(one, Method))
    before: dict[GenericFunction, tuple[tuple[Method, ...], Any]] = {}
    token = _strict.set(_strict.get() | strict)
    try:
        for generic, entries in together.items():
            log = generic.pending
            before[generic] = generic._methods, None if log is None else list(log)
            _publish_now(generic, entries)
            if generic.silent and strict:
                # It asks nobody by itself.
                _judge(generic, _explain.ambiguities_of(generic, None, True))
    except BaseException:
        for generic, (methods, log) in before.items():
            generic._replace(methods)
            generic.pending = log
        raise
    finally:
        _strict.reset(token)


def _resolved(generic: GenericFunction, entry: Any) -> Any:
    """Its method, if the names have come meanwhile."""
    if isinstance(entry, Method):
        return entry
    try:
        return entry.resolve(generic)
    except UnresolvedName:
        return entry


_BINDINGS = ("instance", "class", "static")


def check_binding(generic: GenericFunction, function: Any, is_strict: bool) -> None:
    """Refuse a class method among static ones, and so on; `is_strict`: also a plain
    function that is no method of instances."""
    kind = "instance"
    if isinstance(function, (classmethod, staticmethod)):
        kind = "class" if isinstance(function, classmethod) else "static"
    known = _BINDINGS[generic.binding_code]
    if kind == known or (kind == "instance" and not is_strict):
        return
    name = _errors.name_of(generic)
    # For a function of a module a static method is a plain function.
    if kind != "static" or "." in name:
        raise TypeError(
            f"{name} has {known} methods; {_article(kind)} method "
            "cannot be one of them, give it a name of its own"
        )


def _article(kind: str) -> str:
    return f"an {kind}" if kind == "instance" else f"a {kind}"


def _definition(
    generic: GenericFunction, function: Any, arguments: dict[str, Any]
) -> Any:
    """A method of what was given, or what waits to be one."""
    check_binding(generic, function, False)
    function = getattr(function, "__func__", function)
    if not callable(function):
        raise TypeError(f"a method must be callable; {function!r} is not")
    if "convert_returns" in generic.__dict__:
        arguments["converts"] = True
    if generic.owner is not None:
        arguments["owner"] = generic.owner
    try:
        return _method.method_of(function, **arguments)
    except UnresolvedName:
        return _Waiting(function, arguments)


def add_function(
    generic: GenericFunction,
    function: Any,
    types: tuple[Any, ...] | None = None,
    by_name: Mapping[str, Any] | None = None,
    **options: Any,
) -> None:
    """Add `function`, or let it wait until its annotations can be understood."""
    options["types"] = types
    options["by_name"] = by_name
    _publish(generic, _definition(generic, function, options))


# ------------------------------------------------------------------ settling


def settle(generic: GenericFunction) -> None:
    """Add what was waiting for names; what still is raises UnresolvedName."""
    log = generic.pending
    while log:
        seen = len(log)
        error = _resolve_all(generic, log)
        fresh = [
            one
            for one in log[:seen]
            if isinstance(one, _Waiting) and one.method and not one.added
        ]
        if fresh:
            _put_in_order(generic, log[:seen], fresh)
        if len(log) != seen:
            continue  # another thread has defined something
        if error is not None:
            raise error
        # Only now: another thread's call must not pass between.
        if generic.pending is log:
            generic.pending = None
        return


def _resolve_all(generic: GenericFunction, log: list[Any]) -> UnresolvedName | None:
    error = None
    for one in list(log):
        if isinstance(one, _Waiting):
            try:
                one.resolve(generic)
            except UnresolvedName as caught:
                error = error or caught
    return error


def _put_in_order(
    generic: GenericFunction, log: list[Any], fresh: list[_Waiting]
) -> None:
    """Let the methods be those that the definitions, made one after the other, would
    have left."""
    before = generic._methods
    made = tuple(one.method for one in fresh if one.method is not None)
    is_last = log[-len(fresh) :] == fresh
    if is_last:
        generic._add(made)
    else:
        ordered = [one.method if isinstance(one, _Waiting) else one for one in log]
        known = set(ordered)
        ordered += [one for one in before if one not in known]
        reorder(generic, tuple(one for one in ordered if one is not None))
        try:
            ambiguity(generic, made, True)
        except BaseException:
            generic._replace(before)
            raise
    for one in fresh:
        one.added = True


def reorder(generic: GenericFunction, methods: tuple[Method, ...]) -> None:
    """Let these be the methods; of equal ones the last counts, in the first's place."""
    generic._replace(methods)


# ------------------------------------------------------------------ scopes

_OPTIMIZED = 0x01  # flag of a code object: its variables are not a dictionary


def _snapshot(frame: FrameType) -> dict[str, Any]:
    """The variables of a frame. Before Python 3.13 a function's frame keeps the
    dictionary that it hands out, and so all its variables: it is emptied again."""
    names = frame.f_locals
    if not frame.f_code.co_flags & _OPTIMIZED or sys.version_info >= (3, 13):
        return names
    copy = dict(names)
    if frame.f_trace is None:
        names.clear()
    return copy


def local_of(frame: FrameType, name: str) -> Any:
    """The variable `name` of a frame, or None."""
    code = frame.f_code
    if code.co_flags & _OPTIMIZED and name not in code.co_varnames + code.co_cellvars:
        return None
    return _snapshot(frame).get(name)


def locals_for(function: Any, frame: FrameType) -> Mapping[str, Any] | None:
    """The variables around a definition, if text in its annotations may need them;
    a module's are found by the function itself."""
    if not _is_optimized(frame) and frame.f_globals is frame.f_locals:
        return None
    function = getattr(function, "__func__", function)
    try:
        annotations = function.__annotations__
    except (AttributeError, NameError):
        return _snapshot(frame)
    if all(type(one) is type for one in annotations.values()):
        return None
    return _snapshot(frame)


def _is_optimized(frame: FrameType) -> bool:
    return bool(frame.f_code.co_flags & _OPTIMIZED)


_FLAGS = ("before", "after", "around")


def _qualifier_of(keywords: dict[str, Any]) -> dict[str, Any]:
    """Split what is said of a rule from the types by name; changes `keywords`."""
    rule: dict[str, Any] = {}
    for flag in _FLAGS:
        if isinstance(keywords.get(flag), bool) and keywords.pop(flag):
            if "qualifier" in rule:
                raise TypeError(
                    f"{rule['qualifier']} and {flag} at once; a method is one of them"
                )
            rule["qualifier"] = flag
    for key in ("qualifier", "propagate", "commutative"):
        if key in keywords and not isinstance(keywords[key], type):
            rule[key] = keywords.pop(key)
    return rule


def _is_type(given: Any) -> bool:
    """A class, None, or another thing that stands for types in an annotation."""
    kind = type(given)
    return (
        given is None
        or isinstance(given, (type, str, _core.Hint))
        or kind.__module__ in ("typing", "types", "typing_extensions")
        or hasattr(given, "__supertype__")
    )


def _is_function(given: Any) -> bool:
    """A function, not a type or an annotation, some of which can be called."""
    if isinstance(given, (type, Method)) or not callable(given):
        return isinstance(given, (classmethod, staticmethod))
    if type(given) in _FUNCTIONS:
        return True
    kind = type(given)
    return kind.__module__ not in ("typing", "types") and not hasattr(
        given, "__supertype__"
    )


_FUNCTIONS = (type(lambda: None), type(len), type(str.join), GenericFunction)


def _check_type(self: GenericFunction, given: Any) -> None:
    if type(given) is not type and not _is_type(given):
        raise TypeError(
            f"{_errors.name_of(self)}.register: {given!r} is neither a type nor a "
            "function; accepted are types, then perhaps the function, and types of "
            "parameters by their names"
        )


def _check_keyword(self: GenericFunction, name: str, given: Any) -> None:
    if type(given) is not type and not _is_type(given):
        raise TypeError(
            f"{_errors.name_of(self)}.register: {name}={given!r} is no type of a "
            "parameter; what else can be said by keyword are qualifier, before, "
            "after, around, propagate, commutative"
        )


_NO_SELF = ("Any", "Self", "object")


def _check_self(
    self: GenericFunction, function: Any, types: tuple[Any, ...], frame: FrameType
) -> None:
    """In the body of a class the first type is that of `self`; one that is meant for
    the argument after it would choose other methods without a word."""
    names = getattr(getattr(function, "__code__", None), "co_varnames", ())
    # (The variables of a function's frame must not be looked at: they stay.)
    if not types or names[:1] != ("self",) or _is_optimized(frame):
        return
    if "__qualname__" not in frame.f_locals:
        return
    if getattr(types[0], "__name__", str(types[0])) not in _NO_SELF:
        shown = ", ".join(map(_errors.type_name, types))
        raise TypeError(
            f"{_errors.name_of(self)}.register({shown}): the first type is that of "
            f"self; accepted are (object, {shown}) or types by name"
        )


def _register(self: GenericFunction, *given: Any, **keywords: Any) -> Any:
    """Add a method: `@f.register` by its annotations, `@f.register(T1, T2)` by types,
    or f.register(T1, T2, function). Returns the function.

    Keywords: types of parameters by name; qualifier= (or before=, after=, around=
    True), propagate= ("start" or "end": the next method runs by itself before or
    after), commutative=True (also with the first two arguments exchanged).
    """
    rule = _qualifier_of(keywords)
    frame = sys._getframe(1)
    has_function = bool(given) and _is_function(given[-1])
    for one in given[:-1] if has_function else given:
        _check_type(self, one)
    for name, one in keywords.items():
        _check_keyword(self, name, one)
    if has_function:
        *types, function = given
        explicit = tuple(types) if types or keywords else None
        _check_self(self, function, tuple(types), frame)
        names = locals_for(function, frame)
        add_function(self, function, explicit, keywords, localns=names, **rule)
        return function

    def decorate(function: Any) -> Any:
        explicit = given if given or keywords else None
        _check_self(self, function, given, sys._getframe(1))
        names = locals_for(function, sys._getframe(1))
        add_function(self, function, explicit, keywords, localns=names, **rule)
        return function

    return decorate


def _add_method(
    self: GenericFunction, method: Any, /, *types: Any, **keywords: Any
) -> Method:
    """Add a function (by annotations, or by `types`) or a Method; gives the Method."""
    if isinstance(method, Method):
        if types or keywords:
            raise TypeError("a Method has its types already")
        _publish(self, method)
        return method
    if not callable(method) and not isinstance(method, (classmethod, staticmethod)):
        raise TypeError(f"{_errors.name_of(self)}.add wants a function, not {method!r}")
    rule = _qualifier_of(keywords)
    explicit = types if types or keywords else None
    arguments = {"types": explicit, "by_name": keywords, **rule}
    added = _definition(self, method, arguments)
    if isinstance(added, _Waiting):
        added = added.resolve(self)  # which says what is not there
    _publish(self, added)
    return added


# ------------------------------------------------------------------ removing


def _has_types(method: Method, wanted: tuple[Any, ...]) -> bool:
    """Of its first positional parameters; the others have none."""
    hints = method.parameter_hints[: method.positional]
    padding = (_core.Hint.any(),) * (len(hints) - len(wanted))
    return len(wanted) <= len(hints) and all(
        (a is None and b == _core.Hint.any()) or a is b
        for a, b in zip(hints, (*wanted, *padding), strict=True)
    )


def _by_types(self: GenericFunction, given: tuple[Any, ...]) -> list[Method]:
    from latebind._hints import hint_of

    wanted = tuple(hint_of(one) for one in given)
    found = [one for one in self._methods if _has_types(one, wanted)]
    return [one for one in found if one.positional == len(wanted)] or found


def _find(self: GenericFunction, given: tuple[Any, ...]) -> list[Method]:
    if len(given) == 1 and isinstance(given[0], Method):
        return [one for one in self._methods if one is given[0]]
    if len(given) == 1 and _is_function(given[0]):
        return [one for one in self._methods if one.function is given[0]]
    return _by_types(self, given)


def _listed(methods: Iterable[Method]) -> str:
    return "\n".join(f"  {one!r}" for one in methods) or "  none"


def _remove(self: GenericFunction, *method_or_types: Any) -> None:
    """Take a method away: by itself, by its function, or by the types of its
    positional parameters; those without a type may be left out at the end."""
    settle(self)
    if not method_or_types:
        raise TypeError("remove() wants a method, a function, or types")
    found = _find(self, method_or_types)
    what = ", ".join(
        _errors.type_name(one) if isinstance(one, type) else repr(one)
        for one in method_or_types
    )
    how = "name one by itself, its function, or the types of all positional parameters"
    if not found:
        raise LookupError(
            f"{_errors.name_of(self)} has no method ({what}); it has\n"
            f"{_listed(self._methods)}\n{how}"
        )
    if len({one.positional for one in found}) > 1 and not _is_function(
        method_or_types[0]
    ):
        raise LookupError(
            f"{_errors.name_of(self)} has several methods ({what}, ...):\n"
            f"{_listed(found)}\n{how}"
        )
    for method in found:
        self._remove(method)


# ------------------------------------------------------------------ asking


def _types(given: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, Any]:
    types = []
    for one in (*given, *keywords.values()):
        cls = type(None) if one is None else one
        if not isinstance(cls, type):
            raise TypeError(f"classes are wanted, not {one!r}")
        types.append(cls)
    return tuple(types), tuple(keywords) or None


def _chain(self: GenericFunction, *types: Any, **keywords: Any) -> tuple[Method, ...]:
    """The methods that a call with such types runs, most specific first; those that
    look at values do not count. Raises NoMethodError or AmbiguousMethodError."""
    return _chain_or_raise(self, *_types(types, keywords))


def _resolve(self: GenericFunction, *types: Any, **keywords: Any) -> Method:
    """The method that a call with arguments of these types runs; methods that look at
    values do not count. Raises NoMethodError or AmbiguousMethodError."""
    return _chain_or_raise(self, *_types(types, keywords))[0]


def _chain_or_raise(
    self: GenericFunction, given: tuple[type, ...], names: tuple[str, ...] | None
) -> tuple[Method, ...]:
    settle(self)
    link = self._resolve(given, names)
    chain = _explain.chain_of(link)
    if chain:
        return chain
    call = _errors.call_text(
        self, [_errors.type_name(t) for t in given], list(names or ())
    )
    if _explain.status_of(link) == "ambiguous":
        ambiguous = _errors.AmbiguousMethodError(f"{call} is ambiguous")
        ambiguous.generic, ambiguous.types = self, given
        ambiguous.candidates = tuple(
            one for one in self._methods if _fits_types(one, given)
        )
        raise ambiguous
    missing = _errors.NoMethodError(
        f"no method of {call}\n{_explain.Explanation(self, given, names or (), None)}"
    )
    missing.generic, missing.types, missing.nearest = self, given, ()
    raise missing


def _fits_types(method: Method, types: tuple[type, ...]) -> bool:
    hints = method.parameter_hints
    return len(types) <= len(hints) and all(
        hint is None or _core.Hint.instance(cls).implies(hint)
        for cls, hint in zip(types, hints, strict=False)
    )


def _explain_call(
    self: GenericFunction, *args: Any, **kwargs: Any
) -> _explain.Explanation:
    """Which method f(*args, **kwargs) would run, why, and what comes next."""
    settle(self)
    values = (*args, *kwargs.values())
    types = tuple(type(value) for value in values)
    return _explain.Explanation(self, types, tuple(kwargs), values)


def _explain_types(
    self: GenericFunction, *types: Any, **keywords: Any
) -> _explain.Explanation:
    """The same for types; what methods say of values is left open."""
    settle(self)
    given, names = _types(types, keywords)
    return _explain.Explanation(self, given, names or (), None)


def _ambiguities(self: GenericFunction) -> tuple[_explain.Ambiguity, ...]:
    """All pairs of methods between which some call could not choose."""
    settle(self)
    return _explain.ambiguities_of(self, None, True)


def _clone(self: GenericFunction, name: str | None = None) -> GenericFunction:
    """Another generic function with the same methods and options."""
    settle(self)
    made = type(self)(name or self.__name__, **_core_options(self))
    made.__dict__.update(self.__dict__)
    if name is not None:
        made.__dict__["__name__"] = made.__dict__["__qualname__"] = name
    made._replace(self._methods)
    return made


_ORDERS = (
    "symmetric",
    "lexicographic",
    "dylan",
    "weighted",
    "definition",
    "reverse_definition",
)
_COMBINATIONS = ("standard", "first", "list", "sum", "and", "or", "append", "call")


def _core_options(self: GenericFunction) -> dict[str, Any]:
    return {
        "order": self.order_function or _ORDERS[self.order_code],
        "combination": self.combine_function or _COMBINATIONS[self.combination_code],
        "precedence": self.precedence,
        "strict": self.strict,
        "silent": self.silent,
        "binding": _BINDINGS[self.binding_code],
        "failed": self.failed,
        "retry": self.retry,
    }


# ------------------------------------------------------------------ for people


def _repr(self: GenericFunction) -> str:
    count = len(self._methods)
    name = self.__dict__.get("__qualname__", self.name)
    return f"<generic function {name}, {count} method{'s' if count != 1 else ''}>"


def _signature(self: GenericFunction) -> Any:
    """That of the declaration, or of the only method, or what all have in common."""
    import inspect

    declaration = self.__dict__.get("declaration")
    if declaration is not None:
        return inspect.signature(declaration)
    signatures = [_public_signature(one) for one in self._methods]
    if not signatures:
        return inspect.Signature(
            [
                inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL),
                inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD),
            ]
        )
    first = signatures[0]
    if all(_alike(first, one) for one in signatures[1:]):
        if len(signatures) == 1:
            return first
        bare = [p.replace(annotation=p.empty) for p in first.parameters.values()]
        return inspect.Signature(bare)
    return inspect.Signature(
        [
            inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL),
            inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD),
        ]
    )


def _public_signature(method: Method) -> Any:
    import inspect

    try:
        signature = inspect.signature(method.function)
    except (TypeError, ValueError):
        return inspect.Signature()
    kept = [p for p in signature.parameters.values() if p.name != _method.NEXT]
    return signature.replace(parameters=kept)


def _alike(a: Any, b: Any) -> bool:
    def key(signature: Any) -> list[Any]:
        return [
            (p.name, p.kind, p.default is p.empty)
            for p in signature.parameters.values()
        ]

    return bool(key(a) == key(b))


def doc(self: GenericFunction) -> str | None:
    """The documentation: given, or the declaration's, then each method's own."""
    own = self.__dict__
    if "doc" in own:
        return own["doc"]
    import inspect

    head = getattr(own.get("declaration"), "__doc__", None)
    parts = [inspect.cleandoc(head)] if head else []
    for method in self._methods:
        text = getattr(method.function, "__doc__", None)
        if text and text != head and method.function is not own.get("declaration"):
            title = f"{own.get('__name__', self.name)}{method.signature_text}"
            lines = inspect.cleandoc(text).split("\n")
            body = "\n".join("    " + line if line else "" for line in lines)
            parts.append(f"{title}\n{body}")
    return "\n\n".join(parts) or None


# ------------------------------------------------------------------ warnings


def _stacklevel() -> int:
    """How many frames up the definition stands that caused a warning."""
    level, frame = 1, sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name != "latebind" and not name.startswith("latebind."):
            break
        level += 1
        frame = frame.f_back
    return level


def ambiguity(
    generic: GenericFunction, methods: tuple[Method, ...], engine: bool
) -> None:
    """Called after a change that may have brought ambiguities."""
    found = _explain.ambiguities_of(generic, methods, engine)
    _judge(generic, found)
    if generic.silent:
        return
    for one in found:
        if not one.possible:
            import warnings

            warnings.warn(f"{one}", _errors.AmbiguityWarning, stacklevel=_stacklevel())


def _judge(generic: GenericFunction, found: tuple[_explain.Ambiguity, ...]) -> None:
    """Raise for those that may not be."""
    strict = _strict.get()
    wrong = [
        one
        for one in found
        if not one.possible
        and (generic.strict or one.first in strict or one.second in strict)
    ]
    if wrong:
        error = _errors.AmbiguousMethodError("\n".join(map(str, wrong)))
        error.generic = generic
        error.types = wrong[0].witness
        error.candidates = (wrong[0].first, wrong[0].second)
        raise error


# ------------------------------------------------------------------ pickling


def _find_by_name(module: str, qualname: str) -> Any:
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    if isinstance(found, (classmethod, staticmethod)):
        found = found.__func__
    return found


def _load(module: str, qualname: str) -> GenericFunction:
    __import__(module)
    found = _find_by_name(module, qualname)
    if not isinstance(found, GenericFunction):
        raise AttributeError(f"no generic function {qualname} in module {module}")
    return found


def _empty(kind: Any, name: str, options: dict[str, Any]) -> GenericFunction:
    made: GenericFunction = kind(name, **options)
    return made


def _setstate(
    self: GenericFunction, state: tuple[dict[str, Any], tuple[Method, ...]]
) -> None:
    attributes, methods = state
    self.__dict__.update(attributes)
    self._replace(methods)


def _parts_of(method: Method) -> tuple[Any, ...]:
    return (
        method.function,
        method.parameter_names,
        method.parameter_hints,
        method.positional,
        method.positional_only,
        method.required,
        method.keyword_required,
        method.next_bit,
        method.rest,
        method.others,
        method.qualifier_code,
        method.propagate_code,
        method.commutative,
        method.converts,
    )


def _reduce_method(method: Method) -> Any:
    return Method, _parts_of(method), dict(method.__dict__) or None


# Picklers that copy functions which cannot be imported where the copy is read; of
# the program itself that is everything, since there __main__ is another module.
_COPIERS = ("cloudpickle", "dill")


def _is_copied() -> bool:
    frame: Any = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] in _COPIERS:
            return True
        frame = frame.f_back
    return False


def _reduce(self: GenericFunction) -> Any:
    """By name, if it can be imported by it; else by value, which needs a pickler that
    can copy its methods' functions, too (cloudpickle)."""
    module = self.__dict__.get("__module__") or "__main__"
    qualname = self.__dict__.get("__qualname__", self.name)
    here = _find_by_name(module, qualname) is self
    if here and (module != "__main__" or not _is_copied()):
        return _load, (module, qualname)
    settle(self)
    kind = type(self)
    state = (dict(self.__dict__), self._methods)
    return _empty, (kind, self.name, _core_options(self)), state


# ------------------------------------------------------------------ all of it


def _report(self: GenericFunction) -> str:
    """A page of HTML: the methods, the table of types, ambiguities, classes."""
    from latebind._report import page

    return page(self)


def _repr_html(self: GenericFunction) -> str:
    from latebind._report import inline

    return inline(self)


def _hash(self: GenericFunction) -> int:
    return object.__hash__(self)


def install() -> None:
    """Give the classes made in C what is written here."""
    _core.set_hooks(
        failure=_errors.failure,
        ambiguity=ambiguity,
        doc=doc,
        settle=settle,
        convert=_convert.convert_result,
    )
    _method.install()
    Method.__reduce__ = _reduce_method
    for name, function in {
        "register": _register,
        "add": _add_method,
        "remove": _remove,
        "resolve": _resolve,
        "chain": _chain,
        "explain": _explain_call,
        "explain_types": _explain_types,
        "ambiguities": _ambiguities,
        "clone": _clone,
        "report": _report,
        "_repr_html_": _repr_html,
        "__repr__": _repr,
        "__reduce__": _reduce,
        "__setstate__": _setstate,
        "__signature__": property(_signature),
    }.items():
        if not isinstance(function, property):
            function.__name__ = name
            function.__qualname__ = f"GenericFunction.{name}"
        setattr(GenericFunction, name, function)
