"""The extension.  What is public is declared in __init__.pyi."""

from collections.abc import Callable
from typing import Any, final

from latebind import GenericFunction as GenericFunction
from latebind import Hint as Hint
from latebind import Method as Method
from latebind import NextMethod as NextMethod

_C_API: object  # a capsule, for latebind/python.h

Link = Any
Choice = Any

class UnboundGenericFunction(GenericFunction[..., Any]):
    """Of class and static methods."""

class Object:
    """An object of a class that was made in C."""

    def __getattr__(self, name: str, /) -> Any: ...
    def __setattr__(self, name: str, value: Any, /) -> None: ...
    def __delattr__(self, name: str, /) -> None: ...

@final
class TypedGenericFunction:
    """A generic function that was made in C."""

    @property
    def __name__(self) -> str: ...
    @property
    def __qualname__(self) -> str: ...
    @property
    def signature_text(self) -> str: ...
    @property
    def methods(self) -> tuple[Method, ...]: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    def register(self, *given: Any, **keywords: Any) -> Any: ...
    def remove(self, *method_or_types: Any) -> None: ...
    def explain(self, *args: Any) -> str: ...

def set_hooks(**hooks: Callable[..., Any]) -> None: ...
def statistics() -> dict[str, int]: ...
