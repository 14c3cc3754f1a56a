"""Dispatchers: generic functions by the types of all positional arguments.

1. A method has a signature: a tuple of classes, the last of which may be variadic.
2. The order of all signatures is made when a call first needs it, and ambiguities
   are told of then, once.
3. A call runs the method of just its types, or else the first one of that order
   whose signature fits; when it raises MDNotImplementedError, the next one.

The engine keeps 3 by the types of the call; see `_chooser.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any
from warnings import warn

from latebind import GenericFunction
from latebind._core import Hint, Method
from latebind.compat._chooser import Chooser, hint_of, method_of

from .conflict import AmbiguityWarning, ambiguities, ordering, super_signature
from .utils import expand_tuples
from .variadic import Variadic, isvariadic

# The engine answers for so many types; for more only when it is called.
MOST = 8

Signature = tuple[type, ...]
Function = Callable[..., Any]
OnAmbiguity = Callable[["Dispatcher", set[Any]], Any]


class MDNotImplementedError(NotImplementedError):
    """Raised by a method to hand the call on to the next one."""


# ---- ambiguities -------------------------------------------------------------


def ambiguity_warn(dispatcher: Dispatcher, ambiguities: set[Any]) -> None:
    """Warns of pairs of signatures between which nothing decides."""
    warn(warning_text(dispatcher.name, ambiguities), AmbiguityWarning, stacklevel=2)


def ambiguity_register_error_ignore_dup(
    dispatcher: Dispatcher, ambiguities: set[Any]
) -> None:
    """Makes ambiguous calls an error, but for arguments all of one class."""
    for pair in ambiguities:
        signature = tuple(super_signature(pair))
        if len(set(signature)) > 1:
            dispatcher.add(
                signature,
                RaiseNotImplementedError(dispatcher),
                on_ambiguity=ambiguity_register_error_ignore_dup,
            )


class RaiseNotImplementedError:
    """A method that says that the call is ambiguous."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(
            f"Ambiguous signature for {self.dispatcher.name}: "
            f"<{str_signature(map(type, args))}>"
        )


def str_signature(sig: Iterable[type]) -> str:
    """
    >>> str_signature((int, float))
    'int, float'
    """
    return ", ".join(cls.__name__ for cls in sig)


def warning_text(name: str, amb: Iterable[tuple[Signature, Signature]]) -> str:
    """Says which signatures are ambiguous, and which ones would decide."""
    amb = list(amb)
    lines = ["", f"Ambiguities exist in dispatched function {name}", ""]
    lines += [f"    [{str_signature(a)}] and [{str_signature(b)}]" for a, b in amb]
    lines += ["", "fit the same arguments, and neither goes first. These would decide:"]
    for pair in amb:
        decorator = f"@dispatch({str_signature(super_signature(pair))})"
        lines += ["", f"    {decorator}", f"    def {name}(...)"]
    return "\n".join(lines)


def halt_ordering() -> None:
    """Does nothing: orders are made when they are needed."""
    warn(
        "halt_ordering() does nothing any more; leave it out",
        DeprecationWarning,
        stacklevel=2,
    )


def restart_ordering(on_ambiguity: OnAmbiguity = ambiguity_warn) -> None:
    """Does nothing: orders are made when they are needed."""
    warn(
        "restart_ordering() does nothing any more; call reorder() of a dispatcher to "
        "be told of its ambiguities at once",
        DeprecationWarning,
        stacklevel=2,
    )


# ---- signatures --------------------------------------------------------------


def variadic_signature_matches_iter(
    types: Sequence[type], full_signature: Sequence[type]
) -> Iterator[bool]:
    """For each of `types` whether it fits, and at last whether they are enough."""
    *fixed, rest = full_signature
    yield from map(issubclass, types, fixed)
    yield from (issubclass(each, rest) for each in types[len(fixed) :])
    yield len(types) >= len(fixed)


def variadic_signature_matches(
    types: Sequence[type], full_signature: Sequence[type]
) -> bool:
    """Whether arguments of `types` fit a signature whose last class is variadic."""
    return all(variadic_signature_matches_iter(types, full_signature))


def variadic(signature: Sequence[type]) -> bool:
    """Whether a signature ends with a variadic class."""
    return bool(signature) and isvariadic(signature[-1])


def _fits(types: Sequence[type], signature: Signature) -> bool:
    if variadic(signature):
        return variadic_signature_matches(types, signature)
    return len(types) == len(signature) and all(map(issubclass, types, signature))


def _classes(name: str, signature: Sequence[Any]) -> Signature:
    """The signature as a tuple of classes, a list in the last place as Variadic."""
    if signature and isinstance(signature[-1], list):
        (*fixed, last) = signature
        if len(last) != 1:
            raise TypeError(
                f"{name}: a variadic signature ends with a list of one class, or of "
                f"one tuple of classes, such as [(int, str)]; not with {last!r}"
            )
        signature = (*fixed, Variadic[last[0]])
    for each in signature:
        if isinstance(each, list):
            raise TypeError(f"{name}: {each!r} must be the last of the signature")
        if not isinstance(each, type):
            text = ", ".join(getattr(cls, "__name__", str(cls)) for cls in signature)
            raise TypeError(
                f"{name}: Tried to dispatch on non-type {each!r} in the signature "
                f"<{text}>; it may have classes, tuples of them, and a list at its end"
            )
    return tuple(signature)


def _rest(signature: Signature) -> Hint | None | bool:
    """The hint for further arguments; False: none are taken."""
    if not variadic(signature):
        return False
    hints = [hint_of(cls) for cls in signature[-1].variadic_type]
    return None if None in hints else Hint.union(*hints)


# ---- dispatchers -------------------------------------------------------------


class Dispatcher(Chooser):
    """A function with methods by the types of its positional arguments."""

    _hands_on = (MDNotImplementedError,)
    _leading = 0  # arguments before those that count
    name = ""

    funcs: dict[Signature, Function]  # to be read, not changed
    doc: str | None

    def __init__(self, name: str, doc: str | None = None) -> None:
        self.name = self.__name__ = name
        self.doc = doc
        self.funcs = {}
        self._ordering: list[Signature] = []
        self._ranks: dict[Signature, int] = {}
        self._found: dict[Signature, Function] = {}  # by an overridden dispatch()

    def __init_subclass__(cls, **options: Any) -> None:
        """A class with a way of its own to find functions is called by that way."""
        ways = (cls.dispatch, cls.dispatch_iter)
        if (
            ways != (Dispatcher.dispatch, Dispatcher.dispatch_iter)
            and cls.__call__ is GenericFunction.__call__
        ):
            cls.__call__ = Dispatcher._call_by_dispatch  # type: ignore[method-assign]
        super().__init_subclass__(**options)  # goes by how it is called

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self._as_it_is(instance, owner)

    # Definitions.

    def register(self, *types: Any, **kwargs: Any) -> Callable[[Function], Function]:
        """A decorator that adds a function for these classes; see `dispatch`."""

        def define(func: Function) -> Function:
            self.add(types, func, **kwargs)
            return func

        return define

    def add(
        self,
        signature: Sequence[Any],
        func: Function,
        on_ambiguity: OnAmbiguity | None = None,
    ) -> None:
        """Adds a function for a signature, or for what its annotations say.

        With `on_ambiguity` the order is made at once.
        """
        if not signature:
            signature = self.get_func_annotations(func) or ()
        for each in expand_tuples(tuple(signature)):
            self._define(_classes(self.name, each), func)
        if on_ambiguity is not None:
            self.reorder(on_ambiguity)

    def _define(self, signature: Signature, func: Function) -> None:
        rest = _rest(signature)
        fixed = signature if rest is False else signature[:-1]
        hints = [None] * self._leading + [hint_of(cls) for cls in fixed]
        method = method_of(func, hints, rest)
        method.signature = signature
        self.funcs[signature] = func
        self._found = {}
        self._put(method)

    @classmethod
    def get_func_params(cls, func: Function) -> Iterable[inspect.Parameter]:
        """The parameters of `func` that a signature speaks of."""
        return list(inspect.signature(func).parameters.values())[cls._leading :]

    @classmethod
    def get_func_annotations(cls, func: Function) -> Signature | None:
        """The annotations of the positional parameters, if all have one."""
        annotations = tuple(
            each.annotation
            for each in cls.get_func_params(func)
            if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
        )
        return None if inspect.Parameter.empty in annotations else annotations

    # The order. It holds as long as no signature is added; none is ever taken away.

    @property
    def ordering(self) -> list[Signature]:
        """All signatures, the more specific before the less specific."""
        if len(self._ordering) != len(self.funcs):
            self.reorder()
        return self._ordering

    def reorder(self, on_ambiguity: OnAmbiguity = ambiguity_warn) -> list[Signature]:
        """Makes the order, and tells `on_ambiguity` of the ambiguous pairs."""
        self._ordering = list(self._order())
        ambiguous = ambiguities(self.funcs)
        if ambiguous:
            on_ambiguity(self, ambiguous)
        return self._ordering

    def _order(self) -> dict[Signature, int]:
        """The place of each signature; tells nobody anything."""
        ranks = self._ranks
        if len(ranks) != len(self.funcs):
            ranks = {each: i for i, each in enumerate(ordering(self.funcs))}
            self._ranks = ranks
        return ranks

    def _choose(
        self, types: tuple[type, ...], methods: tuple[Method, ...]
    ) -> Sequence[Method]:
        exact = types[self._leading :]
        if exact not in self.funcs:
            self.ordering  # noqa: B018  (tells of ambiguities, the first time)
        if len(methods) == 1:
            return methods
        ranks = self._order()
        return sorted(
            methods,
            key=lambda method: (method.signature != exact, ranks[method.signature]),
        )

    def _fail(self, status: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        text = f"{self.name}: <{str_signature(map(type, args[self._leading :]))}>"
        if status == "missing":
            self.ordering  # noqa: B018
            raise NotImplementedError(f"Could not find signature for {text}")
        raise NotImplementedError(
            f"Matching functions for {text} found, but none completed successfully"
        )

    def _call_by_dispatch(self, *args: Any, **kwargs: Any) -> Any:
        """A call for classes that override `dispatch` or `dispatch_iter`."""
        types = tuple(map(type, args[self._leading :]))
        found = self._found
        func = found.get(types) or self.dispatch(*types)
        if not func:
            return self._fail("missing", args, kwargs)
        found[types] = func
        try:
            return func(*args, **kwargs)
        except self._hands_on:
            for func in islice(self.dispatch_iter(*types), 1, None):
                try:
                    return func(*args, **kwargs)
                except self._hands_on:
                    pass
        return self._fail("failed", args, kwargs)

    # Questions.

    def dispatch(self, *types: type) -> Function | None:
        """The function that arguments of these types get, or None."""
        own_way = type(self).dispatch_iter is not Dispatcher.dispatch_iter
        if own_way and types in self.funcs:
            return self.funcs[types]
        if own_way or len(types) > MOST - self._leading:
            return next(self.dispatch_iter(*types), None)
        method = self._first(*(object,) * self._leading, *types)
        return None if method is None else method.function

    def dispatch_iter(self, *types: type) -> Iterator[Function]:
        """All functions that such arguments fit, the most specific first."""
        for signature in self.ordering:
            if _fits(types, signature):
                yield self.funcs[signature]

    def resolve(self, types: Sequence[type]) -> Function | None:
        """As `dispatch`, which should be used instead."""
        warn(
            "resolve() is deprecated, use dispatch(*types)",
            DeprecationWarning,
            stacklevel=2,
        )
        return self.dispatch(*types)

    def _help(self, *args: Any) -> str | None:
        return self.dispatch(*map(type, args)).__doc__

    def help(self, *args: Any, **kwargs: Any) -> None:
        """Prints the documentation of the function that `args` get."""
        print(self._help(*args))

    def _source(self, *args: Any) -> str:
        func = self.dispatch(*map(type, args))
        if func is None:
            raise TypeError(
                f"{self.name} has no function for <{str_signature(map(type, args))}>"
            )
        return source(func)

    def source(self, *args: Any, **kwargs: Any) -> None:
        """Prints the source of the function that `args` get."""
        print(self._source(*args))

    # As an object.

    @property
    def __doc__(self) -> str:
        parts = [f"Multiply dispatched method: {self.name}"]
        if self.doc:
            parts.append(self.doc)
        others = []
        for signature in reversed(self._order()):
            doc, text = self.funcs[signature].__doc__, str_signature(signature)
            if doc:
                title = f"Inputs: <{text}>"
                parts.append(f"{title}\n{'-' * len(title)}-\n{doc.strip()}")
            else:
                others.append(f"\n    {text}")
        if others:
            parts.append("Other signatures:" + "".join(others))
        return "\n\n".join(parts)

    def __repr__(self) -> str:
        return f"<dispatched {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.doc), self.__getstate__()

    def __getstate__(self) -> dict[str, Any]:
        return {"name": self.name, "doc": self.doc, "funcs": self.funcs}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.name = self.__name__ = state["name"]
        self.doc = state.get("doc")
        for signature, func in state["funcs"].items():
            self._define(signature, func)


class MethodDispatcher(Dispatcher, method_descriptor=True):
    """The same for the methods of a class: the first argument does not count."""

    _hands_on = ()
    _leading = 1

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return GenericFunction.__get__(self, instance, owner)


def source(func: Function) -> str:
    """The file and the source text of a function."""
    return f"File: {inspect.getsourcefile(func)}\n\n{inspect.getsource(func)}"
