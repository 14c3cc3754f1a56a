"""The types of the public names, for type checkers and editors.

A file of its own, because `import latebind` must not import `typing`.

- `generic` keeps the declaration's parameters and result, so that calls of the
  generic function are checked against them.
- `dispatch` cannot: a checker sees one definition at a time.  Calls give Any.
- `register` returns the function itself.
"""

from collections.abc import Callable, Iterable, Mapping
from inspect import Signature
from types import TracebackType
from typing import (
    Any,
    Concatenate,
    Generic,
    Literal,
    ParamSpec,
    TypeAlias,
    TypedDict,
    TypeVar,
    final,
    type_check_only,
)
from typing import overload as _overload

from typing_extensions import Self, Unpack

__all__ = [
    "Ambiguity",
    "AmbiguityWarning",
    "AmbiguousMethodError",
    "Dispatcher",
    "Explanation",
    "GenericFunction",
    "Hint",
    "Method",
    "NextMethod",
    "NoMethodError",
    "UnresolvedName",
    "add_conversion_method",
    "add_promotion_rule",
    "conversion_method",
    "convert",
    "dispatch",
    "generic",
    "get_include",
    "group",
    "overload",
    "promote",
]

__version__: str

_P = ParamSpec("_P")
_Q = ParamSpec("_Q")
_R = TypeVar("_R", covariant=True)
_S = TypeVar("_S")
_T = TypeVar("_T")
_F = TypeVar("_F", bound=Callable[..., Any])

_Any: TypeAlias = (
    Callable[..., Any] | classmethod[Any, ..., Any] | staticmethod[..., Any]
)
_Order: TypeAlias = Literal[
    "symmetric",
    "lexicographic",
    "dylan",
    "weighted",
    "definition",
    "reverse_definition",
]
_Combination: TypeAlias = (
    Literal["standard", "first", "list", "sum", "and", "or", "append"]
    | Callable[[list[Any]], Any]
)
_Qualifier: TypeAlias = Literal["primary", "before", "after", "around"]
_Propagation: TypeAlias = Literal["start", "end"]
_Kind: TypeAlias = Literal[
    "any",
    "instance",
    "union",
    "literal",
    "items",
    "mapping",
    "fixed",
    "subclass",
    "where",
    "opaque",
]

@type_check_only
class _Options(TypedDict, total=False):
    """Of dispatch, generic and Dispatcher."""

    order: _Order
    combination: _Combination
    precedence: tuple[str, ...] | None
    strict: bool
    silent: bool
    convert_returns: bool
    name: str | None
    qualname: str | None
    module: str | None
    doc: str | None

@final
class Hint:
    """What an argument must be; equal hints are one object."""

    @classmethod
    def any(cls) -> Hint: ...
    @classmethod
    def instance(cls, of: type, /) -> Hint: ...
    @classmethod
    def by_type(cls, of: type, /) -> Hint: ...
    @classmethod
    def union(cls, *hints: Hint) -> Hint: ...
    @classmethod
    def literal(cls, *values: object) -> Hint: ...
    @classmethod
    def items(cls, of: type, element: Hint, /) -> Hint: ...
    @classmethod
    def mapping(cls, of: type, key: Hint, value: Hint, /) -> Hint: ...
    @classmethod
    def fixed(cls, of: type, /, *elements: Hint) -> Hint: ...
    @classmethod
    def subclass(cls, hint: Hint, /) -> Hint: ...
    @classmethod
    def where(
        cls,
        hint: Hint,
        predicate: Callable[[Any], object],
        name: str | None = None,
        /,
    ) -> Hint: ...
    @classmethod
    def opaque(cls, hint: Hint, test: Callable[[Any], bool], text: str, /) -> Hint: ...
    @property
    def text(self) -> str: ...
    # What it was made of.
    @property
    def kind(self) -> _Kind: ...
    @property
    def cls(self) -> type | None: ...
    @property
    def parts(self) -> tuple[Any, ...]: ...
    @property
    def predicate(self) -> Callable[[Any], object] | None: ...
    def split(self) -> tuple[tuple[Hint, Hint | None], ...]: ...
    def check(self, value: object, /) -> bool: ...
    def implies(self, other: Hint, /) -> bool: ...
    def disjoint(self, other: Hint, /) -> bool: ...
    def __copy__(self) -> Hint: ...
    def __deepcopy__(self, memo: object, /) -> Hint: ...

@final
class Method:
    """One implementation, with the signature that was read from it."""

    @property
    def function(self) -> Callable[..., Any]: ...
    @property
    def hints(self) -> Mapping[str, Hint]: ...
    @property
    def qualifier(self) -> _Qualifier: ...
    @property
    def source(self) -> str: ...
    @property
    def signature_text(self) -> str: ...
    @property
    def propagate(self) -> _Propagation | None: ...
    @property
    def commutative(self) -> bool: ...

@final
class NextMethod:
    """The rest of a call, which a method gets as `next_method`."""

    @property
    def method(self) -> Method | None: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    def __bool__(self) -> bool: ...

class Explanation:
    """Which method a call runs and why; `str()` of it is for people."""

    generic: GenericFunction[..., Any]
    call: str
    status: str
    chosen: Method | None
    chain: tuple[Method, ...]
    reached: tuple[Method, ...]
    rejected: tuple[tuple[Method, str, str | None], ...]
    inherits: str | None

class Ambiguity:
    """Two methods that both fit a call, and neither is more specific."""

    generic: GenericFunction[..., Any]
    first: Method
    second: Method
    witness: tuple[Any, ...]
    missing: tuple[Any, ...]
    possible: bool
    @property
    def code(self) -> str: ...
    @property
    def advice(self) -> str: ...
    @property
    def call(self) -> str: ...

@type_check_only
class _Bound(Generic[_P, _R]):
    @property
    def __self__(self) -> Any: ...
    @property
    def __func__(self) -> GenericFunction[..., Any]: ...
    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R: ...

# The base `property` stands here only, not at run time: it is what lets pyright
# accept several definitions of one name under `dispatch`.
class GenericFunction(property, Generic[_P, _R]):
    """A function whose calls choose among its methods by their arguments."""

    def __init__(self, name: str, **options: Any) -> None: ...
    __name__: str
    __qualname__: str
    __module__: str
    __doc__: str | None
    @property
    def __signature__(self) -> Signature: ...
    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R: ...
    @_overload
    def __get__(self, instance: None, owner: type, /) -> Self: ...
    @_overload
    def __get__(
        self: GenericFunction[Concatenate[Any, _Q], _S],
        instance: object,
        owner: type | None = None,
        /,
    ) -> _Bound[_Q, _S]: ...
    def __set_name__(self, owner: type, name: str, /) -> None: ...
    @property
    def methods(self) -> tuple[Method, ...]: ...
    counting: bool
    @property
    def counts(self) -> Mapping[Any, int] | None: ...
    # The types of single parameters may follow as keywords, by their names.  A
    # class is callable, too, so classes come first.
    @_overload
    def register(
        self, first: type, /, *more: type, **options: Any
    ) -> Callable[[_F], _F]: ...
    @_overload
    def register(self, hint: Any, fn: _F, /, **options: Any) -> _F: ...
    @_overload
    def register(self, one: Any, two: Any, fn: _F, /, **options: Any) -> _F: ...
    @_overload
    def register(
        self,
        fn: _F,
        /,
        *,
        qualifier: _Qualifier = ...,
        before: bool = ...,
        after: bool = ...,
        around: bool = ...,
        propagate: _Propagation | None = ...,
        commutative: bool = ...,
    ) -> _F: ...
    @_overload
    def register(self, *types: Any, **options: Any) -> Callable[[_F], _F]: ...
    def add(
        self, method: Callable[..., Any] | Method, /, *types: Any, **options: Any
    ) -> Method: ...
    def remove(self, *method_or_types: Any) -> None: ...
    def resolve(self, *types: Any, **keywords: Any) -> Method: ...
    def chain(self, *types: Any, **keywords: Any) -> tuple[Method, ...]: ...
    def explain(self, *args: Any, **kwargs: Any) -> Explanation: ...
    def explain_types(self, *types: Any, **keywords: Any) -> Explanation: ...
    def ambiguities(self) -> tuple[Ambiguity, ...]: ...
    def clone(self, name: str | None = None) -> Self: ...
    def map(self, first: Iterable[Any], /, *more: Iterable[Any]) -> list[_R]: ...
    def report(self) -> str: ...

# The class of what `dispatch` gives.  Mypy finds no bound form of `...` by itself.
@type_check_only
class _Dispatched(GenericFunction[..., Any]):
    @_overload
    def __get__(self, instance: None, owner: type, /) -> Self: ...
    @_overload
    def __get__(
        self, instance: object, owner: type | None = None, /
    ) -> _Bound[..., Any]: ...

@_overload
def dispatch(function: _Any, /) -> _Dispatched: ...
@_overload
def dispatch(
    function: None = None, /, **options: Unpack[_Options]
) -> Callable[[_Any], _Dispatched]: ...

# `dispatch` under the name that ruff can be told about (see docs/python.md).
overload = dispatch

@_overload
def generic(function: Callable[_P, _S], /) -> GenericFunction[_P, _S]: ...
@_overload
def generic(
    function: None = None, /, **options: Unpack[_Options]
) -> Callable[[Callable[_P, _S]], GenericFunction[_P, _S]]: ...

class Dispatcher:
    """Generic functions of a namespace of their own, by name."""

    def __init__(self, **options: Unpack[_Options]) -> None: ...
    @_overload
    def __call__(self, function: _Any, /) -> _Dispatched: ...
    @_overload
    def __call__(
        self, function: None = None, /, **options: Unpack[_Options]
    ) -> Callable[[_Any], _Dispatched]: ...
    def __contains__(self, name: str) -> bool: ...
    def __getitem__(self, name: str) -> GenericFunction[..., Any]: ...
    @property
    def functions(self) -> Mapping[str, GenericFunction[..., Any]]: ...

class group:
    """Definitions inside are published together, at the end."""

    def __init__(self, *, strict: bool = False) -> None: ...
    def __enter__(self) -> group: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

class NoMethodError(TypeError):
    generic: GenericFunction[..., Any]
    types: tuple[type, ...]
    nearest: tuple[Method, ...]

class AmbiguousMethodError(TypeError):
    generic: GenericFunction[..., Any]
    types: tuple[type, ...]
    candidates: tuple[Method, ...]

class AmbiguityWarning(UserWarning): ...
class UnresolvedName(NameError): ...

@_overload
def convert(value: Any, to: type[_T], /) -> _T: ...
@_overload
def convert(value: Any, to: Any, /) -> Any: ...
def conversion_method(from_: object, to: object) -> Callable[[_F], _F]: ...
def add_conversion_method(
    from_: object, to: object, function: Callable[[Any], Any]
) -> None: ...
def promote(*values: Any) -> tuple[Any, ...]: ...
def add_promotion_rule(first: Any, second: Any, common: Any) -> None: ...
def get_include() -> str: ...
