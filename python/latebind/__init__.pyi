"""The types of the public names, for type checkers and editors.

A file of its own, because `import latebind` must not import `typing`.

- `generic` keeps the declaration's parameters and result, so that calls of the
  generic function are checked against them.
- `dispatch` cannot: a checker sees one definition at a time.  Calls give Any.
- `register` returns the function itself.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from inspect import Signature
from typing import (
    Any,
    Concatenate,
    Generic,
    Literal,
    ParamSpec,
    TypeAlias,
    TypeVar,
    type_check_only,
)
from typing import overload as _overload

from typing_extensions import Self

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

class Method:
    """One implementation, with the signature that was read from it."""

    @property
    def function(self) -> Callable[..., Any]: ...
    @property
    def hints(self) -> Mapping[str, Any]: ...
    @property
    def qualifier(self) -> _Qualifier: ...
    @property
    def source(self) -> str: ...
    @property
    def signature_text(self) -> str: ...

class Explanation:
    """Which method a call runs and why; `str()` of it is for people."""

    @property
    def status(self) -> str: ...
    @property
    def chosen(self) -> Method | None: ...
    @property
    def chain(self) -> tuple[Method, ...]: ...
    @property
    def rejected(self) -> tuple[tuple[Method, str, str | int | None], ...]: ...

class Ambiguity:
    """Two methods that both fit a call, and neither is more specific."""

    @property
    def first(self) -> Method: ...
    @property
    def second(self) -> Method: ...
    @property
    def witness(self) -> tuple[type, ...]: ...
    @property
    def missing(self) -> tuple[Any, ...]: ...
    @property
    def code(self) -> str: ...

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
    @property
    def methods(self) -> tuple[Method, ...]: ...
    # The types of single parameters may follow as keywords, by their names.  A
    # class is callable, too, so classes come first.
    @_overload
    def register(
        self, first: type, /, *more: type, **options: Any
    ) -> Callable[[_F], _F]: ...
    @_overload
    def register(self, hint: Any, fn: _F, /) -> _F: ...
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
def dispatch(fn: _Any, /) -> _Dispatched: ...
@_overload
def dispatch(
    fn: None = None,
    /,
    *,
    order: _Order = ...,
    combination: _Combination = ...,
    precedence: tuple[str, ...] | None = ...,
    strict: bool = ...,
    silent: bool = ...,
    convert_returns: bool = ...,
    name: str | None = ...,
    qualname: str | None = ...,
    module: str | None = ...,
    doc: str | None = ...,
) -> Callable[[_Any], _Dispatched]: ...

# `dispatch` under the name that ruff can be told about (see docs/python.md).
overload = dispatch

@_overload
def generic(fn: Callable[_P, _S], /) -> GenericFunction[_P, _S]: ...
@_overload
def generic(
    fn: None = None,
    /,
    *,
    order: _Order = ...,
    combination: _Combination = ...,
    precedence: tuple[str, ...] | None = ...,
    strict: bool = ...,
    silent: bool = ...,
    convert_returns: bool = ...,
    name: str | None = ...,
    qualname: str | None = ...,
    module: str | None = ...,
    doc: str | None = ...,
) -> Callable[[Callable[_P, _S]], GenericFunction[_P, _S]]: ...

class Dispatcher:
    """Generic functions of a namespace of their own, by name."""

    def __init__(
        self,
        *,
        order: _Order = ...,
        combination: _Combination = ...,
        precedence: tuple[str, ...] | None = ...,
        strict: bool = ...,
        silent: bool = ...,
        convert_returns: bool = ...,
        module: str | None = ...,
    ) -> None: ...
    @_overload
    def __call__(self, fn: _Any, /) -> _Dispatched: ...
    @_overload
    def __call__(
        self,
        fn: None = None,
        /,
        *,
        order: _Order = ...,
        combination: _Combination = ...,
        precedence: tuple[str, ...] | None = ...,
        strict: bool = ...,
        silent: bool = ...,
        convert_returns: bool = ...,
        name: str | None = ...,
        qualname: str | None = ...,
        module: str | None = ...,
        doc: str | None = ...,
    ) -> Callable[[_Any], _Dispatched]: ...
    def __getitem__(self, name: str, /) -> GenericFunction[..., Any]: ...
    @property
    def functions(self) -> Mapping[str, GenericFunction[..., Any]]: ...

def group(*, strict: bool = ...) -> AbstractContextManager[None]: ...

class NoMethodError(TypeError):
    generic: GenericFunction[..., Any]
    types: tuple[type, ...]
    nearest: tuple[Method, ...]

class AmbiguousMethodError(TypeError):
    generic: GenericFunction[..., Any]
    types: tuple[type, ...]
    candidates: tuple[Method, ...]

class AmbiguityWarning(UserWarning): ...

def convert(value: Any, to: type[_T], /) -> _T: ...
def conversion_method(from_: Any, to: Any, /) -> Callable[[_F], _F]: ...
def add_conversion_method(from_: Any, to: Any, fn: Callable[[Any], Any], /) -> None: ...
def promote(*values: Any) -> tuple[Any, ...]: ...
def add_promotion_rule(first: Any, second: Any, common: Any, /) -> None: ...
def get_include() -> str: ...
