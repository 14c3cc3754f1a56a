"""Programs written for other dispatchers, on the engine of latebind.

Each module here has the names of another package, and its behaviour:

    functools           singledispatch, singledispatchmethod (standard library)
    multipledispatch    mrocklin's multipledispatch 1.0
    plum                plum-dispatch
    multimethod         coady's multimethod
    gnosis              Dispatch, of David Mertz's article of 2003

They can be imported from here; or an unchanged program is given them in place of
the originals, which need not be installed:

    import latebind.compat
    latebind.compat.install("multipledispatch")
    import program                      # imports multipledispatch

    python -m latebind.compat multipledispatch program.py argument...

docs/compat.md says what is covered and what differs.
"""

from __future__ import annotations

import functools as original_functools  # `functools` here is our own
import sys
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

__all__ = ["NAMES", "install", "installed", "uninstall"]

# What can be installed, and the name under which programs import it.
NAMES = {
    "functools": "functools",
    "gnosis": "multimethods",
    "multimethod": "multimethod",
    "multipledispatch": "multipledispatch",
    "plum": "plum",
}

_PATCHED = ("singledispatch", "singledispatchmethod")  # in functools

# What was there before: the modules or functions of each installed drop-in.
_before: dict[str, dict[str, object]] = {}


def install(name: str) -> None:
    """Puts a drop-in in the place of the package that it stands for.

    From then on `import` finds it, and its sub-modules. What was imported before
    keeps what it has. For functools only the two names are put there. Installing
    twice does nothing more.

    Errors: ValueError when there is no such drop-in.
    """
    _check(name)
    if name in _before:
        return
    if name == "functools":
        ours = import_module("latebind.compat.functools")
        _before[name] = {each: getattr(original_functools, each) for each in _PATCHED}
        for each in _PATCHED:
            setattr(original_functools, each, getattr(ours, each))
    else:
        modules = _modules(name)
        _before[name] = _take_out(NAMES[name])
        sys.modules.update(modules)


def uninstall(name: str) -> None:
    """Undoes `install`; nothing, if `name` is not installed."""
    _check(name)
    if name not in _before:
        return
    before = _before.pop(name)
    if name == "functools":
        for each, original in before.items():
            setattr(original_functools, each, original)
    else:
        _take_out(NAMES[name])
        sys.modules.update(before)


def installed() -> tuple[str, ...]:
    """The drop-ins that are installed now."""
    return tuple(_before)


def _check(name: str) -> None:
    if name not in NAMES:
        raise ValueError(
            f"there is no drop-in for {name!r}; there are {', '.join(NAMES)}"
        )


def _modules(name: str) -> dict[str, ModuleType]:
    """The drop-in and its sub-modules, by the names that programs import."""
    package = import_module(f"{__name__}.{name}")
    modules = {NAMES[name]: package}
    for each in iter_modules(getattr(package, "__path__", ())):
        module = import_module(f"{package.__name__}.{each.name}")
        modules[f"{NAMES[name]}.{each.name}"] = module
    return modules


def _take_out(name: str) -> dict[str, ModuleType]:
    """Takes a package and its sub-modules out of those imported."""
    names = [each for each in sys.modules if f"{each}.".startswith(f"{name}.")]
    return {each: sys.modules.pop(each) for each in names}
