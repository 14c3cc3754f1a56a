"""GenericFunction, as far as it need not be fast: it is given to the class in C."""

from __future__ import annotations

import sys
from _contextvars import ContextVar

from latebind import _convert, _core, _errors, _explain, _method
from latebind._core import GenericFunction, Method, UnboundGenericFunction
from latebind._hints import UnresolvedName

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType
    from typing import Any

# The `group` inside which definitions are collected, if any.
current_group: ContextVar[Any] = ContextVar("latebind_group", default=None)
# True while definitions may not bring ambiguities.
_strict: ContextVar[bool] = ContextVar("latebind_strict", default=False)

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
    elif not callable(function):
        raise TypeError(f"a function is wanted, not {function!r}")
    _check_precedence(inner, rest.get("precedence"))
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


def _check_precedence(function: Any, names: Any) -> None:
    if not names:
        return
    p = _method.parameters_of(function)
    known = p.names[: p.positional + p.keywords]
    for name in names:
        if name not in known:
            raise ValueError(
                f"{_method.name_of(function)}: precedence names {name!r}; its "
                f"parameters are {', '.join(known)}"
            )


# ------------------------------------------------------------------ adding


def _publish(generic: GenericFunction, methods: tuple[Method, ...]) -> None:
    active = current_group.get()
    if active is None:
        generic._add(methods)
    else:
        active.pending.append((generic, methods))


def publish_group(
    pending: list[tuple[GenericFunction, tuple[Method, ...]]], strict: bool
) -> None:
    before: dict[GenericFunction, tuple[Method, ...]] = {}
    together: dict[GenericFunction, tuple[Method, ...]] = {}
    for generic, methods in pending:
        together[generic] = together.get(generic, ()) + methods
    token = _strict.set(strict or _strict.get())
    try:
        for generic, methods in together.items():
            before[generic] = generic._methods
            generic._add(methods)
    except BaseException:
        for generic, methods in before.items():
            generic._replace(methods)
        raise
    finally:
        _strict.reset(token)


class _Waiting:
    """A definition whose annotations name what does not exist yet."""

    __slots__ = ("arguments", "function")

    def __init__(self, function: Any, arguments: dict[str, Any]) -> None:
        self.function = function
        self.arguments = arguments


def add_function(
    generic: GenericFunction,
    function: Any,
    types: tuple[Any, ...] | None = None,
    by_name: Mapping[str, Any] | None = None,
    **options: Any,
) -> Method | None:
    """Add `function`; None when its annotations cannot be understood yet."""
    function = getattr(function, "__func__", function)
    if not callable(function):
        raise TypeError(f"a method must be callable; {function!r} is not")
    own = generic.__dict__
    if "convert_returns" in own:
        options["converts"] = True
    if generic.owner is not None:
        options.setdefault("owner", generic.owner)
    try:
        method = _method.method_of(function, types, by_name, **options)
    except UnresolvedName:
        waiting = _Waiting(function, {"types": types, "by_name": by_name, **options})
        generic.pending = [*(generic.pending or ()), waiting]
        return None
    _publish(generic, (method,))
    return method


def settle(generic: GenericFunction) -> None:
    """Add what was waiting for names; what still is raises UnresolvedName."""
    waiting = generic.pending
    if not waiting:
        return
    made, still, error = [], [], None
    for one in waiting:
        arguments = dict(one.arguments)
        if generic.owner is not None:
            arguments["owner"] = generic.owner
        try:
            made.append(_method.method_of(one.function, **arguments))
        except UnresolvedName as caught:
            still.append(one)
            error = caught
    if made:
        generic._add(tuple(made))
    # Only now: another thread's call must not pass between.
    left = [one for one in generic.pending or () if one in still or one not in waiting]
    generic.pending = left or None
    if error is not None:
        raise error


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
                raise TypeError(f"{flag} and {rule['qualifier']} at once")
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


def _register(self: GenericFunction, *given: Any, **keywords: Any) -> Any:
    """Add a method: `@f.register` by its annotations, `@f.register(T1, T2)` by types,
    or f.register(T1, T2, function). Returns the function.

    Keywords: types of parameters by name; qualifier= (or before=, after=, around=
    True), propagate= ("start" or "end": the next method runs by itself before or
    after), commutative=True (also with the first two arguments exchanged).
    """
    rule = _qualifier_of(keywords)
    frame = sys._getframe(1)
    if len(given) > 1 and not _is_type(given[-1]) and not _is_function(given[-1]):
        raise TypeError(
            f"{self.__name__}.register: {given[-1]!r} is neither a type nor a function"
        )
    if given and _is_function(given[-1]):
        *types, function = given
        explicit = tuple(types) if types or keywords else None
        names = locals_for(function, frame)
        add_function(self, function, explicit, keywords, localns=names, **rule)
        return function

    def decorate(function: Any) -> Any:
        explicit = given if given or keywords else None
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
        _publish(self, (method,))
        return method
    if not callable(method) and not isinstance(method, (classmethod, staticmethod)):
        raise TypeError(f"{self.__name__}.add wants a function, not {method!r}")
    rule = _qualifier_of(keywords)
    explicit = types if types or keywords else None
    added = add_function(self, method, explicit, keywords, **rule)
    if added is None:
        # Its words cannot be understood now, and `add` promises a method.
        *others, waiting = self.pending
        self.pending = others or None
        added = _method.method_of(waiting.function, **waiting.arguments)
    return added


# ------------------------------------------------------------------ removing


def _same_types(method: Method, wanted: tuple[Any, ...]) -> bool:
    hints = method.parameter_hints[: method.positional]
    if len(hints) != len(wanted):
        return False
    return all(
        (a is None and b == _core.Hint.any()) or a is b
        for a, b in zip(hints, wanted, strict=True)
    )


def _find(self: GenericFunction, given: tuple[Any, ...]) -> list[Method]:
    if len(given) == 1 and isinstance(given[0], Method):
        return [one for one in self._methods if one is given[0]]
    if len(given) == 1 and _is_function(given[0]):
        return [one for one in self._methods if one.function is given[0]]
    from latebind._hints import hint_of

    wanted = tuple(hint_of(one) for one in given)
    return [one for one in self._methods if _same_types(one, wanted)]


def _remove(self: GenericFunction, *method_or_types: Any) -> None:
    """Take a method away: by itself, by its function, or by its types."""
    settle(self)
    if not method_or_types:
        raise TypeError("remove() wants a method, a function, or types")
    found = _find(self, method_or_types)
    if not found:
        known = "\n".join(f"  {one!r}" for one in self._methods) or "  none"
        what = ", ".join(
            _errors.type_name(one) if isinstance(one, type) else repr(one)
            for one in method_or_types
        )
        raise LookupError(f"{self.__name__} has no method ({what}); it has\n{known}")
    for method in found:
        self._remove(method)


# ------------------------------------------------------------------ asking


def _types(given: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, Any]:
    types = []
    for one in (*given, *keywords.values()):
        cls = type(None) if one is None else one
        if not isinstance(cls, type):
            raise TypeError(f"types are wanted, not {one!r}")
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
_BINDINGS = ("instance", "class", "static")


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
    found = tuple(one for one in found if not one.possible)
    if not found:
        return
    if generic.strict or _strict.get():
        error = _errors.AmbiguousMethodError("\n".join(map(str, found)))
        error.generic = generic
        error.types = found[0].witness
        error.candidates = (found[0].first, found[0].second)
        raise error
    import warnings

    for one in found:
        warnings.warn(f"{one}", _errors.AmbiguityWarning, stacklevel=_stacklevel())


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
