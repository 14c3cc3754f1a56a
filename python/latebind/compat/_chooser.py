"""What the drop-ins stand on: a generic function with another package's rules.

A drop-in differs from latebind in which method it prefers, in what it says when
there is none, and in what counts towards the choice. All of that is asked only
when the engine meets types for the first time:

1. The engine looks the argument types up. On a hit it calls the method; no
   Python code of a drop-in runs.
2. On a miss it collects the methods that apply and calls `_choose`, which says
   which of them run and in what order. The answer is kept.
3. When nothing applies, or every method gave up, it calls `_fail`.

For the modules of this package only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MethodType
from typing import Any

from latebind import GenericFunction
from latebind._core import Hint, Method


class Chooser(GenericFunction):
    """A generic function whose subclass chooses among the methods."""

    # What a method raises to hand the call on to the next one.
    _hands_on: tuple[type[BaseException], ...] = ()
    _combination = "standard"

    def __new__(cls, *args: Any, **kwargs: Any) -> Chooser:
        return super().__new__(
            cls,
            args[0] if args and isinstance(args[0], str) else cls.__name__,
            order=cls._order_methods,
            failed=cls._fail,
            retry=cls._hands_on,
            combination=cls._combination,
            silent=True,
        )

    def _order_methods(
        self, types: tuple[type, ...], methods: tuple[Method, ...]
    ) -> Sequence[Method]:
        # Several that the engine takes for equal come as one that is `tied`.
        return self._choose(
            types, tuple(each for one in methods for each in one.tied or (one,))
        )

    def _choose(
        self, types: tuple[type, ...], methods: tuple[Method, ...]
    ) -> Sequence[Method]:
        """Those of `methods` that run for `types`, the first one first."""
        raise NotImplementedError

    def _fail(self, status: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What a call comes to that no method took."""
        raise NotImplementedError

    def _put(self, method: Method) -> None:
        """Adds a method; it replaces one of the same hints."""
        self._add((method,))

    def _first(self, *types: type) -> Method | None:
        """The method that runs for arguments of these types."""
        return self._resolve(types, None).method

    def _as_it_is(self, instance: Any, owner: type | None) -> Any:
        """What `__get__` gives where the original has none: an attribute of a class
        is called without the instance. `classmethod` alone puts the class in front,
        and until Python 3.13 does it by asking `__get__` for it.
        """
        binds = instance is not None and instance is owner
        return MethodType(self, owner) if binds else self

    def __set_name__(self, owner: type, name: str) -> None:
        """None of these functions goes on along the MRO of its class."""


def hint_of(cls: type) -> Hint | None:
    """By type alone: the originals ask issubclass, not isinstance."""
    return None if cls is object else Hint.by_type(cls)


def method_of(
    function: Callable[..., Any],
    hints: Sequence[Hint | None],
    rest: Hint | None | bool = False,
) -> Method:
    """A method chosen by its positional arguments alone.

    There must be as many as `hints`, more when `rest` is a hint for them (None:
    whatever they are). Keywords are passed on unseen.
    """
    count = len(hints)
    return Method(
        function,
        tuple(f"_{i}" for i in range(count)),
        tuple(hints),
        count,
        posonly=count,
        required=count,
        rest=rest,
        others=None,
    )
