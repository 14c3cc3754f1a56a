"""The peers: how each makes a generic function of functions.

A peer's `build(functions)` takes plain functions with annotations and gives the
callable; its parameter `method` says that they begin with `self`. The peers are
used as their documentation shows it first, with all defaults. One that is not
installed is left out by name; one that cannot do what a load asks for, or comes
to another result, shows as "–" there.
"""

import inspect
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

Function = Callable[..., Any]
Build = Callable[[Sequence[Function], bool], Any]


def types_of(function: Function) -> tuple[Any, ...]:
    return tuple(function.__annotations__.values())


def latebind(functions: Sequence[Function], method: bool) -> Any:
    dispatch = import_module("latebind").Dispatcher()
    for function in functions:
        made = dispatch(function)
    return made


def ovld(functions: Sequence[Function], method: bool) -> Any:
    made = import_module("ovld").Ovld(name=functions[0].__name__)
    for function in functions:
        made.register(function)
    return made.dispatch  # what its decorator returns


def plum(functions: Sequence[Function], method: bool) -> Any:
    dispatch = import_module("plum").Dispatcher()
    for function in functions:
        made = dispatch(function)
    return made


def multipledispatch(functions: Sequence[Function], method: bool) -> Any:
    module = import_module("multipledispatch.dispatcher")
    kind = module.MethodDispatcher if method else module.Dispatcher
    made = kind(functions[0].__name__)
    for function in functions:
        made.add(types_of(function), function)
    return made


def multimethod(functions: Sequence[Function], method: bool) -> Any:
    made = import_module("multimethod").multimethod(functions[0])
    for function in functions[1:]:
        made.register(function)
    return made


def runtype(functions: Sequence[Function], method: bool) -> Any:
    dispatch = import_module("runtype").Dispatch()
    for function in functions:
        made = dispatch(function)
    return made


def singledispatch(functions: Sequence[Function], method: bool) -> Any:
    import functools

    positional = [
        p
        for p in inspect.signature(functions[0]).parameters.values()
        if p.kind is not p.KEYWORD_ONLY
    ]
    if len(positional) != (2 if method else 1):
        raise TypeError("one argument only")

    def missing(*arguments: Any, **named: Any) -> Any:
        raise TypeError("no method")

    kind = functools.singledispatchmethod if method else functools.singledispatch
    made: Any = kind(missing)
    for function in functions:
        made.register(types_of(function)[0])(function)
    return made


# By name, how to build, and the package on PyPI.
PEERS: dict[str, tuple[Build, str | None]] = {
    "latebind": (latebind, "latebind"),
    "ovld": (ovld, "ovld"),
    "plum": (plum, "plum-dispatch"),
    "multipledispatch": (multipledispatch, "multipledispatch"),
    "multimethod": (multimethod, "multimethod"),
    "runtype": (runtype, "runtype"),
    "singledispatch": (singledispatch, None),
}


def installed() -> tuple[dict[str, Build], dict[str, str], list[str]]:
    """Those that can be imported, their versions, and the names of the rest."""
    found: dict[str, Build] = {}
    versions: dict[str, str] = {}
    absent = []
    for name, (build, package) in PEERS.items():
        try:
            import_module(name if package else "functools")
        except ImportError as error:
            why = "" if isinstance(error, ModuleNotFoundError) else f" ({error})"
            absent.append(f"{package or name}{why}")
            continue
        found[name] = build
        try:
            versions[name] = version(package) if package else "of Python"
        except PackageNotFoundError:
            versions[name] = "not installed by pip"
    return found, versions, absent
