"""Finding modules, generic functions and types by their names, for the command line.

A module is named as for `import`, or by its file, as tools like pre-commit do; of a
file in a package the package is imported. What is wrong raises `Problem`, in words.
"""

from __future__ import annotations

import builtins
import difflib
import importlib
import os
import pkgutil
import sys
import traceback
import warnings

from latebind._core import GenericFunction
from latebind._errors import AmbiguityWarning, AmbiguousMethodError
from latebind._namespaces import Dispatcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import ModuleType
    from typing import Any


class Problem(Exception):
    """What the user is told, without a traceback."""


# ------------------------------------------------------------------ modules


def module_name(target: str) -> str:
    """The module's name for a name or a file; the latter's folder is made known."""
    target = target.rstrip(os.sep) if os.path.isdir(target) else target
    if not (target.endswith(".py") or os.sep in target):
        return target
    if not os.path.exists(target):
        raise Problem(f"there is no file {target}")
    folder, name = os.path.split(os.path.abspath(target))
    parts = [name.removesuffix(".py")]
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder, name = os.path.split(folder)
        parts.insert(0, name)
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    if not all(part.isidentifier() for part in parts):
        raise Problem(f"{target}: {'.'.join(parts)!r} is no name that can be imported")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return ".".join(parts)


def _where(error: BaseException) -> str:
    """The last line of a program, outside of the import system, as (file:line)."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen")
        and os.path.dirname(frame.filename) != os.path.dirname(__file__)
        and not frame.filename.endswith(os.path.join("importlib", "__init__.py"))
    ]
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""


def load(target: str) -> ModuleType:
    """The module of a name or file. What is ambiguous in it is no news to who asks."""
    name = module_name(target)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AmbiguityWarning)
            return importlib.import_module(name)
    except AmbiguousMethodError:
        raise
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise Problem(f"there is no module {error.name}") from error
        raise Problem(f"cannot import {name}: {error}{_where(error)}") from error
    except (ImportError, ValueError) as error:
        raise Problem(f"cannot import {name}: {error}{_where(error)}") from error
    except SystemExit as error:
        raise Problem(f"cannot import {name}: it exits{_where(error)}") from error
    except Exception as error:
        said = f"{type(error).__name__}: {error}{_where(error)}"
        raise Problem(f"cannot import {name}: {said}") from error


def below(module: ModuleType) -> Iterator[str]:
    """The names of all modules in a package, but for `__main__`."""
    for one in pkgutil.walk_packages(
        getattr(module, "__path__", ()), module.__name__ + ".", onerror=_pass
    ):
        if one.name.rpartition(".")[2] != "__main__":
            yield one.name


def _pass(name: str) -> None:
    """What cannot be imported is reported where it is loaded."""


# ------------------------------------------------------------------ functions


def unwrapped(value: object) -> object:
    return value.__func__ if isinstance(value, (classmethod, staticmethod)) else value


def _in_namespace(
    space: Mapping[str, Any], module: str, seen: set[int]
) -> Iterator[GenericFunction]:
    for value in list(space.values()):
        found = unwrapped(value)
        if isinstance(found, GenericFunction):
            yield found
        elif isinstance(found, Dispatcher):
            yield from found.functions.values()
        elif isinstance(found, type) and id(found) not in seen:
            seen.add(id(found))
            if found.__module__ == module:
                yield from _in_namespace(vars(found), module, seen)


def _belongs(generic: GenericFunction, module: str) -> bool:
    """It was made there, or has methods from there."""
    if generic.__dict__.get("__module__") == module:
        return True
    return any(
        getattr(one.function, "__module__", None) == module for one in generic._methods
    )


def functions_of(module: ModuleType) -> list[GenericFunction]:
    """The generic functions that a module makes or adds methods to: in its namespace,
    in its classes, in its dispatchers; in the order of their names there."""
    name = module.__name__
    found = _in_namespace(vars(module), name, set())
    return [one for one in dict.fromkeys(found) if _belongs(one, name)]


def classes_of(module: ModuleType) -> list[type]:
    """The classes in a module's namespace, and inside of those that it makes."""
    found: dict[type, None] = {}
    waiting: list[Mapping[str, Any]] = [vars(module)]
    while waiting:
        for value in list(waiting.pop().values()):
            if isinstance(value, type) and value not in found:
                found[value] = None
                if value.__module__ == module.__name__:
                    waiting.append(vars(value))
    return list(found)


def title_of(generic: GenericFunction) -> str:
    own = generic.__dict__
    name = str(own.get("__qualname__") or generic.name)
    module = own.get("__module__")
    return f"{module}.{name}" if module else name


def _alike(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=3)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _attribute(holder: Any, name: str) -> Any:
    """As it stands in the namespace, not bound to anything."""
    for space in (
        [vars(one) for one in holder.__mro__]
        if isinstance(holder, type)
        else [getattr(holder, "__dict__", {})]
    ):
        if name in space:
            return unwrapped(space[name])
    if isinstance(holder, Dispatcher) and name in holder:
        return holder[name]
    return getattr(holder, name)


def function_named(module: ModuleType, path: str) -> GenericFunction:
    """`f`, `Class.f`, or `d.f` of a dispatcher d."""
    found: Any = module
    for part in path.split("."):
        try:
            found = _attribute(found, part)
        except AttributeError:
            known = [one.__name__ for one in functions_of(module)]
            said = _alike(part, known)
            if not said and known:
                said = f"; its generic functions are {', '.join(sorted(set(known)))}"
            raise Problem(f"{module.__name__} has no {path}{said}") from None
    if not isinstance(found, GenericFunction):
        raise Problem(f"{module.__name__}:{path} is no generic function: {found!r}")
    return found


# ------------------------------------------------------------------ types


def _spaces(
    generic: GenericFunction, module: ModuleType
) -> Iterator[Mapping[str, Any]]:
    yield vars(module)
    for method in generic._methods:
        yield getattr(method.function, "__globals__", {})
    yield vars(builtins)


def _imported(name: str) -> Any:
    """Of a dotted name: the longest module, then attributes. LookupError: none."""
    parts = name.split(".")
    for count in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:count]))
        except ImportError:
            continue
        for part in parts[count:]:
            if not hasattr(found, part):
                raise LookupError(name)
            found = getattr(found, part)
        return found
    raise LookupError(name)


def _value_named(name: str, spaces: list[Mapping[str, Any]]) -> Any:
    first, *rest = name.split(".")
    for space in spaces:
        found = space.get(first, spaces)
        if found is spaces:
            continue
        for part in rest:
            found = getattr(found, part, spaces)
        if found is not spaces:
            return found
    return _imported(name)


def type_named(name: str, generic: GenericFunction, module: ModuleType) -> type:
    """A class by a name of the module, of its methods' modules, of Python's built-in
    ones, or a dotted name that can be imported."""
    spaces = list(_spaces(generic, module))
    try:
        found = type(None) if name == "None" else _value_named(name, spaces)
    except LookupError:
        known = {key for space in spaces for key, one in space.items() if _is_type(one)}
        raise Problem(f"there is no type {name}{_alike(name, known)}") from None
    if not isinstance(found, type):
        raise Problem(f"{name} is no class but {found!r}; a class is wanted")
    return found


def _is_type(value: object) -> bool:
    return isinstance(value, type)
