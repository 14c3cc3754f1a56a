"""Functions of several methods: a generic function of the engine each.

1. `register` only notes a method: its annotations are read at the next use, when
   the names in them exist. Until then the engine has no methods of the function,
   so that a call comes to `_failed`, which brings them and calls again.
2. The engine finds the methods that apply; at a miss it asks `_choose` for the
   most specific one, by plum's order. A hit runs no Python code of this file,
   except to convert a result to its return annotation.
3. When nothing fits, `_failed` goes on along the owner's bases, or raises.

Keywords choose nothing here: every method takes all of them, and its function
says if one is wrong.
"""

from __future__ import annotations

import contextlib
import functools
import operator
import os
import sys
import textwrap
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import latebind
from latebind import GenericFunction

from .._chooser import method_of
from ._method import Method, MethodList, extract_return_type
from ._resolver import NotFoundLookupError, Resolver, best
from ._signature import Signature, append_default_args, inspect_signature
from ._type import as_hint

__all__ = ["Function"]

_Pending = tuple[Callable[..., Any], "Signature | None", int]

#: Which class took the place of which one (after a module was loaded again).
_owner_transfer: dict[type, type] = {}


def _convert(value: Any, type_to: Any) -> Any:
    """`value` as one of `type_to`, which is a return annotation."""
    from ._promotion import convert

    return value if type_to is Any else convert(value, type_to)


def _choose(
    self: Function, classes: tuple[type, ...], methods: Sequence[latebind.Method]
) -> list[latebind.Method]:
    """The engine's question at a miss. No answer when it is ambiguous: `_failed`
    tells of it."""
    flat = [method for each in methods for method in each.tied or (each,)]
    engine_method = {id(method.peer): method for method in flat}
    found = best([method.peer for method in flat])
    return [engine_method[id(found[0])]] if len(found) == 1 else []


def _failed(
    self: Function, status: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    if self._stale:
        self._resolve_pending_registrations()
        return self(*args, **kwargs)
    try:
        method = self._resolver.resolve(args)
    except NotFoundLookupError as error:
        inherited = self._inherited()
        if inherited is None:
            raise error from None
    else:  # the engine could not know: a type that looks at more than the class
        return _caller(method)(*args, **kwargs)
    return inherited(*args, **kwargs)


def _caller(method: Method) -> Callable[..., Any]:
    """What a call of `method` runs: the implementation, with its result converted
    if it has a return annotation."""
    implementation, type_to = method.implementation, method.return_type
    if type_to is Any:
        return implementation
    from ._promotion import converter_to

    convert = converter_to(type_to)

    @functools.wraps(implementation)
    def converted(*args: Any, **kwargs: Any) -> Any:
        return convert(implementation(*args, **kwargs))

    return converted


def _engine_methods(methods: MethodList) -> list[latebind.Method]:
    found: dict[Any, latebind.Method] = {}
    for method in methods:
        signature = method.signature
        hints = tuple(map(as_hint, signature.types))
        rest = as_hint(signature.varargs) if signature.has_varargs else False
        known = found.get((hints, rest))
        if known is not None and known.peer.signature <= signature:
            continue  # as of `object` and `Any`, which differ in their order only
        made = method_of(_caller(method), hints, rest)
        made.peer = method
        found[hints, rest] = made
    return list(found.values())


class _Instances:
    """All functions there are, without keeping them alive."""

    def __init__(self) -> None:
        self._refs: list[weakref.ref[Function]] = []

    def append(self, function: Function) -> None:
        self._refs.append(weakref.ref(function, self._forget))

    def _forget(self, ref: weakref.ref[Function]) -> None:
        if ref in self._refs:
            self._refs.remove(ref)

    def __iter__(self) -> Iterator[Function]:
        found = [ref() for ref in self._refs]
        return iter([function for function in found if function is not None])

    def __getitem__(self, index: int) -> Function:
        return list(self)[index]

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def pop(self, index: int = -1) -> Function:
        function = self[index]
        self._forget(weakref.ref(function))
        return function


class _Own:
    """An attribute that a class has for itself, and another one per instance."""

    def __init__(self, of_class: Any, of_instance: Callable[[Any], Any]) -> None:
        self.of_class, self.of_instance = of_class, of_instance

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self.of_class if instance is None else self.of_instance(instance)

    def __set__(self, instance: Any, value: Any) -> None:
        instance._doc = value


class Function(GenericFunction, method_descriptor=True):
    """A function of several methods.

    Args:
        f: Gives name and documentation; it is no method by itself.
        owner: Name of the class that it belongs to.
        warn_redefinition: Warn when a method replaces another one.
    """

    _instances = _Instances()

    def __new__(
        cls,
        f: Callable[..., Any],
        owner: str | None = None,
        warn_redefinition: bool = False,
    ) -> Function:
        return super().__new__(cls, f.__name__, order=_choose, failed=_failed)

    def __init__(
        self,
        f: Callable[..., Any],
        owner: str | None = None,
        warn_redefinition: bool = False,
    ) -> None:
        self._f, self._doc, self._f_doc = f, f.__doc__, f.__doc__
        for name in ("__name__", "__qualname__", "__module__"):
            setattr(self, name, getattr(f, name, None))
        self._owner_name = owner
        self._owner: type | None = None
        self._warn_redefinition = warn_redefinition
        self._lock = threading.RLock()
        self._pending: list[_Pending] = []
        self._resolved: list[_Pending] = []
        self._resolver = self._new_resolver()
        self._stale = True  # the engine does not have our methods yet
        Function._instances.append(self)

    def _new_resolver(self) -> Resolver:
        shown = self.__qualname__.rpartition("<locals>.")[2]
        return Resolver(self.__name__, self._warn_redefinition, shown)

    # Where it belongs

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner = owner

    @property
    def owner(self) -> type | None:
        """The class that it belongs to."""
        if self._owner is None and self._owner_name is not None:
            self._owner = _look_up(self._f, self._owner_name)
        while self._owner in _owner_transfer:
            self._owner = _owner_transfer[self._owner]
        return self._owner

    def _inherited(self) -> Any:
        """The attribute of our name in the owner's bases, if it can be called;
        what `object` and `type` have does not count, nor what is abstract."""
        owner = self.owner
        for base in () if owner is None else owner.__mro__[1:]:
            if base in (object, type) or self.__name__ not in vars(base):
                continue
            found = vars(base)[self.__name__]
            # All arguments are passed on, the class's or the instance's, too.
            found = getattr(found, "__func__", found)
            abstract = getattr(found, "__isabstractmethod__", False)
            if found is not self and callable(found) and not abstract:
                return found
        return None

    # Methods

    def dispatch(
        self, method: Callable[..., Any] | None = None, precedence: int = 0
    ) -> Any:
        """Decorator: adds a method by its annotations."""
        if method is None:
            return functools.partial(self.dispatch, precedence=precedence)
        self.register(method, precedence=precedence)
        return self

    def dispatch_multi(self, *signatures: Signature | tuple[Any, ...]) -> Any:
        """Decorator: adds a method for each of the signatures."""
        from ._dispatcher import _checked

        return functools.partial(self._register_all, _checked(signatures))

    def _register_all(self, signatures: list[Any], method: Callable[..., Any]) -> Any:
        for signature in signatures:
            self.register(method, signature, signature.precedence)
        return self

    def register(
        self,
        f: Callable[..., Any],
        signature: Signature | None = None,
        precedence: int = 0,
    ) -> None:
        """Adds a method, for `signature` or for what its annotations say."""
        with self._lock:
            self._pending.append((f, signature, precedence))
            self._touch()

    def _touch(self) -> None:
        if not self._stale:
            self._stale = True
            self._replace(())

    def _resolve_pending_registrations(self) -> None:
        """Reads the annotations of what was registered, and hands all methods to
        the engine in one step."""
        with self._lock:
            made = [
                method for pending in self._pending for method in self._made(*pending)
            ]
            for method in made:
                self._resolver.register(method)
            self._resolved += self._pending
            self._pending = []
            if self._stale:
                self._replace(tuple(_engine_methods(self._resolver.methods)))
                self._stale = False

    def _made(
        self, f: Callable[..., Any], signature: Signature | None, precedence: int
    ) -> list[Method]:
        if signature is None:
            signature = Signature.from_callable(f, precedence=precedence)
        return_type = extract_return_type(f)
        return [
            Method(f, each, function_name=self.__name__, return_type=return_type)
            for each in append_default_args(signature, f)
        ]

    @property
    def methods(self) -> MethodList:
        """All methods."""
        self._resolve_pending_registrations()
        return self._resolver.methods

    def clear_cache(self, reregister: bool = True) -> None:
        """Forgets what calls found.

        Args:
            reregister: Also read all annotations again.
        """
        with self._lock:
            if reregister:
                self._pending = self._resolved + self._pending
                self._resolved = []
                self._resolver = self._new_resolver()
            self._touch()

    def clone(self, name: str | None = None) -> Function:
        """Another function with the same methods."""
        new = Function(self._f, self._owner_name, self._warn_redefinition)
        if name is not None:
            new.__name__ = name
            new._resolver = new._new_resolver()
        new._pending = self._resolved + self._pending
        return new

    # Choosing without calling

    def resolve_method(
        self, target: tuple[Any, ...] | Signature
    ) -> tuple[Callable[..., Any], Any]:
        """The implementation for arguments or for types, and its return type."""
        self._resolve_pending_registrations()
        try:
            method = self._resolver.resolve(target)
        except NotFoundLookupError:
            inherited = self._inherited()
            if inherited is None:
                raise
            if not isinstance(inherited, Function):
                return inherited, Any
            return inherited.resolve_method(target)
        return method.implementation, method.return_type

    def _resolve_method_with_cache(
        self,
        args: tuple[Any, ...] | Signature | None = None,
        types: tuple[type, ...] | None = None,
    ) -> tuple[Callable[..., Any], Any]:
        if args is None and types is None:
            raise ValueError("Arguments `args` and `types` cannot both be `None`.")
        return self.resolve_method(Signature(*types or ()) if args is None else args)

    def invoke(self, *types: Any) -> Callable[..., Any]:
        """The method for arguments of these types, to be called with any."""
        implementation, type_to = self.resolve_method(Signature(*types))

        @functools.wraps(self._f)
        def invoked(*args: Any, **kwargs: Any) -> Any:
            result = implementation(*args, **kwargs)
            return result if type_to is Any else _convert(result, type_to)

        invoked.__wrapped_method__ = implementation  # type: ignore[attr-defined]
        return invoked

    # Appearance

    @property
    def __signature__(self) -> Any:
        return inspect_signature(self._f)

    def _compute_doc(self) -> str | None:
        if os.environ.get("PLUM_SIMPLE_DOC", "0") == "1" or self._doc != self._f_doc:
            return self._doc
        with contextlib.suppress(NameError):  # of an annotation, not there yet
            self._resolve_pending_registrations()
        own = textwrap.dedent(_first_line_indented(self._doc)).strip()
        text = "\n\n".join(filter(None, [own, self._resolver.doc(exclude=self._f)]))
        width = max(map(len, text.splitlines()), default=0)
        return text.replace("<separator>", "-" * width) or None

    def __repr__(self) -> str:
        return (
            f"<multiple-dispatch function {self.__qualname__} "
            f"(with {len(self._resolver)} registered and "
            f"{len(self._pending)} pending method(s))>"
        )

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else _BoundFunction(self, instance)


Function._class_doc = Function.__doc__  # type: ignore[attr-defined]
Function.__doc__ = _Own(Function.__doc__, Function._compute_doc)  # type: ignore[assignment]


def _first_line_indented(text: str | None) -> str:
    """Documentation with its first line as far in as the second one."""
    if not text:
        return ""
    first, _, rest = text.partition("\n")
    lines = [line for line in rest.splitlines() if line.strip()]
    indent = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    return f"{' ' * indent}{first.lstrip()}\n{rest}"


def _look_up(f: Callable[..., Any], name: str) -> type | None:
    """The class of that qualified name where `f` was defined; None: not there."""
    found: Any = sys.modules.get(f.__module__)
    place = getattr(f, "__globals__", None) or getattr(found, "__dict__", {})
    first, *rest = name.split(".")
    found = place.get(first)
    for part in rest:
        found = getattr(found, part, None)
    return found if isinstance(found, type) else None


class _BoundFunction:
    """A function of a class, with the instance that comes first."""

    # `__call__` is an instance's slot: a call of this object finds a bound
    # method of the engine's object there, and no Python code runs in between.
    __slots__ = ("_f", "_instance", "_doc", "__call__", "__weakref__")

    def __init__(self, f: Function, instance: Any) -> None:
        self._f, self._instance, self._doc = f, instance, None
        self.__call__ = functools.partial(f, instance)

    def invoke(self, *types: Any) -> Callable[..., Any]:
        """The method for arguments of these types, to be called with any."""
        method = self._f.invoke(type(self._instance), *types)

        @functools.wraps(self._f._f)
        def invoked(*args: Any, **kwargs: Any) -> Any:
            return method(self._instance, *args, **kwargs)

        invoked.__wrapped_method__ = method  # type: ignore[attr-defined]
        return invoked

    def __getattr__(self, name: str) -> Any:
        return getattr(self._f, name)

    @property
    def __self__(self) -> Any:
        return self._instance

    @property
    def __func__(self) -> Function:
        return self._f

    def _compute_doc(self) -> str | None:
        return self._f.__doc__ if self._doc is None else self._doc

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _BoundFunction):
            return NotImplemented
        return self._f is other._f and self._instance is other._instance

    def __hash__(self) -> int:
        return hash((id(self._f), id(self._instance)))

    def __repr__(self) -> str:
        return f"<bound {self._f!r} of {self._instance!r}>"


_BoundFunction._class_doc = _BoundFunction.__doc__  # type: ignore[attr-defined]
_BoundFunction.__doc__ = _Own(  # type: ignore[assignment]
    _BoundFunction.__doc__, _BoundFunction._compute_doc
)
_BoundFunction.__module__ = _Own(  # type: ignore[assignment]
    __name__, operator.attrgetter("_f.__module__")
)
