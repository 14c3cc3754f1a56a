"""Kernels and operators that are written in Python."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from latebind import _ops
from latebind._ops import Kernel, Operator


def kernel(
    operator: str | Operator, *classes: str
) -> Callable[[Callable[..., Any]], Kernel]:
    """Makes a function the kernel of an operator for these classes of tensors.

    A class is "DEVICE.DTYPE" or "DEVICE", one for each tensor that the operator is
    chosen by::

        @ops.kernel("add", "cpu.i8", "cpu.i8")
        def saturating(a, b):
            ...

    The function gets the inputs, and the attributes as keywords. It returns the
    result; or it has a parameter `out`, and writes into that. `remove()` of what
    comes back takes the kernel away again.
    """
    name = operator if isinstance(operator, str) else operator.__name__

    def register(function: Callable[..., Any]) -> Kernel:
        try:
            wants_out = "out" in inspect.signature(function).parameters
        except (TypeError, ValueError):
            wants_out = False
        label = getattr(function, "__qualname__", repr(function))
        return _ops._kernel(name, classes, function, label, wants_out)

    return register


def operator(
    name: str | None = None,
    *,
    inputs: int | None = None,
    results: int = 1,
    attributes: dict[str, Any] | None = None,
    infer: Callable[..., Any] | None = None,
    gradient: Callable[..., Any] | None = None,
    promotes: bool = False,
    device: str | None = "cpu",
) -> Callable[[Callable[..., Any]], Operator]:
    """Makes a new operator; the function decorated is its kernel on `device`.

    ::

        @ops.operator(gradient=lambda ins, outs, g, factor: g * factor)
        def scaled(x, *, factor=2.0):
            return x * factor

    inputs      how many; by default the function's positional parameters
    attributes  their defaults; by default the function's keyword parameters'; a type
                (int, float, bool, tuple) where one has to be given
    infer       of the inputs and attributes the (dtype, shape) of the result (a list
                for several); by default inputs are promoted and broadcast together
    gradient    of (inputs, results, gradient of each result, attributes) the
                gradients by the inputs: one tensor, or a tuple with None for zero
    promotes    inputs of several dtypes are converted to one before the kernel
    device      None: the function is no kernel, others register theirs
    """

    def register(function: Callable[..., Any]) -> Operator:
        parameters = inspect.signature(function).parameters.values()
        places = [
            one
            for one in parameters
            if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
            and one.name != "out"
        ]
        words = {
            one.name: _default(one)
            for one in parameters
            if one.kind is one.KEYWORD_ONLY and one.name != "out"
        }
        label = name or function.__name__
        count = len(places) if inputs is None else inputs
        made = _ops._operator(
            label,
            count,
            results,
            words if attributes is None else attributes,
            infer,
            gradient,
            promotes,
        )
        if device is not None:
            kernel(label, *[device] * (2 if count >= 2 else 1))(function)
        return made

    return register


def _default(parameter: inspect.Parameter) -> Any:
    if parameter.default is not parameter.empty:
        return parameter.default
    known = {"int": int, "float": float, "bool": bool, "tuple": tuple}
    hint = parameter.annotation
    if isinstance(hint, str):
        hint = known.get(hint, hint)
    if hint in known.values():
        return hint
    raise TypeError(
        f"the attribute {parameter.name} wants a default, or int, float, bool or "
        "tuple as annotation"
    )
