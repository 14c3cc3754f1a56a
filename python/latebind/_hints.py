"""Annotations as hints: what a parameter's annotation says about its argument.

1. A plain class, the usual case, is taken as it is: neither ``typing`` nor
   ``inspect`` is imported for it.
2. Text (``from __future__ import annotations``, forward references) is evaluated
   where the function stands: its class, the variables of the functions around it,
   its module. A name that is not there yet raises ``UnresolvedName``; ask again
   when it may be.
3. Anything else is told apart by its origin and put together from its parts.
4. What nobody here can check is left to beartype, imported only then.

Elements are looked at only where looking consumes nothing: of an iterator or a
generator the origin alone counts.
"""

from __future__ import annotations

import sys

from latebind._core import Hint

TYPE_CHECKING = False  # typing's own is expensive, and type checkers know this one
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

__all__ = ["UnresolvedName", "hint_of", "hints_of"]

_Function = type(lambda: None)
_VARARGS, _VARKEYWORDS = 0x04, 0x08  # flags of a code object
_instance = Hint.instance
_any = Hint.any()


class UnresolvedName(NameError):
    """An annotation names what does not exist yet."""


def hint_of(
    annotation: object,
    *,
    owner: type | None = None,
    globalns: Mapping[str, Any] | None = None,
    localns: Mapping[str, Any] | None = None,
) -> Hint:
    """The hint that `annotation` stands for.

    Text in it is evaluated in `localns`, then the namespace of the class `owner`
    (which is also what Self means), then `globalns`.
    """
    if type(annotation) is type and annotation.__module__ != "typing":
        return _instance(annotation)
    return _convert(annotation, _Scope(owner, globalns or {}, (localns or {},)))


def hints_of(
    function: Callable[..., Any],
    *,
    owner: type | None = None,
    localns: Mapping[str, Any] | None = None,
    returns: bool = False,
) -> dict[str, Hint]:
    """The hints of each parameter of `function`, by name.

    One without annotation may be anything. With `returns` the key "return" is
    there too, when the result is annotated.
    """
    if type(function) is not _Function or hasattr(function, "__wrapped__"):
        return _hints_of_callable(function, owner, localns, returns)
    annotations = _annotations_of(function)
    code = function.__code__
    count = code.co_argcount + code.co_kwonlyargcount
    if code.co_flags & (_VARARGS | _VARKEYWORDS):
        count += bool(code.co_flags & _VARARGS) + bool(code.co_flags & _VARKEYWORDS)
    names = code.co_varnames[:count]
    if returns and "return" in annotations:
        names += ("return",)
    hints = {}
    scope = None
    for name in names:
        annotation = annotations.get(name, object)
        if type(annotation) is type and annotation.__module__ != "typing":
            hints[name] = _instance(annotation)
        else:
            if scope is None:
                scope = _Scope.of_function(function, owner, localns)
            hints[name] = _convert_for(function, name, annotation, scope)
    return hints


# ------------------------------------------------------------- functions, scopes


def _annotations_of(function: Callable[..., Any]) -> dict[str, Any]:
    """From Python 3.14 on, asking for them evaluates them."""
    try:
        return function.__annotations__
    except NameError as error:
        raise UnresolvedName(f"{_name_of(function)}(): {error}") from None


def _name_of(function: object) -> str:
    name = getattr(function, "__qualname__", None)
    return name if isinstance(name, str) else repr(function)


def _convert_for(
    function: object, name: str, annotation: object, scope: _Scope
) -> Hint:
    try:
        return _convert(annotation, scope)
    except (TypeError, UnresolvedName) as error:
        what = "its result" if name == "return" else f"parameter {name!r}"
        kind = UnresolvedName if isinstance(error, UnresolvedName) else TypeError
        raise kind(f"{_name_of(function)}(): {what}: {error}") from error


def _hints_of_callable(
    function: Any, owner: type | None, localns: Mapping[str, Any] | None, returns: bool
) -> dict[str, Hint]:
    """Whatever else can be called: methods, partials, classes, objects."""
    import inspect

    if isinstance(function, (classmethod, staticmethod)):
        return hints_of(
            function.__func__, owner=owner, localns=localns, returns=returns
        )
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        raise TypeError(
            f"{_name_of(function)} has no signature to take its types from; give "
            "them, as in register(int, str)"
        ) from None
    except NameError as error:
        raise UnresolvedName(f"{_name_of(function)}(): {error}") from None
    scope = _Scope.of_function(_underlying(function), owner, localns)
    found = {name: each.annotation for name, each in signature.parameters.items()}
    if returns and signature.return_annotation is not signature.empty:
        found["return"] = signature.return_annotation
    return {
        name: _any
        if annotation is signature.empty
        else _convert_for(function, name, annotation, scope)
        for name, annotation in found.items()
    }


def _underlying(function: Any) -> Any:
    """The function whose annotations inspect.signature has given."""
    import functools
    import inspect

    seen = 0
    while seen < 100 and not isinstance(function, _Function):
        seen += 1
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, type):
            function = function.__init__
        elif hasattr(function, "__func__"):
            function = function.__func__
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        elif isinstance(type(function).__call__, _Function):
            function = type(function).__call__
        else:
            return function
    return inspect.unwrap(function)


class _Scope:
    """Where the names of an annotation are looked up, innermost first."""

    __slots__ = ("busy", "globals", "locals", "owner")

    def __init__(
        self,
        owner: type | None,
        globalns: Mapping[str, Any],
        localns: tuple[Mapping[str, Any], ...],
    ) -> None:
        self.owner = owner
        self.globals = globalns
        self.locals = localns
        self.busy: tuple[object, ...] = ()  # being converted: what names itself

    @classmethod
    def of_function(
        cls, function: Any, owner: type | None, localns: Mapping[str, Any] | None
    ) -> _Scope:
        module = sys.modules.get(getattr(function, "__module__", None) or "")
        globalns = getattr(function, "__globals__", None)
        if globalns is None:
            globalns = vars(module) if module else {}
        spaces: list[Mapping[str, Any]] = []
        if getattr(function, "__type_params__", ()):
            spaces.append({each.__name__: each for each in function.__type_params__})
        if localns:
            spaces.append(localns)
        spaces.append(_closure_of(function))
        return cls(owner, globalns, tuple(spaces))

    def within(self, module: object) -> _Scope:
        """For what a module says, itself or by name: its names, then these."""
        if isinstance(module, str):
            module = sys.modules.get(module)
        space = getattr(module, "__dict__", {})
        inner = _Scope(self.owner, space, (space, *self.locals, self.globals))
        inner.busy = self.busy
        return inner

    def evaluate(self, text: str) -> object:
        """The value of an annotation that is text."""
        names = _Names(self)
        if text.isidentifier() and text != "None":
            try:
                return names[text]
            except KeyError:
                pass
        try:
            return eval(text, self._real_globals(), names)
        except (NameError, AttributeError) as error:
            raise UnresolvedName(f"{text!r} cannot be resolved yet: {error}") from None
        except TypeError as error:
            raise TypeError(f"{text!r} cannot be evaluated: {error}") from None
        except SyntaxError as error:
            raise TypeError(
                f"{text!r} is no annotation: {error.msg}; accepted is an expression "
                "that gives a type"
            ) from None

    def _real_globals(self) -> dict[str, Any]:
        """As eval wants them, and does not change them."""
        space = self.globals
        if type(space) is dict and "__builtins__" in space:
            return space
        return dict(space)


class _Names(dict):  # type: ignore[type-arg]
    """The names of a scope as eval's local variables."""

    def __init__(self, scope: _Scope) -> None:
        self.scope = scope

    def __missing__(self, name: str) -> object:
        scope = self.scope
        owner = scope.owner
        if owner is not None:
            if name in owner.__dict__:
                return owner.__dict__[name]
            for each in getattr(owner, "__type_params__", ()):
                if each.__name__ == name:
                    return each
        for space in (*scope.locals, scope.globals):
            if name in space:
                return space[name]
        if owner is not None and name == owner.__name__:
            return owner
        builtins = scope.globals.get("__builtins__") or sys.modules["builtins"]
        space = builtins if isinstance(builtins, dict) else vars(builtins)
        return space[name]


def _closure_of(function: Any) -> dict[str, Any]:
    """The variables of the functions around it that it uses."""
    code = getattr(function, "__code__", None)
    cells = getattr(function, "__closure__", None)
    if code is None or not cells:
        return {}
    values = {}
    for name, cell in zip(code.co_freevars, cells):  # noqa: B905 (as long, by Python)
        try:
            values[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    return values


# ---------------------------------------------------------------- by the origin


def _convert(annotation: Any, scope: _Scope) -> Hint:
    kind = type(annotation)
    if kind is type and annotation.__module__ != "typing":
        return _instance(annotation)
    if annotation is None:
        return _instance(type(None))
    if kind is str:
        return _convert(scope.evaluate(annotation), scope)
    if kind is Hint:
        return annotation
    import typing

    if kind is typing.ForwardRef:
        return _convert_forward(annotation, scope)
    # P.args of a ParamSpec has P for its origin, and says nothing either.
    origin = typing.get_origin(annotation)
    if origin is None or kind.__name__ in ("ParamSpecArgs", "ParamSpecKwargs"):
        return _convert_simple(annotation, scope)
    return _convert_generic(annotation, origin, scope)


def _convert_forward(annotation: Any, scope: _Scope) -> Hint:
    if annotation.__forward_module__ is not None:
        scope = scope.within(annotation.__forward_module__)
    return _convert(scope.evaluate(annotation.__forward_arg__), scope)


def _form(annotation: Any) -> str | None:
    """Name of a special form, also of typing_extensions' own ones."""
    of = annotation if isinstance(annotation, type) else type(annotation)
    try:
        if of.__module__ not in ("typing", "typing_extensions"):
            return None
    except Exception:  # a metaclass of its own ways
        return None
    name = getattr(annotation, "_name", None) or getattr(annotation, "__name__", None)
    return name if isinstance(name, str) else None


_ANYTHING = {"Any", "ClassVar", "Final", "Unpack", "ParamSpec", "TypeVarTuple"}


def _convert_simple(annotation: Any, scope: _Scope) -> Hint:
    """Without parts: a class, a form, a variable, a name for another type."""
    kind = type(annotation).__name__
    if kind == "TypeVar":
        return _convert_variable(annotation, scope)
    if kind in ("ParamSpec", "TypeVarTuple", "ParamSpecArgs", "ParamSpecKwargs"):
        return _any
    if kind == "TypeAliasType":
        return _convert_alias(annotation, annotation, scope)
    if kind == "NewType" and hasattr(annotation, "__supertype__"):
        return _convert(annotation.__supertype__, scope)
    form = _form(annotation)
    if form in _ANYTHING:
        return _any
    if form == "Self":
        return _convert_self(scope)
    if form == "LiteralString":
        return _instance(str)
    if isinstance(annotation, type):
        return _convert_class(annotation, scope)
    if form in ("NoReturn", "Never"):
        raise TypeError(f"{form} accepts no value at all")
    if isinstance(annotation, tuple):
        raise TypeError(f"{annotation!r} is a tuple; one of several types is A | B")
    return _leave(annotation, _any)


def _convert_self(scope: _Scope) -> Hint:
    if scope.owner is None:
        raise UnresolvedName("Self is known only once the class is")
    return _instance(scope.owner)


def _convert_variable(variable: Any, scope: _Scope) -> Hint:
    """What it may be bound to at most."""
    scope = scope.within(variable.__module__)
    try:
        if variable.__constraints__:
            return _union(variable.__constraints__, scope)
        if variable.__bound__ is not None:
            return _convert(variable.__bound__, scope)
    except NameError as error:
        raise UnresolvedName(f"{variable!r}: {error}") from None
    return _any


def _convert_alias(alias: Any, annotation: Any, scope: _Scope) -> Hint:
    """`type Name = ...`; one that names itself is more than a hint can say."""
    if alias in scope.busy:
        raise _Recursive(alias)
    try:
        value = alias.__value__
    except NameError as error:
        raise UnresolvedName(f"{alias!r}: {error}") from None
    if annotation is not alias:
        value = _substituted(alias, value, annotation.__args__)
    inner = scope.within(getattr(alias, "__module__", None))
    return _guarded(alias, annotation, inner, lambda: _convert(value, inner))


def _substituted(alias: Any, value: Any, args: tuple[Any, ...]) -> Any:
    """The alias' value with `args` for its parameters, in the alias' order."""
    known = dict(zip(alias.__type_params__, args))  # noqa: B905 (defaults may follow)
    if type(value).__name__ == "TypeVar":
        return known.get(value, value)
    wanted = getattr(value, "__parameters__", ())
    return value[tuple(known.get(each, each) for each in wanted)] if wanted else value


class _Recursive(Exception):
    """A definition that contains itself."""


def _guarded(
    key: object, annotation: object, scope: _Scope, convert: Callable[[], Hint]
) -> Hint:
    before = scope.busy
    scope.busy = (*before, key)
    try:
        return convert()
    except _Recursive as error:
        if error.args[0] is not key:
            raise
        return _leave(annotation, _any)
    finally:
        scope.busy = before


def _convert_class(cls: type, scope: _Scope) -> Hint:
    if type(cls).__name__ == "_TypedDictMeta":
        return _convert_typed_dict(cls, scope)
    name = type.__dict__["__name__"].__get__(cls)  # whatever the metaclass says
    if name in ("IO", "TextIO", "BinaryIO") and cls.__module__ == "typing":
        return _convert_file(name)
    if cls.__dict__.get("_is_protocol") and not getattr(
        cls, "_is_runtime_protocol", False
    ):
        raise TypeError(
            f"the protocol {cls.__qualname__} cannot be asked about values; "
            "decorate it with @typing.runtime_checkable"
        )
    return _instance(cls)


def _convert_file(name: str) -> Hint:
    """No file that open() gives is an instance of typing's classes."""
    import io

    if name == "TextIO":
        return _instance(io.TextIOBase)
    if name == "IO":
        return _instance(io.IOBase)
    return Hint.union(_instance(io.RawIOBase), _instance(io.BufferedIOBase))


def _convert_generic(annotation: Any, origin: Any, scope: _Scope) -> Hint:
    """With parts, or a form of typing for a class, like List."""
    form = _form(origin)
    args = getattr(annotation, "__args__", None)
    if form == "Annotated":
        return _convert_annotated(annotation, scope)
    if form == "Literal":
        return _convert_literal(annotation)
    if form == "Union" or type(annotation).__name__ == "UnionType":
        return _union(args, scope)
    if form in ("Final", "ClassVar", "Required", "NotRequired", "ReadOnly"):
        return _convert(args[0], scope)
    if form in ("TypeGuard", "TypeIs"):
        return _instance(bool)
    if form in ("Unpack", "Concatenate"):
        return _any
    if type(origin).__name__ == "TypeAliasType":
        return _convert_alias(origin, annotation, scope)
    if not isinstance(origin, type):
        return _leave(annotation, _any)
    if args is None:  # List, Tuple and such, bare
        return _instance(origin)
    return _convert_container(annotation, origin, args, scope)


def _convert_literal(annotation: Any) -> Hint:
    values = tuple(_literal_values(annotation))
    for value in values:
        if type(value).__hash__ is None:
            raise TypeError(
                f"Literal cannot hold {value!r}, which has no hash; accepted are "
                "numbers, text, bytes, None, members of enumerations"
            )
    return Hint.literal(*values)


def _union(members: Any, scope: _Scope) -> Hint:
    return Hint.union(*[_convert(each, scope) for each in members])


def _literal_values(annotation: Any) -> Iterator[object]:
    for value in annotation.__args__:
        if _form(getattr(value, "__origin__", None)) == "Literal":
            yield from _literal_values(value)
        elif type(value).__name__ == "TypeAliasType":
            yield from _literal_values(value.__value__)
        else:
            yield value


# -------------------------------------------------------------------- containers


def _convert_container(
    annotation: Any, origin: type, args: tuple[Any, ...], scope: _Scope
) -> Hint:
    from collections import Counter, abc

    if origin is type:
        return _convert_type(args[0], scope)
    if origin is tuple:
        return _convert_tuple(annotation, args, scope)
    if origin is abc.Callable or origin in _origins_only():
        return _instance(origin)
    if origin is Counter:
        return Hint.mapping(origin, _convert(args[0], scope), _instance(int))
    if not _is_known(origin):
        return _convert_unknown(annotation, origin, args, scope)
    wanted = 2 if issubclass(origin, (abc.Mapping, abc.ItemsView)) else 1
    if len(args) != wanted:
        raise TypeError(
            f"{_text_of(annotation)} has {len(args)} type(s) inside, "
            f"{origin.__name__} takes {wanted}"
        )
    parts = [_convert(each, scope) for each in args]
    if issubclass(origin, abc.Mapping):
        return Hint.mapping(origin, *parts)
    return Hint.items(origin, parts[0] if wanted == 1 else Hint.fixed(tuple, *parts))


_lazy: dict[str, frozenset[type]] = {}  # both are set once, to what never changes


def _origins_only() -> frozenset[type]:
    """Classes whose elements cannot be seen without using them up."""
    if "origins" not in _lazy:
        import contextlib
        from collections import abc

        _lazy["origins"] = frozenset(
            (
                abc.Iterable,
                abc.Iterator,
                abc.Reversible,
                abc.Container,
                abc.Generator,
                abc.Awaitable,
                abc.Coroutine,
                abc.AsyncIterable,
                abc.AsyncIterator,
                abc.AsyncGenerator,
                contextlib.AbstractContextManager,
                contextlib.AbstractAsyncContextManager,
            )
        )
    return _lazy["origins"]


def _is_known(origin: type) -> bool:
    """Whether its parts are its elements, or its keys and values."""
    if "known" not in _lazy:
        import collections
        from collections import abc

        _lazy["known"] = frozenset(
            (
                list,
                dict,
                set,
                frozenset,
                collections.deque,
                collections.defaultdict,
                collections.OrderedDict,
                collections.ChainMap,
                abc.Collection,
                abc.Sequence,
                abc.MutableSequence,
                abc.Set,
                abc.MutableSet,
                abc.Mapping,
                abc.MutableMapping,
                abc.KeysView,
                abc.ValuesView,
                abc.ItemsView,
            )
        )
    return origin in _lazy["known"]


def _convert_unknown(
    annotation: Any, origin: type, args: tuple[Any, ...], scope: _Scope
) -> Hint:
    """A generic class of somebody else: of what, its instances do not tell."""
    if origin.__module__ == "typing" and origin.__name__ == "IO":
        return _convert_file({str: "TextIO", bytes: "BinaryIO"}.get(args[0], "IO"))
    base = _convert_class(origin, scope)
    if all(_says_nothing(each) for each in args):
        return base
    return _leave(annotation, base)


def _says_nothing(arg: Any) -> bool:
    if type(arg).__name__ in ("ParamSpec", "TypeVarTuple"):
        return True
    if type(arg).__name__ == "TypeVar":
        return not arg.__constraints__ and arg.__bound__ is None
    return arg is object or _form(arg) == "Any"


def _convert_type(arg: Any, scope: _Scope) -> Hint:
    of = _convert(arg, scope)
    try:
        return Hint.subclass(of)
    except TypeError:
        raise TypeError(
            f"type[{of.text}] cannot be told of a class; accepted are a class, a "
            "union of classes, Any"
        ) from None


def _is_unpacked(arg: Any) -> bool:
    return getattr(arg, "__unpacked__", False) or (
        _form(getattr(arg, "__origin__", None)) == "Unpack"
    )


def _flat(args: tuple[Any, ...]) -> Iterator[Any]:
    """The parts of a tuple, with unpacked fixed tuples in their place."""
    for arg in args:
        inner = arg
        if _is_unpacked(arg) and not getattr(arg, "__unpacked__", False):
            inner = arg.__args__[0]
        parts = getattr(inner, "__args__", None)
        if _is_unpacked(arg) and parts is not None and parts[-1:] != (...,):
            yield from _flat(parts)
        else:
            yield arg


def _convert_tuple(annotation: Any, args: tuple[Any, ...], scope: _Scope) -> Hint:
    if args == ((),):  # Tuple[()] until Python 3.10
        args = ()
    if len(args) == 2 and args[1] is ...:
        return Hint.items(tuple, _convert(args[0], scope))
    parts = list(_flat(args))
    spread = [i for i, each in enumerate(parts) if _is_unpacked(each)]
    if not spread:
        return Hint.fixed(tuple, *[_convert(each, scope) for each in parts])
    at = spread[0]
    head = tuple(_convert(each, scope) for each in parts[:at])
    tail = tuple(_convert(each, scope) for each in parts[at + 1 :])
    middle = _convert_spread(parts[at], scope)
    if not head and not tail:
        return Hint.items(tuple, middle)
    test = _Spread(head, middle, tail)
    return Hint.opaque(_instance(tuple), test, _text_of(annotation))


def _convert_spread(arg: Any, scope: _Scope) -> Hint:
    """The element of `*tuple[T, ...]`; anything for `*Ts`."""
    inner = arg if getattr(arg, "__unpacked__", False) else arg.__args__[0]
    parts = getattr(inner, "__args__", None)
    return _convert(parts[0], scope) if parts else _any


# ---------------------------------------------------------------------- predicates


class _Test:
    """A predicate that is known by what it was made of."""

    __slots__ = ("key",)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.key == other.key  # type: ignore

    def __hash__(self) -> int:
        return hash((type(self), self.key))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.key


class _Spread(_Test):
    """A tuple that begins and ends so, with any number of the others between."""

    __slots__ = ()

    def __init__(
        self, head: tuple[Hint, ...], middle: Hint, tail: tuple[Hint, ...]
    ) -> None:
        self.key = (head, middle, tail)

    def __call__(self, value: tuple[Any, ...]) -> bool:
        head, middle, tail = self.key
        last = len(value) - len(tail)
        if last < len(head):
            return False
        return (
            all(map(Hint.check, head, value))
            and all(map(Hint.check, tail, value[last:]))
            and all(map(middle.check, value[len(head) : last]))
        )


class _Field(_Test):
    """A dict that has this key, or need not have it, with such a value."""

    __slots__ = ()

    def __init__(self, name: str, hint: Hint, required: bool) -> None:
        self.key = (name, hint, required)

    def __call__(self, value: dict[str, Any]) -> bool:
        name, hint, required = self.key
        if name in value:
            return hint.check(value[name])
        return not required


class _Bearable(_Test):
    """beartype's answer."""

    __slots__ = ("is_bearable",)

    def __init__(self, annotation: Any) -> None:
        from beartype.door import is_bearable

        self.key = (annotation,)
        self.is_bearable = is_bearable

    def __hash__(self) -> int:
        try:
            return hash(self.key)
        except TypeError:
            return hash(repr(self.key))

    def __call__(self, value: object) -> bool:
        return self.is_bearable(value, self.key[0])


def _convert_annotated(annotation: Any, scope: _Scope) -> Hint:
    """Metadata that can be asked about a value is; the rest is no business of
    ours."""
    hint = _convert(annotation.__origin__, scope)
    for each in annotation.__metadata__:
        predicate = _predicate_of(each)
        if predicate is not None:
            hint = Hint.where(hint, predicate, _name_of_predicate(each))
    return hint


def _predicate_of(metadata: Any) -> Any:
    if isinstance(metadata, type):
        return None
    if type(metadata).__module__.startswith("beartype."):
        return getattr(metadata, "is_valid", None)
    test = getattr(metadata, "test", None)
    if callable(test):
        return test
    return metadata if callable(metadata) else None


def _name_of_predicate(metadata: Any) -> str:
    name = getattr(metadata, "__name__", None)
    return name if isinstance(name, str) else repr(metadata)


def _convert_typed_dict(cls: Any, scope: _Scope) -> Hint:
    if cls in scope.busy:
        raise _Recursive(cls)
    inner = scope.within(cls.__module__)
    return _guarded(cls, cls, inner, lambda: _fields_of(cls, inner))


def _fields_of(cls: Any, scope: _Scope) -> Hint:
    """A dict with one predicate for each key: one that wants more keys is narrower.

    Keys that it does not name may be there, as for type checkers.
    """
    hint = _instance(dict)
    try:
        annotations = cls.__annotations__
    except NameError as error:
        raise UnresolvedName(f"{cls.__qualname__}: {error}") from None
    for name, annotation in annotations.items():
        of = _convert(annotation, scope)
        required = _is_required(cls, name, annotation)
        mark = "" if required else "?"
        test = _Field(name, of, required)
        hint = Hint.where(hint, test, f"{name!r}{mark}: {of.text}")
    return hint


def _is_required(cls: Any, name: str, annotation: Any) -> bool:
    """Python sees a Required that is text only when it is evaluated."""
    text = getattr(annotation, "__forward_arg__", annotation)
    if isinstance(text, str):
        word = text.partition("[")[0].rpartition(".")[2].strip()
        if word in ("Required", "NotRequired"):
            return word == "Required"
    return name in cls.__required_keys__


def _text_of(annotation: object) -> str:
    text = annotation.__qualname__ if type(annotation) is type else repr(annotation)
    for module in ("typing.", "typing_extensions.", "collections.abc."):
        text = text.replace(module, "")
    return text


def _advice(annotation: Any) -> str:
    """What was meant, by what is written instead of it now and then."""
    if annotation is any:
        return "write typing.Any"
    if annotation is callable:
        return "write collections.abc.Callable"
    if type(annotation) is type(sys):
        return "write a class of that module"
    if type(annotation) in (tuple, list) and annotation:
        names = " | ".join(map(_text_of, annotation))
        return f"write {names}, or list[{names}]"
    if callable(annotation) and not hasattr(annotation, "__origin__"):
        return "write Annotated[T, test] for a test of values"
    return (
        "accepted are classes, unions, Literal, Annotated, the built-in containers as "
        "list[int], protocols"
    )


def _leave(annotation: Any, base: Hint) -> Hint:
    """To beartype, which also says what is no annotation at all."""
    text = _text_of(annotation)
    try:
        test = _Bearable(annotation)
    except ImportError:
        raise TypeError(
            f"{text} is nothing that latebind can check by itself; "
            f"{_advice(annotation)}; or install the package beartype, and whatever "
            "that accepts"
        ) from None
    from beartype.roar import BeartypeException

    try:
        test(None)
    except BeartypeException:
        raise TypeError(
            f"{text} is no annotation that can be checked; {_advice(annotation)}"
        ) from None
    return Hint.opaque(base, test, text)
