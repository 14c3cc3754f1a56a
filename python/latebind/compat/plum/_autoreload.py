"""IPython's autoreload: methods follow when a class is loaded again."""

from __future__ import annotations

import typing
from collections.abc import Callable
from typing import Any

from ._function import Function, _owner_transfer
from ._signature import Signature
from ._type import _rebuild

__all__ = ["activate_autoreload", "deactivate_autoreload"]

_update_instances_original: Callable[[type, type], None] | None = None


def _update_instances(old: type, new: type) -> None:
    """IPython's function of this name, and ours for dispatch."""
    if _update_instances_original is None:
        from IPython.extensions.autoreload import update_instances

        update_instances(old, new)
    else:
        _update_instances_original(old, new)
    if old is new or not isinstance(new, type):
        return
    _owner_transfer[old] = new
    for function in Function._instances:
        _replace_in(function, old, new)


def _replace_in(function: Function, old: type, new: type) -> None:
    """Registers the methods of `function` that name `old` for `new`."""
    with function._lock:
        try:
            function._resolve_pending_registrations()
        except (NameError, TypeError):  # its own call will tell
            return
        known = list(function._resolver.methods)
        if not any(_names(method.signature, old) for method in known):
            return
        function._resolved, function._pending = [], []
        function._resolver = function._new_resolver()
        for method in known:
            signature = _replaced_signature(method.signature, old, new)
            function.register(method.implementation, signature, signature.precedence)


def _types_of(signature: Signature) -> list[Any]:
    rest = [signature.varargs] if signature.has_varargs else []
    return [*signature.types, *rest]


def _names(signature: Signature, cls: type) -> bool:
    return any(_replaced(tp, cls, object) is not tp for tp in _types_of(signature))


def _replaced_signature(signature: Signature, old: type, new: type) -> Signature:
    varargs = signature.varargs
    if signature.has_varargs:
        varargs = _replaced(varargs, old, new)
    return Signature(
        *(_replaced(tp, old, new) for tp in signature.types),
        varargs=varargs,
        precedence=signature.precedence,
    )


def _replaced(tp: Any, old: type, new: type) -> Any:
    """The hint `tp` with `new` for `old`; `tp` itself if it does not name it."""
    if tp is old:
        return new
    if isinstance(tp, list):
        parts = [_replaced(part, old, new) for part in tp]
        return tp if all(map(lambda a, b: a is b, parts, tp)) else parts
    args = typing.get_args(tp)
    if not args or typing.get_origin(tp) is typing.Literal:
        return tp
    parts = [_replaced(arg, old, new) for arg in args]
    if all(a is b for a, b in zip(parts, args, strict=True)):
        return tp
    return _rebuild(tp, tuple(parts))


def activate_autoreload() -> None:
    """Takes part in IPython's autoreload."""
    global _update_instances_original
    from IPython.extensions import autoreload

    if autoreload.update_instances is not _update_instances:
        _update_instances_original = autoreload.update_instances
        autoreload.update_instances = _update_instances


def deactivate_autoreload() -> None:
    """No more."""
    if _update_instances_original is None:
        raise RuntimeError("Plum Autoreload module was never activated.")
    from IPython.extensions import autoreload

    autoreload.update_instances = _update_instances_original
