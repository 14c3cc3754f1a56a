"""Let mypy accept several definitions of one name under `dispatch`.

    [tool.mypy]
    plugins = ["latebind.mypy_plugin"]

Mypy takes a second `def f` for a mistake, and no hook of a plugin can change
its mind about that.  But a plugin can show it the file a little changed:

1.  Find this package's decorators in the file: `dispatch`, by whatever name it
    was imported, and the variables that hold a `Dispatcher`.
2.  In each scope, leave the first definition of a name under such a decorator
    as it is.  It gives the name its type, a generic function.
3.  Rename every later definition to something that mypy does not compare: at
    module level `_`, padded with blanks; in a class a private name.  No line
    moves, and the bodies are checked as before.

Mypy's own code runs here, nobody else's.  Only mypy's older parser shows a
plugin the source, so that one is chosen; files that do not mention this package
stay as they are.  Cost: one more parse of the files that do.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from mypy.options import Options
from mypy.plugin import Plugin

PACKAGE = "latebind"
DECORATORS = ("dispatch", "overload")
Definition = ast.FunctionDef | ast.AsyncFunctionDef
Scope = ast.Module | ast.ClassDef | Definition


def dotted(node: ast.expr) -> str:
    """`a.b.c` as text, or nothing if the expression is not of that kind."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return before and f"{before}.{node.attr}"
    return ""


def names_imported(tree: ast.Module, wanted: Iterable[str]) -> set[str]:
    """The ways in which the file may write the wanted names of the package."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
            found |= {a.asname or a.name for a in node.names if a.name in wanted}
        elif isinstance(node, ast.Import):
            heads = [a.asname or a.name for a in node.names if a.name == PACKAGE]
            found |= {f"{head}.{name}" for head in heads for name in wanted}
    return found


def decorators_of(tree: ast.Module) -> set[str]:
    """What stands after the `@`: `dispatch`, and the namespaces' variables."""
    found = names_imported(tree, DECORATORS)
    makers = names_imported(tree, ["Dispatcher"])
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        value = node.value
        if isinstance(value, ast.Call) and dotted(value.func) in makers:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {dotted(target) for target in targets} - {""}
    return found


def is_decorated(definition: Definition, decorators: set[str]) -> bool:
    return any(
        dotted(d.func if isinstance(d, ast.Call) else d) in decorators
        for d in definition.decorator_list
    )


def definitions_in(scope: ast.AST) -> Iterator[Definition]:
    """The functions of one scope, also those below `if`, `try` and `with`."""
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, Definition):
            yield node
        elif not isinstance(node, ast.ClassDef | ast.expr):
            yield from definitions_in(node)


def rename(lines: list[bytes], definition: Definition, scope: Scope) -> None:
    """Give a definition its other name in `lines`."""
    # The name is on the line of `def`, or further down after a backslash.
    name = definition.name.encode()
    number = definition.lineno - 1
    before = lines[number][: definition.col_offset]
    after = lines[number][definition.col_offset :]
    word, blank, rest = after.partition(b"def")
    if name not in rest:
        return  # written over several lines; mypy will say what it says
    start = rest.index(name)
    other = b"_".ljust(len(name))
    if isinstance(scope, ast.ClassDef):
        # A subclass may have its own `_`, and mypy would compare the two.
        other = b"__%s_%d" % (name, definition.lineno)
    rest = rest[:start] + other + rest[start + len(name) :]
    lines[number] = before + word + blank + rest


def show(source: str | bytes) -> str | bytes:
    """The source as mypy is to see it."""
    data = source.encode() if isinstance(source, str) else source
    if PACKAGE.encode() not in data:
        return source
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError):
        return source  # mypy will report it
    decorators = decorators_of(tree)
    lines = data.splitlines(keepends=True)
    for scope in ast.walk(tree):
        if not isinstance(scope, Scope):
            continue
        seen: set[str] = set()
        for definition in definitions_in(scope):
            if is_decorated(definition, decorators):
                if definition.name in seen:
                    rename(lines, definition, scope)
                seen.add(definition.name)
    shown = b"".join(lines)
    return shown.decode() if isinstance(source, str) else shown


class LatebindPlugin(Plugin):
    def __init__(self, options: Options) -> None:
        super().__init__(options)
        if hasattr(options, "native_parser"):
            options.native_parser = False
        options.transform_source = show


def plugin(version: str) -> type[Plugin]:
    """What mypy asks of a plugin's module."""
    return LatebindPlugin
