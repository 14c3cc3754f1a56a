"""How generic functions come to be: dispatch, generic, Dispatcher, group."""

from __future__ import annotations

import sys

from latebind._core import GenericFunction
from latebind._generic import (
    add_function,
    check_binding,
    check_function,
    check_options,
    current_group,
    define,
    local_of,
    locals_for,
    publish_group,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType, TracebackType
    from typing import Any


def _home(function: Any) -> tuple[str, str]:
    """Where a function belongs: (module, qualified name)."""
    inner = getattr(function, "__func__", function)
    return (
        getattr(inner, "__module__", None) or "__main__",
        getattr(inner, "__qualname__", None) or getattr(inner, "__name__", "f"),
    )


def _unwrapped(found: Any) -> Any:
    """What a decorator above @dispatch was given: the generic function, if the
    decorator says so (functools.wraps, lru_cache)."""
    for _ in range(20):
        if isinstance(found, GenericFunction):
            break
        if isinstance(found, (classmethod, staticmethod)):
            found = found.__func__
        else:
            attributes = getattr(found, "__dict__", None)
            if type(attributes) is not dict or "__wrapped__" not in attributes:
                break
            found = attributes["__wrapped__"]
    return found


def _in_namespace(frame: FrameType, function: Any) -> GenericFunction | None:
    """The generic function of the same name and home in the namespace of `frame`."""
    inner = getattr(function, "__func__", function)
    found = _unwrapped(local_of(frame, getattr(inner, "__name__", "")))
    if isinstance(found, GenericFunction) and _home(found) == _home(function):
        return found
    return None


def _dispatch(function: Any, frame: FrameType, options: dict[str, Any]) -> Any:
    check_function(function)
    generic = _in_namespace(frame, function)
    if generic is None:
        generic = define(function, options)
    else:
        check_binding(generic, function, True)
        if options:
            raise TypeError(
                f"{generic.__qualname__} exists: its options belong to its first "
                "definition"
            )
    add_function(generic, function, localns=locals_for(function, frame))
    return generic


def dispatch(function: Any = None, /, *types: Any, **options: Any) -> Any:
    """Collect the definitions of one name in one namespace to a generic function.

    Each definition is a method for what its annotations say. Options (order,
    combination, precedence, strict, silent, convert_returns, name, qualname, module,
    doc) stand at the first definition: `@dispatch(order="lexicographic")`.
    """
    check_options(options)
    if types:
        check_function(function, *types)
    frame = sys._getframe(1)
    if function is not None:
        return _dispatch(function, frame, options)
    return lambda function: _dispatch(function, frame, options)


_RAISES = {"LOAD_GLOBAL", "LOAD_CONST", "CALL", "CALL_FUNCTION", "RAISE_VARARGS"}
_NOISE = {"RESUME", "NOP", "CACHE", "PRECALL", "PUSH_NULL", "COPY_FREE_VARS"}


def _is_declaration(function: Any) -> bool:
    """True when the body is nothing that could be meant to run: `...`, only a
    documentation string, or a raise of NotImplementedError."""
    code = getattr(function, "__code__", None)
    if code is None or len(code.co_code) > 60 or len(code.co_names) > 1:
        return False
    import dis

    steps = [one for one in dis.get_instructions(code) if one.opname not in _NOISE]
    if code.co_names == ("NotImplementedError",):
        return {one.opname for one in steps} <= _RAISES
    if code.co_names or any(one.argval is not None for one in steps[:1]):
        return False
    if {one.opname for one in steps} - {"LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}:
        return False
    return function.__doc__ is not None or _says_nothing(function)


def _says_nothing(function: Any) -> bool:
    """`...` and `pass` compile to the same; without the source it is `...`."""
    import inspect

    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):
        return True
    return not source.rstrip().endswith(("pass", "return", "return None"))


def generic(function: Any = None, /, **options: Any) -> Any:
    """Make a generic function from its first definition.

    The definition is its first method, unless its body is only `...`, a documentation
    string or `raise NotImplementedError`. More are added by `register`.
    """
    check_options(options)
    frame = sys._getframe(1)
    if function is not None:
        return _generic(function, frame, options)
    return lambda function: _generic(function, frame, options)


def _generic(function: Any, frame: FrameType, options: dict[str, Any]) -> Any:
    made = define(function, options)
    inner = getattr(function, "__func__", function)
    made.__dict__["declaration"] = inner
    if not _is_declaration(inner):
        add_function(made, function, localns=locals_for(function, frame))
    return made


class Dispatcher:
    """Generic functions of a namespace of their own, by name.

    `d = Dispatcher(); @d` on a function collects; d["name"] is the generic function.
    Options given here hold for all of its functions.
    """

    def __init__(self, **options: Any) -> None:
        check_options(options)
        self._options = options
        self._functions: dict[str, GenericFunction] = {}

    def __call__(self, function: Any = None, /, *types: Any, **options: Any) -> Any:
        check_options(options)
        if types:
            check_function(function, *types)
        if function is None:
            return lambda function: self(function, **options)
        check_function(function)
        inner = getattr(function, "__func__", function)
        name = options.get("name") or inner.__name__
        made = self._functions.get(name)
        if made is None:
            made = define(function, {**self._options, **options})
            self._functions[name] = made
        elif options.keys() - {"name"}:
            raise TypeError(
                f"{name} exists: its options belong to its first definition"
            )
        add_function(made, function, localns=locals_for(function, sys._getframe(1)))
        return made

    @property
    def functions(self) -> Mapping[str, GenericFunction]:
        """The generic functions by name; a copy."""
        return dict(self._functions)

    def __getitem__(self, name: str) -> GenericFunction:
        try:
            return self._functions[name]
        except KeyError:
            known = ", ".join(self._functions) or "none yet"
            raise KeyError(f"no function {name!r}; there are: {known}") from None

    def __contains__(self, name: str) -> bool:
        return name in self._functions

    def __repr__(self) -> str:
        return f"<Dispatcher of {', '.join(self._functions) or 'nothing yet'}>"


class group:
    """Definitions inside are published together, at the end of the outermost group;
    or, after an exception (with `strict` also an ambiguity that they bring), not at
    all."""

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.pending: list[tuple[GenericFunction, tuple[Any, ...], bool]] = []

    def __enter__(self) -> group:
        self.pending = []
        self._token = current_group.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        current_group.reset(self._token)
        if kind is not None:
            return
        pending = [(g, entries, self.strict or is_) for g, entries, is_ in self.pending]
        outer = current_group.get()
        if outer is None:
            publish_group(pending)
        else:
            outer.pending += pending
