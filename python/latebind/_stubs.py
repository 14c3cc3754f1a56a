"""A stub (.pyi) of a module: what type checkers see of its generic functions.

1.  The module is imported, for its methods; its source is read, for the text of
    annotations, which may name what exists for type checkers only.
2.  Each generic function becomes a variable of a class of its own, derived from
    GenericFunction, whose `__call__` has an overload for each method; in a class
    body, plain overloads. So calls have the methods' result types, and `register`
    is still there.
3.  Order of the overloads: around methods, then primary ones; a method before each
    one that takes more (as their hints say), else in the order of definition. Last
    comes the declaration that `@generic` began with.
4.  Type checkers do not see tests of values. A method that has one may step aside
    for the next one that fits, whose result type it therefore gets as well. Methods
    that look the same to a type checker become one.
5.  Everything else is kept as it is written, without bodies: imports, classes,
    functions, variables with the type of their value.

What checkers say of overlaps is switched off in the file: a call whose argument is
known as a base class may run a subclass' method, with another result. That is dispatch.
"""

from __future__ import annotations

import ast
import copy
import heapq
import inspect
import re
import sys

from latebind._core import GenericFunction, Hint
from latebind._errors import covers
from latebind._modules import Problem, unwrapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import ModuleType
    from typing import Any

    from latebind._core import Method

    Function = ast.FunctionDef | ast.AsyncFunctionDef

# What checkers are not to say, and pyright's name for it.
_OFF = {
    "overload-overlap": "reportOverlappingOverload",
    "override": "reportIncompatibleMethodOverride",
}
_NEXT = "next_method"


# ------------------------------------------------------------------ the source


class _Source:
    """A module's syntax tree, and the functions in it by their line."""

    def __init__(self, module: ModuleType) -> None:
        try:
            text = inspect.getsource(module)
        except (OSError, TypeError) as error:
            raise Problem(f"{module.__name__} has no Python source") from error
        self.tree = ast.parse(text)
        self.file = getattr(module, "__file__", None)
        self.by_line: dict[tuple[int, str], Function] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                self.by_line[first, node.name] = node

    def of(self, function: Any) -> Function | None:
        """None for what was defined elsewhere."""
        code = getattr(unwrapped(function), "__code__", None)
        if code is None or code.co_filename != self.file:
            return None
        return self.by_line.get((code.co_firstlineno, code.co_name))


# ------------------------------------------------------------------ signatures


class _Names:
    """How classes are written in the stub; imports what is not there."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module.__name__
        self.space = vars(module)
        self.imports: set[str] = set()
        self.off = {"overload-overlap"}  # of _OFF

    def need(self, name: str, home: str = "typing") -> str:
        """A name that the stub itself needs, under a name that is nobody's."""
        self.imports.add(f"from {home} import {name} as _{name}")
        return f"_{name}"

    def of_class(self, cls: type) -> str:
        """One that no name leads to is written as its nearest base that has one."""
        if cls is type(None):
            return "None"
        for one in cls.__mro__:
            name = one.__qualname__
            if one.__module__ == "builtins" and name not in self.space:
                return name
            if _named(self.space, name) is one:
                return name
            if _named(vars(sys.modules.get(one.__module__, ast)), name) is one:
                self.imports.add(f"import {one.__module__}")
                return f"{one.__module__}.{name}"
        return "object"

    def of_hint(self, hint: Hint | None) -> str:
        if hint is None or hint.kind == "any":
            return self.need("Any")
        kind, parts = hint.kind, hint.parts
        if kind == "union":
            return " | ".join(map(self.of_hint, parts))
        if kind == "literal":
            return f"{self.need('Literal')}[{', '.join(map(self._value, parts))}]"
        if kind in ("where", "opaque"):
            return self.of_hint(parts[0] if parts else None)
        if kind == "subclass":
            return f"type[{self.of_hint(parts[0])}]"
        name = self.of_class(hint.cls)
        if kind == "instance":
            return name
        inner = ", ".join(map(self.of_hint, parts)) or "()"
        more = ", ..." if kind == "items" and hint.cls is tuple else ""
        return f"{name}[{inner}{more}]"

    def _value(self, value: object) -> str:
        cls = type(value)
        return f"{self.of_class(cls)}.{value.name}" if _is_enum(cls) else repr(value)


def _is_enum(cls: type) -> bool:
    import enum

    return issubclass(cls, enum.Enum)


def _named(space: Mapping[str, Any], path: str) -> Any:
    first, *rest = path.split(".")
    found = space.get(first)
    for part in rest:
        found = getattr(found, part, None)
    return found


class _Overload:
    """One method as type checkers see it."""

    __slots__ = ("call", "head", "parameters", "result")

    def __init__(
        self, call: _Call | None, node: Function | None, parameters: str, result: str
    ) -> None:
        self.call = call  # None: the declaration
        self.parameters = parameters
        self.result = result
        is_async = isinstance(node, ast.AsyncFunctionDef)
        variables = ", ".join(map(ast.unparse, getattr(node, "type_params", ())))
        self.head = "async def {}" if is_async else "def {}"
        self.head += f"[{variables}]" if variables else ""


class _Plain(ast.NodeTransformer):
    """Takes the tests out of annotations: checkers know nothing of them."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        name = ast.unparse(node.value).rpartition(".")[2]
        is_pair = name == "Annotated" and isinstance(node.slice, ast.Tuple)
        return node.slice.elts[0] if is_pair else node  # type: ignore[attr-defined]


def _typed(argument: ast.arg | None, names: _Names) -> ast.arg | None:
    if argument is None:
        return None
    if argument.annotation is None:
        return ast.arg(argument.arg, ast.Name(names.need("Any")))
    plain = _Plain().visit(copy.deepcopy(argument.annotation))
    return ast.arg(argument.arg, plain)


def _without_bodies(
    arguments: ast.arguments, names: _Names, has_self: bool
) -> ast.arguments:
    """Every parameter typed but for self, defaults as `...`, no next_method."""
    made: Any = copy.copy(arguments)
    plain = [*arguments.posonlyargs, *arguments.args]
    typed = [
        one if has_self and i == 0 else _typed(one, names)
        for i, one in enumerate(plain)
    ]
    made.posonlyargs = typed[: len(arguments.posonlyargs)]
    made.args = typed[len(arguments.posonlyargs) :]
    made.vararg = _typed(arguments.vararg, names)
    made.kwarg = _typed(arguments.kwarg, names)
    made.defaults = [ast.Constant(...) for _ in arguments.defaults]
    kept = [
        (one, default)
        for one, default in zip(
            arguments.kwonlyargs, arguments.kw_defaults, strict=True
        )
        if one.arg != _NEXT
    ]
    made.kwonlyargs = [_typed(one, names) for one, _default in kept]
    made.kw_defaults = [default and ast.Constant(...) for _one, default in kept]
    return made  # type: ignore[no-any-return]


def _explicit(method: Method, node: Function) -> bool:
    """The types were given to register(), not by annotations."""
    every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    given = {
        name
        for name, hint in zip(
            method.parameter_names, method.parameter_hints, strict=True
        )
        if hint is not None
    }
    return any(one.arg in given and one.annotation is None for one in every)


def _parameters(
    method: Method, node: Function | None, names: _Names, has_self: bool
) -> str:
    if node is not None and not _explicit(method, node):
        return ast.unparse(_without_bodies(node.args, names, has_self))
    return _from_hints(method, names, has_self)


def _from_hints(method: Method, names: _Names, has_self: bool) -> str:
    """Of what has no source, or whose types stand elsewhere."""
    known, hints = method.parameter_names, method.parameter_hints
    parts = []

    def one(i: int, optional: bool) -> str:
        if i == 0 and has_self:
            return known[i]
        text = "object" if hints[i] is None else names.of_hint(hints[i])
        return f"{known[i]}: {text}{' = ...' if optional else ''}"

    for i in range(method.positional):
        parts.append(one(i, i >= method.required))
        if i + 1 == method.positional_only:
            parts.append("/")
    if method.rest is not False:
        parts.append(f"*args: {names.of_hint(method.rest)}")
    keywords = [
        i
        for i in range(method.positional, len(known))
        if not method.next_bit >> (i - method.positional) & 1
    ]
    if keywords and method.rest is False:
        parts.append("*")
    for i in keywords:
        needed = method.keyword_required >> (i - method.positional) & 1
        parts.append(one(i, not needed))
    if method.others is not False:
        parts.append(f"**kwargs: {names.of_hint(method.others)}")
    return ", ".join(parts)


def _result(node: Function | None, names: _Names) -> str:
    if node is None or node.returns is None:
        return names.need("Any")
    return ast.unparse(node.returns)


# ------------------------------------------------------------------ the order


def _erased(hint: Hint | None) -> Hint | None:
    """As type checkers see it: without tests."""
    if hint is None:
        return None
    if hint.kind in ("where", "opaque"):
        return _erased(hint.parts[0]) if hint.parts else None
    if hint.kind == "union":
        parts = [_erased(part) or Hint.any() for part in hint.parts]
        return Hint.union(*parts)
    return hint


def _tests_values(hint: Hint | None) -> bool:
    if hint is None:
        return False
    if hint.kind == "union":
        return any(map(_tests_values, hint.parts))
    return hint.kind in ("where", "opaque")


class _Call:
    """The calls of a method as type checkers see them."""

    __slots__ = ("hints", "keywords", "method", "others", "required", "rest", "tests")

    def __init__(self, method: Method) -> None:
        self.method = method
        own, positional = method.parameter_hints, method.positional
        self.required = method.required
        self.hints = tuple(map(_erased, own[:positional]))
        # False: none are taken; None: of any type.
        self.rest = method.rest and _erased(method.rest)
        self.others = method.others and _erased(method.others)
        self.keywords: dict[str, tuple[Hint | None, bool]] = {}
        for i, name in enumerate(method.parameter_names[positional:]):
            if not method.next_bit >> i & 1:
                needed = bool(method.keyword_required >> i & 1)
                self.keywords[name] = _erased(own[positional + i]), needed
        self.tests = any(
            map(_tests_values, (*own, method.rest or None, method.others or None))
        )

    def takes_all_of(self, narrow: _Call) -> bool:
        """Every call that fits `narrow` fits this one."""
        if self.required > narrow.required:
            return False
        missing = len(narrow.hints) - len(self.hints)
        if self.rest is False and (missing > 0 or narrow.rest is not False):
            return False
        hints = self.hints
        if missing > 0:
            hints += (self.rest,) * missing
        if not all(map(covers, hints, narrow.hints)):
            return False
        if narrow.rest is not False and not covers(self.rest, narrow.rest):
            return False
        return not (self.keywords or narrow.keywords) or self._takes_names(narrow)

    def _takes_names(self, narrow: _Call) -> bool:
        if self.others is False and narrow.others is not False:
            return False
        for name, (hint, _needed) in narrow.keywords.items():
            mine = self.keywords.get(name, (self.others, False))[0]
            if mine is False or not covers(mine, hint):
                return False
        return all(
            name in narrow.keywords and narrow.keywords[name][1]
            for name, (_hint, needed) in self.keywords.items()
            if needed
        )

    def goes_before(self, other: _Call) -> bool:
        if not other.takes_all_of(self):
            return False
        return not self.takes_all_of(other) or (self.tests and not other.tests)


def _ordered(methods: Iterable[Method]) -> list[_Call]:
    """Each before those that take all of its calls and more; else as defined. Of two
    that take the same, the one that tests values first."""
    calls = list(map(_Call, methods))
    after = [[j for j, o in enumerate(calls) if one.goes_before(o)] for one in calls]
    before = [0] * len(calls)
    for later in after:
        for j in later:
            before[j] += 1
    ready = [i for i, count in enumerate(before) if count == 0]
    found: list[_Call] = []
    while ready:
        i = heapq.heappop(ready)
        found.append(calls[i])
        for j in after[i]:
            before[j] -= 1
            if before[j] == 0:
                heapq.heappush(ready, j)
    return found + [one for one in calls if one not in found]


# ------------------------------------------------------------------ one function


class _Written:
    """A generic function in the stub."""

    def __init__(
        self,
        generic: GenericFunction,
        source: _Source,
        names: _Names,
        in_class: bool,
    ) -> None:
        self.generic = generic
        self.has_self = in_class and generic.binding_code != 2  # no static method
        self.source = source
        self.names = names
        self.foreign = 0
        self.overloads = self._overloads()

    def _overloads(self) -> list[_Overload]:
        own = []
        for method in self.generic._methods:
            home = getattr(method.function, "__module__", None)
            if home is not None and home != self.names.module:
                self.foreign += 1
            elif method.qualifier in ("primary", "around"):
                own.append(method)
        ordered = _ordered(m for m in own if m.qualifier == "around")
        ordered += _ordered(m for m in own if m.qualifier == "primary")
        for generic in self._inherited():
            ordered += _ordered(m for m in generic._methods if m.qualifier == "primary")
        made = self._made(ordered)
        declaration = self.generic.__dict__.get("declaration")
        node = self.source.of(declaration)
        if node is not None and not any(m.function is declaration for m in own):
            last = _Overload(
                None,
                node,
                ast.unparse(_without_bodies(node.args, self.names, self.has_self)),
                _result(node, self.names),
            )
            if all(one.parameters != last.parameters for one in made):
                made.append(last)
        return made

    def _inherited(self) -> Iterator[GenericFunction]:
        """Those of base classes, to which a call goes on that no own method fits."""
        owner = self.generic.owner
        for cls in owner.__mro__[1:] if owner else ():
            found = unwrapped(vars(cls).get(self.generic.name))
            if isinstance(found, GenericFunction):
                # A subclass may put a narrower method between its base's.
                self.names.off.add("override")
                yield found

    def _made(self, ordered: list[_Call]) -> list[_Overload]:
        made: list[_Overload] = []
        known: set[str] = set()
        for i, call in enumerate(ordered):
            if any(one.call and one.call.takes_all_of(call) for one in made):
                continue  # no call of a checker's would get here
            node = self.source.of(call.method.function)
            parameters = self._parameters(call.method, node)
            if parameters not in known:
                known.add(parameters)
                result = self._results(ordered[i:])
                made.append(_Overload(call, node, parameters, result))
        return made

    def _parameters(self, method: Method, node: Function | None) -> str:
        return _parameters(method, node, self.names, self.has_self)

    def _results(self, ordered: list[_Call]) -> str:
        """Of the first, and of those that it may step aside for (step 4)."""
        code = self.generic.combination_code
        if code not in (0, 1, 2):  # neither of standard, first, list
            return self.names.need("Any")
        first = ordered[0]
        found = []
        for other in ordered:
            if other is first or other.takes_all_of(first):
                node = self.source.of(other.method.function)
                found.append(_result(node, self.names))
                if not other.tests and code == 0:
                    break
        found = list(dict.fromkeys(found))
        if "_Any" in found:
            found = ["_Any"]
        text = " | ".join(found)
        return f"list[{text}]" if code == 2 else text

    # -------------------------------------------------------------- as text

    def definitions(self, name: str, me: str, indent: str) -> list[str]:
        """`def name(...)` for each overload. `me`: a first parameter to put, or ""."""
        lines = []
        binding = self.generic.binding_code
        for one in self.overloads:
            if len(self.overloads) > 1:
                lines.append(f"{indent}@{self.names.need('overload')}")
            if not me and binding:
                lines.append(f"{indent}@{('', 'classmethod', 'staticmethod')[binding]}")
            parameters = one.parameters
            if me:
                me_now = me if me not in _words(parameters) else f"_{me}"
                parameters = f"{me_now}, {parameters}" if parameters else me_now
            head = one.head.format(name)
            lines.append(f"{indent}{head}({parameters}) -> {one.result}: ...")
        if self.foreign:
            plural = "s" if self.foreign > 1 else ""
            lines.append(
                f"{indent}# and {self.foreign} method{plural} of other modules"
            )
        return lines

    def variable(self, name: str) -> list[str]:
        base = self.names.need("GenericFunction", "latebind")
        anything = self.names.need("Any")
        if not self.overloads:
            return [f"{name}: {base}[..., {anything}]"]
        kind = f"_{name}_type"
        return [
            f"@{self.names.need('type_check_only')}",
            f"class {kind}({base}[..., {anything}]):",
            *self.definitions("__call__", "self", "    "),
            "",
            f"{name}: {kind}",
        ]


def _words(text: str) -> set[str]:
    found = ast.parse(f"def f({text}): ...").body[0]
    return {node.arg for node in ast.walk(found) if isinstance(node, ast.arg)}


# ------------------------------------------------------------------ everything else

_KEPT_VALUES = ("TypeVar", "ParamSpec", "TypeVarTuple", "NewType", "namedtuple")
_KEPT_VALUES += ("NamedTuple", "TypedDict", "Enum", "IntEnum", "Flag", "StrEnum")


class _Writer:
    """Goes over a body and writes what a stub has of it."""

    def __init__(self, module: ModuleType, source: _Source, names: _Names) -> None:
        self.module = module
        self.source = source
        self.names = names
        self.lines: list[str] = []
        self.known: list[set[object]] = [set()]
        self.used = {
            word.id
            for node in ast.walk(source.tree)
            for mark in getattr(node, "decorator_list", ())
            for word in ast.walk(mark)
            if isinstance(word, ast.Name)
        }

    # `space`: the variables of the module or class whose body it is; `indent` is
    # that of its lines.
    def body(
        self, statements: list[ast.stmt], space: dict[str, Any], indent: str
    ) -> None:
        for node in statements:
            self.statement(node, space, indent)

    def put(self, text: str, indent: str) -> None:
        self.lines += [indent + line if line else "" for line in text.split("\n")]

    def statement(self, node: ast.stmt, space: dict[str, Any], indent: str) -> None:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            self.imported(node, indent)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self.function(node, space, indent)
        elif isinstance(node, ast.ClassDef):
            self.class_(node, space, indent)
        elif isinstance(node, ast.AnnAssign):
            self.annotated(node, space, indent)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self.assigned(target, node, space, indent)
        elif type(node).__name__ == "TypeAlias":
            self.put(ast.unparse(node), indent)
        elif isinstance(node, ast.If):
            self.branches(node, space, indent)
        elif isinstance(node, ast.Try):
            self.body([*node.body, *node.orelse, *node.finalbody], space, indent)
        elif isinstance(node, ast.With):
            self.body(node.body, space, indent)

    def imported(self, node: ast.Import | ast.ImportFrom, indent: str) -> None:
        """As it is. What a stub imports is private to it, except `as` its own name:
        so is what comes from the same package, unless `__all__` says what is public."""
        if isinstance(node, ast.ImportFrom) and not hasattr(self.module, "__all__"):
            package = self.module.__name__.partition(".")[0]
            if node.level or (node.module or "").partition(".")[0] == package:
                for one in node.names:
                    one.asname = one.asname or (one.name if one.name != "*" else None)
        if isinstance(node, ast.Import) or node.module != "__future__":
            self.put(ast.unparse(node), indent)

    def branches(self, node: ast.If, space: dict[str, Any], indent: str) -> None:
        """A test that checkers know stays; of others the branch that was taken, as
        far as its names tell; what is there for checkers only is theirs."""
        test = ast.unparse(node.test)
        if "__name__" in test and "__main__" in test:
            return
        if "TYPE_CHECKING" in test:
            wanted = node.orelse if test.startswith("not ") else node.body
            return self.body(wanted, space, indent)
        if "sys.version_info" in test or "sys.platform" in test:
            self.put(f"if {test}:", indent)
            self.inner(node.body, space, indent + "    ")
            if node.orelse:
                self.put("else:", indent)
                self.inner(node.orelse, space, indent + "    ")
            return
        taken = all(self._is_bound(one, space) for one in node.body)
        self.body(node.body if taken else node.orelse, space, indent)

    def _is_bound(self, node: ast.stmt, space: dict[str, Any]) -> bool:
        """Whether a definition or assignment is what its name stands for."""
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found = space.get(node.name)
            same = isinstance(node, ast.ClassDef) or not self._is_replaced(node, found)
            return node.name in space and same
        target = _assignment(node)[0]
        return not isinstance(target, ast.Name) or target.id in space

    def inner(
        self, statements: list[ast.stmt], space: dict[str, Any], indent: str
    ) -> None:
        before = len(self.lines)
        self.body(statements, space, indent)
        if len(self.lines) == before:
            self.put("...", indent)

    # -------------------------------------------------------------- functions

    def generic(
        self, name: str, found: GenericFunction, in_class: bool, indent: str
    ) -> None:
        """Where its name is first bound."""
        if name in self.known[-1]:
            return
        self.known[-1].add(name)
        written = _Written(found, self.source, self.names, in_class)
        if in_class and written.overloads:
            self.put("\n".join(written.definitions(name, "", "")), indent)
        else:
            self.put("\n".join(["", *written.variable(name), ""]), indent)

    def function(self, node: Function, space: dict[str, Any], indent: str) -> None:
        found = unwrapped(space.get(node.name))
        if isinstance(found, GenericFunction):
            return self.generic(node.name, found, bool(indent), indent)
        if node.name not in space or self._is_replaced(node, found):
            return
        private = node.name.startswith("_") and not indent
        if private and node.name not in self.used:
            return
        marks = " ".join(map(ast.unparse, node.decorator_list))
        if "overload" not in marks and (node.name, "overload") in self.known[-1]:
            return  # typing's idiom: a stub has no implementation
        if "overload" in marks:
            self.known[-1].add((node.name, "overload"))
        static = "staticmethod" in marks.split()
        made: Any = copy.copy(node)
        made.args = _without_bodies(node.args, self.names, bool(indent) and not static)
        if made.returns is None:
            made.returns = ast.Name(_RESULTS.get(node.name) or self.names.need("Any"))
        made.body = [ast.Expr(ast.Constant(...))]
        made.decorator_list = [
            d for d in node.decorator_list if self._is_kept(d, space)
        ]
        text = ast.unparse(ast.fix_missing_locations(made))
        self.put(_ON_ONE_LINE.sub(r"\1: ...", text), indent)
        if indent and node.name == "__init__":
            self.attributes(node, space, indent)

    def _is_replaced(self, node: Function, found: Any) -> bool:
        """By a later definition of the name, unless that is typing's idiom."""
        marks = " ".join(map(ast.unparse, node.decorator_list))
        if "overload" in marks or ".setter" in marks or ".deleter" in marks:
            return False
        function = getattr(found, "fget", None) or inspect.unwrap(found)
        if not inspect.isfunction(function):
            return False
        other = self.source.of(function)
        return other is not None and other is not node and other.name == node.name

    def _is_kept(self, decorator: ast.expr, space: dict[str, Any]) -> bool:
        """Not ours: they have had their say."""
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        text = ast.unparse(target)
        if text.rpartition(".")[2] in ("register", "add"):
            text = text.rpartition(".")[0]
        value = _named({**vars(self.module), **space}, text)
        module = (
            type(value).__module__
            if isinstance(value, GenericFunction)
            else (getattr(value, "__module__", None) or type(value).__module__)
        )
        return str(module).partition(".")[0] != "latebind"

    # -------------------------------------------------------------- classes

    def class_(self, node: ast.ClassDef, space: dict[str, Any], indent: str) -> None:
        cls = space.get(node.name)
        if not indent and self.lines and self.lines[-1]:
            self.put("", indent)
        inner = dict(vars(cls)) if isinstance(cls, type) else {}
        for mark in node.decorator_list:
            if self._is_kept(mark, space):
                self.put(f"@{ast.unparse(mark)}", indent)
        bases = ", ".join(map(ast.unparse, [*node.bases, *node.keywords]))
        parameters = ""
        if getattr(node, "type_params", None):
            parameters = f"[{', '.join(map(ast.unparse, node.type_params))}]"  # type: ignore[attr-defined]
        self.put(
            f"class {node.name}{parameters}{f'({bases})' if bases else ''}:", indent
        )
        head = len(self.lines)
        self.known.append(set())
        self.body(node.body, inner, indent + "    ")
        self.known.pop()
        if len(self.lines) == head:
            self.lines[-1] += " ..."
        elif not indent:
            self.put("", indent)

    def attributes(self, init: Function, space: dict[str, Any], indent: str) -> None:
        """`self.x = ...` in a constructor: typed as the parameter of that name."""
        if not init.args.args:
            return
        me = init.args.args[0].arg
        every = [*init.args.posonlyargs, *init.args.args, *init.args.kwonlyargs]
        types = {one.arg: one.annotation for one in every if one.annotation}
        seen = set(space) | set(space.get("__annotations__", ()))
        for node in ast.walk(init):
            target, annotation, value = _assignment(node)
            if not isinstance(target, ast.Attribute) or target.attr in seen:
                continue
            if isinstance(target.value, ast.Name) and target.value.id == me:
                seen.add(target.attr)
                if annotation is None and isinstance(value, ast.Name):
                    annotation = types.get(value.id)
                if annotation is None and isinstance(value, ast.Constant):
                    text = type(value.value).__name__
                    known = text in ("int", "str", "float", "bool", "bytes")
                    annotation = ast.Name(text) if known else None
                text = ast.unparse(annotation) if annotation else self.names.need("Any")
                self.put(f"{target.attr}: {text}", indent)

    # -------------------------------------------------------------- variables

    def annotated(
        self, node: ast.AnnAssign, space: dict[str, Any], indent: str
    ) -> None:
        if not isinstance(node.target, ast.Name):
            return
        found = unwrapped(space.get(node.target.id))
        if isinstance(found, GenericFunction):
            return self.generic(node.target.id, found, bool(indent), indent)
        text = f"{node.target.id}: {ast.unparse(node.annotation)}"
        if node.value is not None:
            kept = "TypeAlias" in text or "Final" in text
            text += f" = {ast.unparse(node.value)}" if kept else " = ..."
        self.put(text, indent)

    def assigned(
        self, target: ast.expr, node: ast.Assign, space: dict[str, Any], indent: str
    ) -> None:
        if isinstance(target, (ast.Tuple, ast.List)):
            for one in target.elts:
                self.assigned(one, node, space, indent)
            return
        if not isinstance(target, ast.Name) or target.id not in space:
            return
        name, value = target.id, space[target.id]
        found = unwrapped(value)
        if isinstance(found, GenericFunction):
            return self.generic(name, found, bool(indent), indent)
        if name in self.known[-1] or self._is_defined(name, value):
            return
        self.known[-1].add(name)
        single = len(node.targets) == 1 and node.targets[0] is target
        if single and (
            name in ("__all__", "__slots__", "__match_args__")
            or _is_kept_value(node.value, value)
            or (indent and _is_enum(type(value)))
        ):
            self.put(f"{name} = {ast.unparse(node.value)}", indent)
        else:
            self.put(f"{name}: {self.type_of(value)}", indent)

    def _is_defined(self, name: str, value: object) -> bool:
        """By a statement of its own, which the assignment only comes before."""
        if not (isinstance(value, type) or inspect.isfunction(value)):
            return False
        return value.__module__ == self.names.module and value.__name__ == name

    def type_of(self, value: object) -> str:
        cls = type(value)
        if cls.__module__ in ("builtins", self.names.module) and not callable(value):
            if cls in (list, set, frozenset, dict, tuple):
                return self._container(value)
            if value is not None and cls.__name__ in _PRINTABLE | set(self.names.space):
                return self.names.of_class(cls)
            return "None" if value is None else self.names.need("Any")
        if inspect.isfunction(value) or inspect.isbuiltin(value):
            self.names.imports.add("from collections.abc import Callable as _Callable")
            return f"_Callable[..., {self.names.need('Any')}]"
        if isinstance(value, type):
            return f"type[{self.names.of_class(value)}]"
        public = "." not in cls.__qualname__ and not cls.__qualname__.startswith("_")
        known = getattr(sys.modules.get(cls.__module__), cls.__qualname__, None) is cls
        if known and public and not getattr(cls, "__class_getitem__", None):
            return self.names.of_class(cls)
        return self.names.need("Any")

    def _container(self, value: Any) -> str:
        def inner(values: Iterable[Any]) -> str:
            texts = list(dict.fromkeys(map(self.type_of, values)))
            return " | ".join(texts) if 0 < len(texts) < 4 else self.names.need("Any")

        name = type(value).__name__
        if isinstance(value, dict):
            return f"dict[{inner(value)}, {inner(value.values())}]"
        return f"{name}[{inner(value)}{', ...' if name == 'tuple' else ''}]"


_RESULTS = {"__init__": "None", "__init_subclass__": "None", "__bool__": "bool"}
_RESULTS |= dict.fromkeys(("__repr__", "__str__", "__format__"), "str")
_RESULTS |= dict.fromkeys(("__hash__", "__len__", "__index__", "__int__"), "int")
_ON_ONE_LINE = re.compile(r"(.*):\n +\.\.\.\Z", re.DOTALL)
_PRINTABLE = {"int", "float", "complex", "str", "bytes", "bytearray", "bool", "range"}


def _assignment(node: ast.AST) -> tuple[Any, ast.expr | None, ast.expr | None]:
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        return node.targets[0], None, node.value
    if isinstance(node, ast.AnnAssign):
        return node.target, node.annotation, node.value
    return None, None, None


def _is_kept_value(node: ast.expr, value: object) -> bool:
    """An alias of a type, or what makes a type: it must stay as it is written."""
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).rpartition(".")[2]
        return name in _KEPT_VALUES
    of = type(value).__module__
    is_name = isinstance(node, (ast.Name, ast.Attribute, ast.Subscript, ast.BinOp))
    return is_name and (
        isinstance(value, type)
        or of in ("typing", "typing_extensions")
        or type(value).__name__ in ("GenericAlias", "UnionType", "NewType")
    )


# ------------------------------------------------------------------ all of it


def _unwritten(writer: _Writer) -> Iterator[tuple[str, GenericFunction]]:
    """Generic functions of the module that no statement of it binds by name."""
    for name, value in writer.names.space.items():
        home = getattr(value, "__dict__", {}).get("__module__")
        is_own = isinstance(value, GenericFunction) and home == writer.names.module
        if is_own and name not in writer.known[0] and not name.startswith("_"):
            yield name, value


def _without_unused(text: str) -> str:
    """The imports of the text that it makes use of, or that `as` makes public."""
    used: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name):
            used.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            used.update(re.findall(r"\w+", node.value))  # an annotation, or __all__

    def is_used(one: ast.alias) -> bool:
        bound = one.asname or one.name.partition(".")[0]
        return bound in used or one.asname == one.name or one.name == "*"

    lines = []
    for line in text.split("\n"):
        if line.startswith(("import ", "from ")):
            node = ast.parse(line).body[0]
            node.names = list(filter(is_used, node.names))  # type: ignore[attr-defined]
            if not node.names:  # type: ignore[attr-defined]
                continue
            line = ast.unparse(node)
        lines.append(line)
    return "\n".join(lines)


def stub(module: ModuleType) -> str:
    """The text of a .pyi file for an imported module. Raises Problem."""
    source, names = _Source(module), _Names(module)
    writer = _Writer(module, source, names)
    writer.body(source.tree.body, vars(module), "")
    for name, generic in list(_unwritten(writer)):
        writer.generic(name, generic, False, "")
    off = sorted(names.off)
    head = [
        f"# Made by `python -m latebind stubs {module.__name__}`.",
        f'# mypy: disable-error-code="{", ".join(off)}"',
        f"# pyright: {', '.join(f'{_OFF[one]}=false' for one in off)}",
        "",
    ]
    lines = [*head, *sorted(names.imports), "", *writer.lines]
    text = _without_unused("\n".join(lines))
    return re.sub(r"\n{3,}", "\n\n", text).rstrip("\n") + "\n"
