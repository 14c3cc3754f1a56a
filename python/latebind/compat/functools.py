"""`functools.singledispatch` and `singledispatchmethod` on the engine of latebind.

Differences that a program may notice:

- What `singledispatch` returns is not a Python function (but has a function's
  attributes, binds and pickles like one).
- The type that counts is the argument's own, not the `__class__` that it claims.
- `register` on a class is seen by the very next call, also in other threads.

Everything else of `functools` can be imported from here, too.

How an implementation is found, on the first call with a class:

1. If the class itself is registered, that is it. Else the abstract classes that it
   belongs to without deriving from them are put into its method resolution order,
   behind the class that brings in what they stand for (the C3 merge, PEP 443).
2. The first registered class of that order is taken.
3. If both it and the one after it are such abstract classes, and the first does
   not derive from the second, nothing decides: RuntimeError.

A call of a known class costs a C function and no Python frame but the
implementation's, for functions and methods. Only what is registered as static or
class method is called through one frame more.
"""

from __future__ import annotations

import functools as _functools
import inspect as _inspect
import types as _types
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Union, get_args, get_origin, get_type_hints

from latebind._core import Hint, Method
from latebind.compat._chooser import Chooser, hint_of, method_of

__all__ = [*_functools.__all__]


def __getattr__(name: str) -> Any:
    return getattr(_functools, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_functools)})


# ---- the order of classes, with abstract ones --------------------------------


def _refuses(cls: type) -> bool:
    """Whether it is a protocol that issubclass cannot be asked about.

    It has attributes that are no methods, or is not made for run time. To functools
    `typing` then says whether the class is derived from it.
    """
    if not getattr(cls, "_is_protocol", False):
        return False
    try:
        issubclass(object, cls)
    except TypeError:
        return True
    return False


def _is_subclass(cls: type, base: type) -> bool:
    return base in cls.__mro__ if _refuses(base) else issubclass(cls, base)


def _is_derived(base: type, value: Any) -> bool:
    return base in type(value).__mro__


def _hint_of(cls: type) -> Hint | None:
    if not _refuses(cls):
        return hint_of(cls)
    return Hint.where(Hint.any(), _types.MethodType(_is_derived, cls), cls.__name__)


def _merge(sequences: Iterable[Sequence[type]]) -> list[type]:
    """One order that keeps all of `sequences`: C3."""
    left = [list(sequence) for sequence in sequences if sequence]
    order = []
    while left:
        first = _first_free(left)
        order.append(first)
        for sequence in left:
            if sequence[0] is first:
                del sequence[0]
        left = [sequence for sequence in left if sequence]
    return order


def _first_free(sequences: list[list[type]]) -> type:
    """The first head that nothing else must precede."""
    behind = {cls for sequence in sequences for cls in sequence[1:]}
    for sequence in sequences:
        if sequence[0] not in behind:
            return sequence[0]
    heads = ", ".join(sequence[0].__name__ for sequence in sequences)
    raise RuntimeError(f"no order of classes keeps all of these: {heads}")


def _with_abstract(cls: type, abstract: Sequence[type]) -> list[type]:
    """The order of `cls`, with each of `abstract` where it comes in."""
    bases = cls.__bases__
    brings = [
        new
        for new in abstract
        if _is_subclass(cls, new) and not any(_is_subclass(base, new) for base in bases)
    ]
    others = [later for later in abstract if later not in brings]
    # What the class brings comes behind the abstract classes that it names.
    split = max(
        (i for i, base in enumerate(bases, 1) if hasattr(base, "__abstractmethods__")),
        default=0,
    )
    groups = [bases[:split], brings, bases[split:]]
    orders = [_with_abstract(each, others) for group in groups for each in group]
    return _merge([[cls], *orders, *groups])


def _useful(cls: type, registered: Collection[type]) -> list[type]:
    """The abstract classes to put into the order of `cls`.

    Of those registered the most derived ones, with the subclasses of them that
    `cls` belongs to as well: they decide which comes first.
    """
    own = set(cls.__mro__)
    fitting = [
        each
        for each in registered
        if each not in own and hasattr(each, "__mro__") and _is_subclass(cls, each)
    ]
    lowest = [
        each
        for each in fitting
        if not any(other is not each and each in other.__mro__ for other in fitting)
    ]
    wanted = set(lowest)
    useful: dict[type, None] = {}
    for each in lowest:
        below = [
            [base for base in sub.__mro__ if base in wanted]
            for sub in each.__subclasses__()
            if sub not in own and _is_subclass(cls, sub)
        ]
        for bases in sorted(below or [[each]], key=len, reverse=True):
            useful.update(dict.fromkeys(bases))
    return list(useful)


def _order_of(cls: type, registered: Collection[type]) -> Sequence[type]:
    useful = _useful(cls, registered)
    return _with_abstract(cls, useful) if useful else cls.__mro__


def _best(cls: type, registered: Collection[type]) -> type:
    """The registered class whose implementation `cls` gets."""
    if cls in registered:
        return cls
    order = iter(_order_of(cls, registered))
    best = next((each for each in order if each in registered), object)
    rival = next(order, best)
    own = cls.__mro__
    if (
        rival in registered
        and rival not in own
        and best not in own
        and not _is_subclass(best, rival)
    ):
        raise RuntimeError(f"Ambiguous dispatch: {best} or {rival}")
    return best


# ---- what `register` takes ---------------------------------------------------

_UNIONS = {Union, getattr(_types, "UnionType", Union)}


def _is_class(cls: Any) -> bool:
    return isinstance(cls, type) and not isinstance(cls, _types.GenericAlias)


def _classes_of(cls: Any) -> tuple[type, ...]:
    """The classes that `cls` names: itself, or a union's; none if it is neither."""
    if _is_class(cls):
        return (cls,)
    if get_origin(cls) in _UNIONS:
        members = get_args(cls)
        if all(map(_is_class, members)):
            return members
    return ()


def _annotated(function: Any) -> tuple[type, ...]:
    """The classes that the first annotation of `function` names."""
    if not getattr(function, "__annotations__", {}):
        raise TypeError(
            f"Invalid first argument to `register()`: {function!r}. Use either "
            "`@register(some_class)` or plain `@register` on an annotated function."
        )
    name, cls = next(iter(get_type_hints(function).items()))
    classes = _classes_of(cls)
    if not classes:
        what = (
            "not all arguments are classes"
            if get_origin(cls) in _UNIONS
            else "is not a class"
        )
        raise TypeError(f"Invalid annotation for {name!r}. {cls!r} {what}.")
    return classes


# ---- functions ---------------------------------------------------------------


class _Single(Chooser):
    """Chooses by the class of the one argument at `place`."""

    _place = 0

    def _choose(
        self, types: tuple[type, ...], methods: tuple[Method, ...]
    ) -> Sequence[Method]:
        by_class = {method.cls: method for method in methods}
        return (by_class[_best(types[self._place], by_class)],)

    def _fail(self, status: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        name = getattr(self, "__name__", "singledispatch function")
        raise TypeError(f"{name} requires at least 1 positional argument")

    def _set(self, cls: type, function: Callable[..., Any]) -> None:
        hints = [None] * self._place + [_hint_of(cls)]
        method = method_of(function, hints, None)
        method.cls = cls
        self._put(method)

    def _clear_cache(self) -> None:
        """Forgets what earlier calls found."""
        method = self.methods[0]
        self._remove(method)
        self._put(method)

    @property
    def __signature__(self) -> _inspect.Signature:
        return _inspect.signature(self.__wrapped__)


class _SingleDispatch(_Single):
    """A function with implementations by the class of its first argument."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._functions: dict[type, Callable[..., Any]] = {}
        self._listener: singledispatchmethod | None = None
        self.registry = _types.MappingProxyType(self._functions)
        _functools.update_wrapper(self, function)
        self._implement(object, function)

    def _implement(self, cls: type, function: Callable[..., Any]) -> None:
        self._set(cls, function)
        self._functions[cls] = function
        if self._listener is not None:
            self._listener._implement(cls, function)

    def dispatch(self, cls: type) -> Callable[..., Any]:
        """The implementation that an instance of `cls` gets.

        For `list[int]` and the like it is that of object, as there.
        """
        if isinstance(cls, _types.GenericAlias):
            return self._functions[object]
        if not isinstance(cls, type):
            raise TypeError(f"{self.__name__}.dispatch() takes a class, not {cls!r}")
        if any(map(_refuses, self._functions)):
            return self._functions[_best(cls, self._functions)]
        return self._first(cls).function

    def register(self, cls: Any, func: Callable[..., Any] | None = None) -> Any:
        """Adds an implementation for `cls`: a class, a union of classes, or a
        function, whose first annotation says it. Without `func`: a decorator.
        """
        classes = _classes_of(cls)
        if classes and func is None:
            return lambda func: self.register(cls, func)
        if func is None:
            func, classes = cls, _annotated(cls)
        elif not classes:
            raise TypeError(
                f"Invalid first argument to `register()`. {cls!r} is not a class or "
                "union type."
            )
        for each in classes:
            self._implement(each, func)
        return func

    def __reduce__(self) -> str:
        return self.__qualname__

    def __repr__(self) -> str:
        return f"<function {self.__qualname__} at {id(self):#x}>"


def singledispatch(func: Callable[..., Any]) -> _SingleDispatch:
    """Makes a function that has an implementation per class of its first argument."""
    return _SingleDispatch(func)


# ---- methods -----------------------------------------------------------------


def _bindable(function: Any) -> Callable[..., Any]:
    """What to call with the instance first, whatever `function` binds to."""
    if isinstance(function, _types.FunctionType):
        return function

    def call(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        return _bound(function, self, type(self))(*args, **kwargs)

    return call


def _bound(function: Any, instance: Any, owner: type) -> Callable[..., Any]:
    bind = getattr(type(function), "__get__", None)
    return bind(function, instance, owner) if bind else function


class singledispatchmethod(_Single, method_descriptor=True):  # noqa: N801
    """A method with implementations by the class of its first argument after self.

    Takes functions, static and class methods, and other descriptors.
    """

    _place = 1

    def __init__(self, func: Any) -> None:
        if not callable(func) and not hasattr(func, "__get__"):
            raise TypeError(f"{func!r} is not callable or a descriptor")
        self.func = func
        self.dispatcher = singledispatch(func)
        _functools.update_wrapper(self, func)
        self._implement(object, func)
        self.dispatcher._listener = self

    def _implement(self, cls: type, function: Any) -> None:
        self._set(cls, _bindable(function))

    def register(self, cls: Any, method: Any = None) -> Any:
        """As the `register` of a singledispatch function."""
        return self.dispatcher.register(cls, func=method)

    def __get__(self, obj: Any, cls: type | None = None) -> Callable[..., Any]:
        if obj is not None:
            return _types.MethodType(self, obj)

        def by_class(*args: Any, **kwargs: Any) -> Any:
            if not args:
                self._fail("missing", args, kwargs)
            function = self.dispatcher.dispatch(type(args[0]))
            return _bound(function, None, cls)(*args, **kwargs)

        _functools.update_wrapper(by_class, self.func)
        by_class.register = self.register
        by_class.__isabstractmethod__ = self.__isabstractmethod__
        return by_class

    @property
    def __isabstractmethod__(self) -> bool:
        return getattr(self.func, "__isabstractmethod__", False)
