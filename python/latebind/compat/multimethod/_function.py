"""`multimethod`, `multidispatch`, `multimeta`: generic functions of the engine.

1. A `multimethod` is a generic function of the engine that can also be read and
   written as a mapping from signatures to functions. The engine chooses; a call
   that finds its method in the table runs no Python code of this file.
2. The order is multimethod's own: by subset of types alone, so that two methods
   of a class's two bases are ambiguous. The engine asks `_choose` for it at a
   miss.
3. After a change the engine has no methods at all, until the next call comes to
   `_failed`, which evaluates annotations and hands all methods over in one step.
   Otherwise `_failed` says as `DispatchError` what is wrong.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import sys
import threading
import typing
import weakref
from collections.abc import (
    Callable,
    Iterable,
    Iterator,
    MutableMapping,
    Sequence,
)
from typing import Any

from latebind import GenericFunction, Method

from ._signature import (
    _named_method,
    _parameters,
    _positional_method,
    _Shape,
    signature,
)
from ._types import _ALIASES, hint_of, is_argument, subtype


class DispatchError(TypeError):
    """No method applies to the arguments, or several do equally well."""


def _documented(cls: Any) -> Any:
    cls.__doc__ = _Doc(cls.__doc__)
    return cls


class _Doc:
    """The class's own documentation, or that of an instance."""

    def __init__(self, text: str | None) -> None:
        self.text = text

    def __get__(self, instance: Any, owner: type | None = None) -> str | None:
        return self.text if instance is None else instance.docstring


def _is_less(left: tuple[Any, ...], right: tuple[Any, ...]) -> bool:
    """Is the key `left` at least as specific as `right`?"""
    return len(left) >= len(right) and all(map(issubclass, left, right))


def _least(keys: Iterable[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """The keys that no other one is more specific than."""
    keys = set(keys)
    return {
        key
        for key in keys
        if not any(_is_less(other, key) for other in keys if other != key)
    }


class _Seen:
    """The type tuples that calls came with; it keeps no class alive."""

    def __init__(self) -> None:
        self.refs: dict[tuple[weakref.ref[type], ...], None] = {}
        self.limit = 256

    def add(self, classes: Iterable[type]) -> None:
        self.refs[tuple(map(weakref.ref, classes))] = None
        if len(self.refs) > self.limit:
            self.refs = {tuple(map(weakref.ref, key)): None for key in self}
            self.limit = 2 * len(self.refs) + 256

    def __iter__(self) -> Iterator[tuple[type, ...]]:
        for refs in list(self.refs):
            classes = tuple(ref() for ref in refs)
            if None not in classes:
                yield typing.cast("tuple[type, ...]", classes)


def _choose(
    generic: Any, classes: tuple[type, ...], methods: Sequence[Method]
) -> list[Method]:
    """The engine's question at a miss: which of the methods that apply, in which
    order. None at all when several are equally good: `_failed` tells of it."""
    generic._seen.add(classes)
    flat = [method for each in methods for method in each.tied or (each,)]
    by_key = {method.key: method for method in flat}
    if (
        generic._prefers_exact and signature(classes) in by_key
    ):  # before a longer one's defaults
        by_key = {key: m for key, m in by_key.items() if len(key) <= len(classes)}
    chain: list[Method] = []
    while by_key:
        best = _least(by_key)
        if len({id(by_key[key].function) for key in best}) > 1:
            break  # what comes before them is sure
        chain += [by_key.pop(key) for key in best]
    return chain


def _failed(generic: Any, status: str, args: tuple[Any, ...], kwargs: Any) -> Any:
    if generic._stale:
        generic.evaluate()
        return generic(*args, **kwargs)
    raise generic._error(tuple(map(type, args)), generic._fitting(args, is_argument))


@_documented
class multimethod(GenericFunction):  # noqa: N801 - the peer's name
    """A generic function, and a mapping from signatures to its functions.

    As a decorator it adds to the multimethod of the same name where it stands.
    """

    _prefers_exact = True
    _rules: dict[signature, Callable[..., Any]]
    _pending: set[Callable[..., Any]]
    _seen: _Seen
    _stale: bool  # the engine has no methods; the next call brings them
    _lock: threading.RLock

    def __new__(cls, func: Any, /) -> Any:
        name = getattr(func, "__name__", "")
        known = sys._getframe(1).f_locals.get(name)
        if type(known) is cls and not isinstance(func, multimethod):
            return known
        return cls._create(func)

    @classmethod
    def _create(cls, func: Any) -> Any:
        called = getattr(func, "__name__", type(func).__name__)
        self = super().__new__(cls, called, order=_choose, failed=_failed)
        self.__name__ = called
        for name in ("__module__", "__qualname__"):
            if hasattr(func, name):
                setattr(self, name, getattr(func, name))
        self._rules, self._pending = {}, set()
        self._seen = _Seen()
        self._stale = True
        self._lock = threading.RLock()
        return self

    def __init__(self, func: Any, /) -> None:
        if isinstance(func, multimethod):
            self._rules.update(func._rules)
            self._pending |= func.pending
            self._touch()
        else:
            self.__wrapped__ = func
            self._define(func)

    def __set_name__(self, owner: type, name: str) -> None:
        """Nothing goes on along the bases of a class."""

    # Definitions

    def register(self, *args: Any) -> Any:
        """`register(func)` by its annotations, `register(*types)(func)`."""
        if len(args) == 1 and _is_function(args[0]):
            func = args[0]
            self._define(func)
            same = getattr(func, "__name__", None) == self.__name__
            return self if same else func
        return functools.partial(self._register_types, args)

    def _register_types(self, types: tuple[Any, ...], func: Any) -> Any:
        self[types] = func
        return func

    def _define(self, func: Callable[..., Any]) -> None:
        try:
            self[signature.from_hints(func)] = func
        except (NameError, AttributeError):  # a name that is not there yet
            self.pending.add(func)
            self._touch()

    @property
    def pending(self) -> set[Callable[..., Any]]:
        """The functions whose annotations could not be evaluated yet."""
        return self._pending

    # The engine's side

    def clean(self) -> None:
        """Forgets which types were seen."""
        self._seen.refs.clear()

    def _touch(self) -> None:
        """After a change: the next call makes the engine's methods anew."""
        with self._lock:
            self.clean()
            if not self._stale:
                self._stale = True
                self._replace(())

    def evaluate(self) -> None:
        """Evaluates annotations that named what did not exist yet, and hands
        everything to the engine, in one step."""
        with self._lock:
            for func in list(self.pending):
                self._rules[signature.from_hints(func)] = func
                self.pending.discard(func)
            if self._stale:
                # Of methods that are the same to the engine the last one counts.
                keys = sorted(self._rules, key=len)
                self._replace(
                    tuple(m for key in keys for m in self._made(key, self._rules[key]))
                )
                self._stale = False

    def _made(self, key: signature, func: Callable[..., Any]) -> Iterator[Method]:
        for method in self._methods_for(key, func):
            method.key = key
            yield method

    def _methods_for(
        self, key: signature, func: Callable[..., Any]
    ) -> Iterator[Method]:
        shape = _Shape(func)
        hints = [hint_of(tp) for tp in key]
        if shape.least > len(key):
            # Missing arguments may come by keyword; if not, it is our error.
            checked = functools.partial(_call_short, func)
            yield _positional_method(checked, hints, len(key), shape.least - 1)
        yield _positional_method(func, hints, shape.least, shape.most)

    @property
    def methods(self) -> tuple[Method, ...]:
        self.evaluate()
        return GenericFunction.methods.__get__(self)

    # Questions

    def parents(self, types: tuple[Any, ...]) -> set[tuple[Any, ...]]:
        """The most specific keys above `types`."""
        types = signature(types)
        return _least(
            key for key in self._rules if key != types and key.subtypes(*types)
        )

    def select(self, types: tuple[Any, ...]) -> Callable[..., Any]:
        """The function for arguments of these types, or DispatchError."""
        types = signature(types)
        return self._only(types, self._fitting(types, issubclass))

    def _only(
        self, types: tuple[Any, ...], keys: set[tuple[Any, ...]]
    ) -> Callable[..., Any]:
        """The one function that all `keys` have."""
        funcs = {id(self._rules[key]): self._rules[key] for key in keys}
        if len(funcs) != 1:
            raise self._error(tuple(types), keys)
        return next(iter(funcs.values()))

    def _fitting(
        self, values: tuple[Any, ...], check: Callable[[Any, Any], bool]
    ) -> set[tuple[Any, ...]]:
        """The most specific keys for types or arguments (`check` says which)."""
        return _least(
            key
            for key, func in self._rules.items()
            if _Shape(func).takes(len(values), len(key))
            and all(map(check, values, key))
        )

    def _error(self, types: tuple[Any, ...], keys: set[Any]) -> DispatchError:
        # Of one only the types fit: not the number of arguments, or a name.
        number = len(keys) if len(keys) > 1 else 0
        return DispatchError(f"{self.__name__}: {number} methods found", types, keys)

    def dispatch(self, *args: Any) -> Callable[..., Any]:
        """The function that a call with these arguments would run."""
        self.evaluate()
        return self._only(tuple(map(type, args)), self._fitting(args, is_argument))

    # The mapping

    def __getitem__(self, types: Any) -> Callable[..., Any]:
        key = signature(types)
        if key not in self._rules:
            self.evaluate()
        return self._rules[key] if key in self._rules else self.select(key)

    def __setitem__(self, types: Any, func: Callable[..., Any]) -> None:
        key = types if isinstance(types, signature) else signature(types)
        with self._lock:
            self._rules.pop(key, None)  # an equal key may require fewer
            self._rules[key] = func
        self._touch()

    def __delitem__(self, types: Any) -> None:
        del self._rules[signature(types)]
        self._touch()

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        seen = (signature(classes) for classes in self._seen)
        return iter(dict.fromkeys(itertools.chain(self._rules, seen)))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return True

    def __contains__(self, types: Any) -> bool:
        return types in set(self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, multimethod):
            return self._rules == other._rules
        return NotImplemented

    __hash__ = GenericFunction.__hash__  # the engine's tables want one
    keys = MutableMapping.keys
    values = MutableMapping.values
    items = MutableMapping.items
    pop = MutableMapping.pop

    def setdefault(self, types: Any, default: Any = None) -> Any:
        """Adds a function unless just these types have one; the one they have."""
        if signature(types) not in self._rules:
            self[types] = default
        return self._rules[signature(types)]

    def get(self, types: Any, default: Any = None) -> Any:
        return self._rules.get(signature(types), default)

    def clear(self) -> None:
        self._rules.clear()
        self.pending.clear()
        self._touch()

    def update(self, other: Any = (), /) -> None:
        for key, func in dict(other).items():
            self[key] = func

    def copy(self) -> Any:
        """Another one with the same functions."""
        new = type(self)._create(self)
        multimethod.__init__(new, self)
        return new

    def clone(self, name: str | None = None) -> Any:
        """The same, under another name."""
        new = self.copy()
        new.__name__ = self.__name__ if name is None else name
        return new

    @property
    def docstring(self) -> str:
        """The signature and documentation of every function that has one."""
        parts = []
        for func in dict.fromkeys([*self._rules.values(), *self.pending]):
            text = getattr(func, "__doc__", None)
            if text:
                parts.append(f"{_headline(func)}\n    {text.strip()}")
        return "\n\n".join(parts)


def _headline(func: Any) -> str:
    try:
        return f"{func.__name__}{inspect.signature(func)}"
    except (TypeError, ValueError):
        return str(func.__name__)


def _is_function(value: Any) -> bool:
    return callable(value) and not isinstance(
        value, (type, subtype, typing.NewType, *_ALIASES)
    )


def _call_short(func: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Calls a function with fewer positional arguments than it wants."""
    try:
        inspect.signature(func).bind(*args, **kwargs)
    except TypeError as error:
        code = getattr(func, "__code__", func)
        raise DispatchError(f"Function {code}") from error
    return func(*args, **kwargs)


@_documented
class multidispatch(multimethod):  # noqa: N801 - the peer's name
    """As functools.singledispatch: a first implementation, further ones by
    `register`. Arguments that come by keyword choose, too."""

    _prefers_exact = False  # an argument by keyword is none of the types asked

    def __new__(cls, func: Any, /) -> Any:
        return cls._create(func)

    def _define(self, func: Callable[..., Any]) -> None:
        if self._rules:
            super()._define(func)
        else:  # the base takes everything, whatever its annotations say
            self[()] = func

    def _methods_for(
        self, key: signature, func: Callable[..., Any]
    ) -> Iterator[Method]:
        params = _parameters(func)
        if len(_Shape(func).names) < len(key):
            yield from super()._methods_for(key, func)
        else:
            yield _named_method(func, params, [hint_of(tp) for tp in key])


class _Namespace(dict):
    """Of a class body in which every function is a multimethod."""

    def __setitem__(self, name: str, value: Any) -> None:
        if callable(value) and not isinstance(value, (type, multimethod)):
            known = self.get(name)
            if isinstance(known, multimethod):
                known._define(value)
                return
            func, value = value, multimethod._create(value)
            value.__init__(func)
        super().__setitem__(name, value)


class multimeta(type):  # noqa: N801 - the peer's name
    """The metaclass whose classes' functions are all multimethods."""

    @classmethod
    def __prepare__(mcls, name: str, bases: tuple[type, ...], **_: Any) -> Any:
        return _Namespace()

    def __new__(
        mcls, name: str, bases: tuple[type, ...], body: dict[str, Any], **options: Any
    ) -> Any:
        return super().__new__(mcls, name, bases, dict(body), **options)
