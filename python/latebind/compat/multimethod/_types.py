"""Types as classes: `subtype(list[int])`, and `parametric`.

`subtype` makes of a type hint a class whose isinstance and issubclass are as one
expects; a plain class stays itself. `hint_of` says the same to the engine, in
hints that C checks where it can.
"""

from __future__ import annotations

import abc
import collections
import collections.abc
import functools
import inspect
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, Literal, TypeVar, Union

from latebind import Hint

_ALIASES = (
    types.GenericAlias,
    type(typing.List[int]),  # noqa: UP006 - the class of such objects is meant
    types.UnionType,
)
_SUBCLASSABLE = 1 << 10  # CPython's Py_TPFLAGS_BASETYPE
_NO_VALUE = object()


def _bases_for(classes: Iterable[type]) -> tuple[type, ...]:
    """The classes that a stand-in for all of `classes` can really derive from."""
    shared = list(next(iter(classes)).__mro__)
    for cls in classes:
        shared = [base for base in shared if base in cls.__mro__]
    usable = [
        base
        for base in shared
        if base.__flags__ & _SUBCLASSABLE and type(base) in (type, abc.ABCMeta)
    ]
    return tuple(
        base
        for base in usable
        if not any(base is not other and base in other.__mro__ for other in usable)
    )


def _literal_key(values: Iterable[Any]) -> frozenset[Any] | tuple[str, ...]:
    values = tuple(values)
    try:
        return frozenset((type(value), value) for value in values)
    except TypeError:  # not hashable
        return tuple(map(repr, values))


def _simplify(tp: Any) -> Any:
    """`tp` without what says nothing about the class: names, bounds, metadata."""
    while True:
        if tp is Any:
            return object
        if isinstance(tp, TypeVar):
            if tp.__constraints__:
                tp = Union[tp.__constraints__]  # noqa: UP007 - from a tuple
            else:
                tp = object if tp.__bound__ is None else tp.__bound__
        elif isinstance(tp, typing.NewType):
            tp = tp.__supertype__
        elif hasattr(tp, "__metadata__") and typing.get_origin(tp) is typing.Annotated:
            tp = tp.__origin__
        elif type(tp).__name__ == "TypeAliasType":
            tp = tp.__value__
        else:
            return tp


class subtype(abc.ABCMeta):  # noqa: N801 - the peer's name
    """A class for `list[int]`, `int | str`, `Literal[...]`, ...: with instances
    and subclasses as one expects. A plain class is given back as it is."""

    __origin__: Any
    __args__: tuple[Any, ...]

    def __new__(mcls, tp: Any, *rest: Any, **options: Any) -> Any:
        if rest:  # a class statement that derives from one of us
            return super().__new__(mcls, tp, *rest, **options)
        tp = _simplify(tp)
        if isinstance(tp, (subtype, parametric)):
            return tp
        origin = typing.get_origin(tp)
        if origin is None:
            # The bare aliases of typing (typing.List) know what they stand for.
            bare = getattr(tp, "__origin__", None)
            return bare if isinstance(bare, type) and not _is_class(tp) else tp
        args = typing.get_args(tp)
        if origin in (Union, types.UnionType):
            return mcls._union(tp, args)
        if origin is Literal:
            bases = _bases_for([type(value) for value in args])
            return mcls._make(tp, origin, args, bases)
        if origin is type:
            return mcls._make(tp, origin, args, (type,))
        if origin is not tuple and all(isinstance(arg, TypeVar) for arg in args):
            return origin
        args = tuple(
            arg if arg is ... or isinstance(arg, list) else subtype(arg)
            for arg in (args[:-1] + args[-1:] if origin is not tuple else args)
        )
        return mcls._make(tp, origin, args, _bases_for([origin]))

    def __init__(cls, tp: Any, *rest: Any, **options: Any) -> None:
        pass

    @classmethod
    def _make(mcls, tp: Any, origin: Any, args: Any, bases: tuple[type, ...]) -> Any:
        text = repr(tp) if not isinstance(tp, type) else tp.__qualname__
        namespace = {"__origin__": origin, "__args__": args, "__module__": __name__}
        return abc.ABCMeta.__new__(mcls, text, bases, namespace)

    @classmethod
    def _union(mcls, tp: Any, members: Iterable[Any]) -> Any:
        parts = list(dict.fromkeys(subtype(member) for member in members))
        least = [
            part
            for part in parts
            if not any(other is not part and issubclass(part, other) for other in parts)
        ]
        if len(least) == 1:
            return least[0]
        bases = _bases_for([part for part in least])
        return mcls._make(tp, types.UnionType, tuple(least), bases)

    @property
    def _key(cls) -> Any:
        if "__origin__" not in cls.__dict__:
            return id(cls)
        if cls.__origin__ is Literal:
            return (Literal, _literal_key(cls.__args__))
        if cls.__origin__ is types.UnionType:
            return (types.UnionType, frozenset(cls.__args__))
        args = (tuple(a) if isinstance(a, list) else a for a in cls.__args__)
        return (cls.__origin__, tuple(args))

    def __eq__(cls, other: object) -> bool:
        if isinstance(other, subtype):
            return bool(cls._key == other._key)
        return NotImplemented

    def __hash__(cls) -> int:
        return hash(cls._key)

    def __subclasscheck__(cls, other: Any) -> bool:
        return _is_subset(other, cls)

    def __instancecheck__(cls, instance: Any) -> bool:
        if "__origin__" not in cls.__dict__:
            return cls in type(instance).__mro__
        check = _INSTANCE_CHECKS.get(cls.__origin__, _is_collection_of)
        return check(instance, cls)

    @staticmethod
    @functools.singledispatch
    def origins(cls: Any) -> Iterator[type]:
        """The classes whose instances have to be asked one by one for `cls`.

        For classes of your own that decide by the instance, register their
        metaclass: `subtype.origins.register(Meta, lambda cls: cls.__bases__)`.
        """
        return iter(())


def _is_class(tp: Any) -> bool:
    return isinstance(tp, type) and not isinstance(tp, types.GenericAlias)


def _subtype_origins(cls: Any) -> Iterator[type]:
    if "__origin__" not in cls.__dict__:
        return
    if cls.__origin__ is types.UnionType:
        nested = [list(subtype.origins(part)) for part in cls.__args__]
        if any(nested):
            for part, found in zip(cls.__args__, nested, strict=True):
                yield from found or [part]
    elif cls.__origin__ is Literal:
        yield from dict.fromkeys(type(value) for value in cls.__args__)
    elif cls.__origin__ is type:
        yield type
        yield from _ALIASES
        if any(isinstance(arg, typing.NewType) for arg in cls.__args__):
            yield typing.NewType
    else:
        yield cls.__origin__


def _is_subset(left: Any, right: subtype) -> bool:
    """Is every value of `left` (of any kind) certainly one of `right`?"""
    if left is right:
        return True
    if isinstance(left, typing.NewType):
        left = _simplify(left)
    if not _is_class(left):
        if typing.get_origin(left) is None:
            return False
        left = subtype(left)
    if "__origin__" not in right.__dict__:
        return right in getattr(left, "__mro__", ())
    made = isinstance(left, subtype) and "__origin__" in left.__dict__
    if made and left.__origin__ is types.UnionType:
        return all(issubclass(part, right) for part in left.__args__)
    if made and left.__origin__ is Literal:
        return all(isinstance(value, right) for value in left.__args__)
    if right.__origin__ is types.UnionType:
        return any(issubclass(left, part) for part in right.__args__)
    if not made or right.__origin__ is Literal:
        return any(
            _is_subset(base, right) for base in getattr(left, "__orig_bases__", ())
        )
    if not issubclass(left.__origin__, right.__origin__):
        return False
    return _are_args_subset(left, right)


def _are_args_subset(left: subtype, right: subtype) -> bool:
    """The same for two with origins that fit: the arguments, which are covariant."""
    mine, other = left.__args__, right.__args__
    if right.__origin__ is type:
        return _is_type_of(mine[0], other[0])
    if right.__origin__ is collections.abc.Callable:
        return _is_callable_subset(mine, other)
    if left.__origin__ is tuple:
        if right.__origin__ is not tuple:
            return all(issubclass(arg, other[0]) for arg in mine if arg is not ...)
        if len(other) == 2 and other[1] is ...:
            return all(issubclass(arg, other[0]) for arg in mine if arg is not ...)
        if len(mine) == 2 and mine[1] is ...:
            return False
        return len(mine) == len(other) and all(map(issubclass, mine, other))
    return len(mine) >= len(other) and all(map(issubclass, mine, other))


def _split_callable(args: tuple[Any, ...]) -> tuple[Any, Any]:
    """(parameters or ..., result) of the arguments of a Callable."""
    if len(args) == 2 and (args[0] is ... or isinstance(args[0], list)):
        return args[0], args[1]
    return list(args[:-1]), args[-1]


def _is_callable_subset(mine: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    params, result = _split_callable(mine)
    wanted, wanted_result = _split_callable(other)
    if not issubclass(subtype(result), subtype(wanted_result)):
        return False
    if wanted is ...:
        return True
    if params is ... or len(params) != len(wanted):
        return False
    return all(
        issubclass(subtype(want), subtype(have))
        for want, have in zip(wanted, params, strict=True)
    )


def _is_type_of(tp: Any, wanted: Any) -> bool:
    """Would every instance of `tp` (a class, alias or NewType) be a `wanted`?"""
    while isinstance(tp, typing.NewType):
        if tp is wanted:
            return True
        tp = tp.__supertype__
    if isinstance(wanted, typing.NewType):
        return False
    tp, wanted = subtype(tp), subtype(wanted)
    return isinstance(tp, type) and issubclass(tp, wanted)


def _is_type_instance(instance: Any, cls: Any) -> bool:
    kinds = (type, typing.NewType, *_ALIASES)
    return isinstance(instance, kinds) and _is_type_of(instance, cls.__args__[0])


def _is_literal(instance: Any, cls: Any) -> bool:
    return any(
        type(instance) is type(value) and (instance is value or instance == value)
        for value in cls.__args__
    )


def _is_in_union(instance: Any, cls: Any) -> bool:
    return any(isinstance(instance, part) for part in cls.__args__)


def _is_tuple_of(instance: Any, cls: Any) -> bool:
    if not isinstance(instance, tuple):
        return False
    args = cls.__args__
    if len(args) == 2 and args[1] is ...:
        return all(isinstance(value, args[0]) for value in instance)
    return len(instance) == len(args) and all(map(isinstance, instance, args))


def _is_callable_as(instance: Any, cls: Any) -> bool:
    """By the annotations of `instance`; what has none takes and gives anything."""
    if not callable(instance):
        return False
    try:
        hints = typing.get_type_hints(instance)
        params = inspect.signature(instance).parameters.values()
    except (TypeError, ValueError, NameError):
        hints, params = {}, ()
    takes = [
        hints.get(param.name, object)
        for param in params
        if param.kind in (param.POSITIONAL_ONLY, param.POSITIONAL_OR_KEYWORD)
    ]
    return _is_callable_subset((takes, hints.get("return", object)), cls.__args__)


def _is_collection_of(instance: Any, cls: Any) -> bool:
    origin, args = cls.__origin__, cls.__args__
    if not isinstance(instance, origin):
        return False
    if issubclass(origin, Generic):  # type: ignore[arg-type]
        made_by = getattr(instance, "__orig_class__", type(instance))
        return _is_subset(made_by, cls)
    if isinstance(instance, Iterator):  # looking would use it up
        return False
    if len(args) == 2 and isinstance(instance, Mapping):
        return all(
            isinstance(key, args[0]) and isinstance(value, args[1])
            for key, value in instance.items()
        )
    if len(args) != 1 or not isinstance(instance, Iterable):
        return False
    return all(isinstance(value, args[0]) for value in instance)


_INSTANCE_CHECKS: dict[Any, Callable[[Any, Any], bool]] = {
    types.UnionType: _is_in_union,
    Literal: _is_literal,
    type: _is_type_instance,
    tuple: _is_tuple_of,
    collections.abc.Callable: _is_callable_as,
}


class parametric(abc.ABCMeta):  # noqa: N801 - the peer's name
    """A class for the instances of `base` for which all `funcs` are true, and
    whose attributes have the given values."""

    base: type
    funcs: tuple[Callable[[Any], Any], ...]
    attrs: dict[str, Any]

    def __new__(
        mcls, base: type, *funcs: Callable[[Any], Any], **attrs: Any
    ) -> parametric:
        namespace = {"base": base, "funcs": funcs, "attrs": attrs}
        namespace["__module__"] = base.__module__
        bases = _bases_for([base])
        return super().__new__(mcls, base.__qualname__, bases, namespace)

    def __init__(cls, *funcs: Any, **attrs: Any) -> None:
        pass

    def __subclasscheck__(cls, other: Any) -> bool:
        if not isinstance(other, parametric):
            return cls in getattr(other, "__mro__", ())
        return (
            issubclass(other.base, cls.base)
            and set(cls.funcs) <= set(other.funcs)
            and all(
                other.attrs.get(name, _NO_VALUE) == value
                for name, value in cls.attrs.items()
            )
        )

    def __instancecheck__(cls, instance: Any) -> bool:
        return (
            isinstance(instance, cls.base)
            and all(func(instance) for func in cls.funcs)
            and all(
                getattr(instance, name, _NO_VALUE) == value
                for name, value in cls.attrs.items()
            )
        )

    def __and__(cls, other: parametric) -> parametric:
        base = cls.base if issubclass(cls.base, other.base) else other.base
        funcs = tuple(dict.fromkeys(cls.funcs + other.funcs))
        return parametric(base, *funcs, **{**cls.attrs, **other.attrs})


subtype.origins.register(subtype, _subtype_origins)
subtype.origins.register(parametric, lambda cls: iter((cls.base,)))

_ITEM_ORIGINS = {
    list,
    set,
    frozenset,
    collections.deque,
    collections.abc.Sequence,
    collections.abc.MutableSequence,
    collections.abc.Set,
    collections.abc.MutableSet,
}
_MAPPING_ORIGINS = {
    dict,
    collections.OrderedDict,
    collections.defaultdict,
    collections.abc.Mapping,
    collections.abc.MutableMapping,
}


def hint_of(tp: Any, by_instance: bool = False) -> Hint:
    """What the engine checks for a member of a signature: in C where it can.

    Classes count by issubclass; those of elements, or of all if `by_instance`, by
    isinstance: a metaclass may answer the two differently.
    """
    if tp is object or tp is ...:
        return Hint.any()
    origins = list(subtype.origins(tp))
    if not isinstance(tp, subtype) or "__origin__" not in tp.__dict__:
        if origins:
            return _hint_by_instance(tp, origins)
        return Hint.instance(tp) if by_instance else Hint.by_type(tp)
    origin, args = tp.__origin__, tp.__args__
    if origin is types.UnionType:
        return Hint.union(*(hint_of(each, by_instance) for each in args))
    if origin is Literal and not isinstance(_literal_key(args), tuple):
        return Hint.literal(*args)
    if origin is tuple:
        if len(args) == 2 and args[1] is ...:
            return Hint.items(tuple, hint_of(args[0], True))
        return Hint.fixed(tuple, *(hint_of(each, True) for each in args))
    if origin in _ITEM_ORIGINS:
        return Hint.items(origin, hint_of(args[0], True))
    if origin in _MAPPING_ORIGINS:
        return Hint.mapping(origin, *(hint_of(each, True) for each in args))
    return _hint_by_instance(tp, origins)


def is_argument(value: Any, tp: Any) -> bool:
    """The same in Python, for what is asked about a call."""
    if tp is object or tp is ...:
        return True
    by_instance = any(True for _ in subtype.origins(tp))
    return isinstance(value, tp) if by_instance else issubclass(type(value), tp)


def _hint_by_instance(tp: Any, origins: list[type]) -> Hint:
    base = Hint.union(*map(Hint.by_type, origins))
    return Hint.where(base, functools.partial(_is_instance, tp), tp.__name__)


def _is_instance(tp: Any, value: Any) -> bool:
    return isinstance(value, tp)
