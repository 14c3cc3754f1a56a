"""Three engines that run the same rules.

The rules (folder rules/) define functions of one name for many classes with a
decorator `dispatch`. Here are three such decorators:

    latebind         latebind.Dispatcher: generic functions, on all arguments
    singledispatch   functools.singledispatch, on the first argument
    visitor          a class with methods visit_Name, found by
                     getattr(self, "visit_" + node.__class__.__name__), as
                     ast.NodeVisitor does it

The latter two know one argument only. Where a class of the first argument has
rules for several classes of the second, they do what one writes by hand: the
function for the first argument asks isinstance of the second, the most special
class first. Where it has but one rule, the rule is called directly. A visitor
finds no rule for a base class, so such rules are entered under the name of each
class derived from it as well; that costs its calls nothing.

`rules(engine)` loads the folder rules/ once more, under a name of its own, with
the engine's decorator in it: the same program text, each time with the
functions of its engine. `twin(engine)` gives the same rules with nothing in
them, to measure what finding them costs.
"""

import importlib.util
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterator
from functools import singledispatch
from pathlib import Path
from typing import Any

ENGINES = ("latebind", "singledispatch", "visitor")
PREFIX = f"{__package__}.rules"

Function = Callable[..., Any]
Rule = tuple[tuple[type, ...], tuple[type, ...], Function]


# A rule's classes


def classes_of(annotation: Any) -> tuple[type, ...]:
    """The classes that an annotation `A` or `A | B` names."""
    if isinstance(annotation, types.UnionType):
        return typing.get_args(annotation)
    return (annotation,)


def rule_of(function: Function) -> Rule:
    """The classes of the first two parameters; of the second, if any, one."""
    parameters = inspect.signature(function).parameters.values()
    hints = [classes_of(p.annotation) for p in parameters]
    return hints[0], hints[1] if len(hints) > 1 else (object,), function


def subclasses(cls: type) -> Iterator[type]:
    """The class, and all that are derived from it now."""
    yield cls
    if cls is not object:
        for sub in type.__subclasses__(cls):
            yield from subclasses(sub)


# Engines for one argument


def chooser(rules: dict[type, Function], arity: int) -> Function:
    """Of the functions for several classes of the second argument, the one for
    the most special class; written out for the shapes that occur."""
    ordered = sorted(rules.items(), key=lambda item: -len(item[0].__mro__))
    if len(ordered) == 1:
        return ordered[0][1]
    (special, inner), *others = ordered
    outer = chooser(dict(others), arity)
    if arity == 2:

        def choose2(first: Any, second: Any) -> Any:
            if isinstance(second, special):
                return inner(first, second)
            return outer(first, second)

        return choose2

    def choose3(first: Any, second: Any, third: Any) -> Any:
        if isinstance(second, special):
            return inner(first, second, third)
        return outer(first, second, third)

    return choose3


class OneArgument:
    """What the engines for one argument share: by name, the rules of a function,
    by the class of the first and of the second argument."""

    def __init__(self) -> None:
        self.functions: dict[str, Any] = {}
        self.rules: dict[str, dict[type, dict[type, Function]]] = {}

    def __call__(self, function: Function) -> Any:
        name, arity = function.__name__, function.__code__.co_argcount
        if name not in self.functions:
            self.functions[name] = self.create(name, arity)
            self.rules[name] = {}
        firsts, seconds, function = rule_of(function)
        for first in firsts:
            rules = self.rules[name].setdefault(first, {})
            rules.update(dict.fromkeys(seconds, function))
            self.enter(name, first, chooser(rules, arity))
        return self.entrance(name)

    def create(self, name: str, arity: int) -> Any:
        raise NotImplementedError

    def enter(self, name: str, cls: type, function: Function) -> None:
        raise NotImplementedError

    def entrance(self, name: str) -> Any:
        return self.functions[name]


class Singledispatch(OneArgument):
    def create(self, name: str, arity: int) -> Any:
        def missing(first: Any, *rest: Any) -> Any:
            raise TypeError(f"{name} has no rule for {type(first).__name__}")

        missing.__name__ = missing.__qualname__ = name
        return singledispatch(missing)

    def enter(self, name: str, cls: type, function: Function) -> None:
        self.functions[name].register(cls, function)


class VisitorOfOne:
    def visit(self, node: Any) -> Any:
        method = "visit_" + node.__class__.__name__
        return getattr(self, method, self.generic_visit)(node)

    def generic_visit(self, node: Any, *rest: Any) -> Any:
        raise TypeError(f"{type(self).__name__} cannot visit {type(node).__name__}")


class VisitorOfTwo(VisitorOfOne):
    def visit(self, node: Any, second: Any) -> Any:  # type: ignore[override]
        method = "visit_" + node.__class__.__name__
        return getattr(self, method, self.generic_visit)(node, second)


class VisitorOfThree(VisitorOfOne):
    def visit(self, node: Any, second: Any, third: Any) -> Any:  # type: ignore[override]
        method = "visit_" + node.__class__.__name__
        return getattr(self, method, self.generic_visit)(node, second, third)


class Visitor(OneArgument):
    def create(self, name: str, arity: int) -> Any:
        base = (VisitorOfOne, VisitorOfTwo, VisitorOfThree)[arity - 1]
        return type(f"{name}_visitor", (base,), {})()

    def enter(self, name: str, cls: type, function: Function) -> None:
        visitor, known = type(self.functions[name]), self.rules[name]
        if cls is object:
            visitor.generic_visit = staticmethod(function)
        for sub in subclasses(cls):
            nearest = next(base for base in sub.__mro__ if base in known)
            if nearest is cls:  # no rule for a class between the two
                setattr(visitor, f"visit_{sub.__name__}", staticmethod(function))

    def entrance(self, name: str) -> Any:
        return self.functions[name].visit


def new_dispatcher(engine: str) -> Any:
    if engine == "singledispatch":
        return Singledispatch()
    if engine == "visitor":
        return Visitor()
    if engine == "latebind":
        import latebind

        return latebind.Dispatcher()
    raise ValueError(f"no engine {engine!r}; there are {', '.join(ENGINES)}")


# The rules, once for each engine


class Recorder:
    """Hands the rules on to a dispatcher, keeps a list of them, and, while
    `calls` is a list, writes down there which function is called with what."""

    def __init__(self, engine: str, *, recording: bool = False) -> None:
        self.engine = engine
        self.recording = recording
        self.dispatcher = new_dispatcher(engine)
        self.functions: dict[str, list[Function]] = {}
        self.calls: list[tuple[str, tuple[Any, ...]]] | None = None

    def __call__(self, function: Function) -> Any:
        name = function.__name__
        self.functions.setdefault(name, []).append(function)
        found = self.dispatcher(function)
        return self.watched(name, found) if self.recording else found

    def watched(self, name: str, found: Function) -> Function:
        def watch(*arguments: Any) -> Any:
            if self.calls is not None:
                self.calls.append((name, arguments))
            return found(*arguments)

        return watch


def engine_of(package: str) -> str:
    """The engine after which a copy of the folder rules/ is named."""
    _, _, engine = package.removeprefix(PREFIX).partition("_")
    return engine or ENGINES[0]


def dispatcher(package: str) -> Recorder:
    engine = engine_of(package)
    if engine == "recorded":
        return Recorder("singledispatch", recording=True)
    return Recorder(engine)


def rules(engine: str) -> types.ModuleType:
    """The package of rules that runs on the engine."""
    name = f"{PREFIX}_{engine}"
    if name in sys.modules:
        return sys.modules[name]
    folder = Path(__file__).parent / "rules"
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


# The rules without what they do


def empty_like(function: Function) -> Function:
    """A function with the same parameters that does nothing."""
    arity = function.__code__.co_argcount
    bodies: tuple[Function, ...] = (
        lambda first: None,
        lambda first, second: None,
        lambda first, second, third: None,
    )
    body = bodies[arity - 1]
    names = function.__code__.co_varnames[:arity]
    own_names = body.__code__.co_varnames[:arity]
    body.__name__ = body.__qualname__ = function.__name__
    body.__annotations__ = {
        own: function.__annotations__[name]
        for own, name in zip(own_names, names, strict=True)
    }
    return body


def twin(engine: str) -> dict[str, Function]:
    """By name, the engine's functions with the same rules, all of them empty."""
    dispatch = new_dispatcher(engine)
    found: dict[str, Function] = {}
    for name, functions in rules(engine).dispatch.functions.items():
        for function in functions:
            found[name] = dispatch(empty_like(function))
    return found
