"""The node classes that some versions of Python lack.

A rule may name them all the same: where a class is missing, a class of that
name stands in for it, of which there never is an instance.
"""

import ast


def node_class(name: str, base: type) -> type:
    return getattr(ast, name, None) or type(name, (base,), {})


TryStar = node_class("TryStar", ast.stmt)  # 3.11
TypeAlias = node_class("TypeAlias", ast.stmt)  # 3.12
TypeVar = node_class("TypeVar", ast.AST)
TypeVarTuple = node_class("TypeVarTuple", ast.AST)
ParamSpec = node_class("ParamSpec", ast.AST)
TemplateStr = node_class("TemplateStr", ast.expr)  # 3.14
Interpolation = node_class("Interpolation", ast.expr)
