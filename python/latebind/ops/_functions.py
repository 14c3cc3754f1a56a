"""Functions that are made of operators, and what tensors have as methods."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any

from latebind import _ops
from latebind._ops import Tensor

_function = _ops.function

# The operators as they are. Names of the array API first, PyTorch's beside them.
NAMES = {
    "add": "add",
    "subtract": "sub",
    "multiply": "mul",
    "divide": "div",
    "pow": "pow",
    "minimum": "minimum",
    "maximum": "maximum",
    "equal": "equal",
    "not_equal": "not_equal",
    "less": "less",
    "less_equal": "less_equal",
    "greater": "greater",
    "greater_equal": "greater_equal",
    "negative": "neg",
    "abs": "abs",
    "sign": "sign",
    "sqrt": "sqrt",
    "exp": "exp",
    "log": "log",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "silu": "silu",
    "relu": "relu",
    "gelu": "gelu",
    "clamp": "clamp",
    "where": "where",
    "sum": "sum",
    "mean": "mean",
    "max": "max",
    "min": "min",
    "argmax": "argmax",
    "var": "var",
    "matmul": "matmul",
    "linear": "linear",
    "conv2d": "conv2d",
    "max_pool2d": "max_pool2d",
    "avg_pool2d": "avg_pool2d",
    "softmax": "softmax",
    "log_softmax": "log_softmax",
    "cross_entropy": "cross_entropy",
    "mse": "mse",
    "layer_norm": "layer_norm",
    "embedding": "embedding",
    "gather": "gather",
    "concat": "concat",
    "stack": "stack",
    "reshape": "reshape",
    "permute_dims": "transpose",
    "expand": "expand",
    "cast": "cast",
    "copy": "copy",
}
BY_NAME = {ours: _function(theirs) for ours, theirs in NAMES.items()}
sub, mul, div, neg = (
    BY_NAME[n] for n in ("subtract", "multiply", "divide", "negative")
)
_cast, _reshape, _expand, _copy = (
    BY_NAME[n] for n in ("cast", "reshape", "expand", "copy")
)
_transpose = BY_NAME["permute_dims"]


def astype(
    x: Tensor, dtype: Any, /, *, copy: bool = True, device: Any = None
) -> Tensor:
    """The elements as another dtype."""
    if device is not None and device != x.device:
        x = x._to_device(device)
    if x.dtype == _ops.dtype_of(dtype):
        return _copy(x) if copy else x
    return _cast(x, dtype)


def to(x: Tensor, *where: Any, dtype: Any = None, device: str | None = None) -> Tensor:
    """On a device, of a dtype, or both: x.to("cpu"), x.to(ops.float64)."""
    for one in where:
        if isinstance(one, str) and one in device_names():
            device = one
        else:
            dtype = one
    if device is not None:
        x = x._to_device(device)
    return x if dtype is None else astype(x, dtype, copy=False)


def device_names() -> list[str]:
    return ["auto", *(name for name, *_ in _ops.devices())]


def _axis(axis: int, ndim: int) -> int:
    if not -ndim <= axis < ndim:
        raise IndexError(f"axis {axis} is out of bounds for {ndim} dimensions")
    return axis % ndim


def expand_dims(x: Tensor, /, *, axis: int = 0) -> Tensor:
    """A dimension of size 1 more."""
    at = _axis(axis, x.ndim + 1)
    return x[(slice(None),) * at + (None,)]


def squeeze(x: Tensor, /, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """Without dimensions of size 1: those given, or all."""
    if axis is None:
        drop = [i for i, n in enumerate(x.shape) if n == 1]
    else:
        axes = axis if isinstance(axis, tuple) else (axis,)
        drop = [_axis(one, x.ndim) for one in axes]
        for one in drop:
            if x.shape[one] != 1:
                raise ValueError(f"axis {one} has size {x.shape[one]}, not 1")
    return _reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in drop))


def flatten(x: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Several dimensions as one."""
    if x.ndim == 0:
        return _reshape(x, (1,))
    start, end = _axis(start_dim, x.ndim), _axis(end_dim, x.ndim)
    size = math.prod(x.shape[start : end + 1])
    return _reshape(x, (*x.shape[:start], size, *x.shape[end + 1 :]))


def transpose(x: Tensor, *axes: Any) -> Tensor:
    """As NumPy's: a permutation, none: reversed; of two numbers as PyTorch's."""
    if len(axes) == 2 and x.ndim != 2:
        return swapaxes(x, *axes)
    if len(axes) == 1 and not isinstance(axes[0], int):
        axes = tuple(axes[0])
    return _transpose(x, axes or tuple(range(x.ndim))[::-1])


def swapaxes(x: Tensor, a: int, b: int) -> Tensor:
    """Two dimensions exchanged."""
    order = list(range(x.ndim))
    a, b = _axis(a, x.ndim), _axis(b, x.ndim)
    order[a], order[b] = order[b], order[a]
    return _transpose(x, tuple(order))


def matrix_transpose(x: Tensor, /) -> Tensor:
    """The last two dimensions exchanged."""
    return x.mT


def moveaxis(x: Tensor, source: int, destination: int, /) -> Tensor:
    """One dimension at another place."""
    order = [i for i in range(x.ndim) if i != _axis(source, x.ndim)]
    order.insert(_axis(destination, x.ndim), _axis(source, x.ndim))
    return _transpose(x, tuple(order))


def flip(x: Tensor, /, *, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """The order of the elements reversed."""
    axes = (
        range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    )
    turned = {_axis(one, x.ndim) for one in axes}
    return x[tuple(slice(None, None, -1 if i in turned else 1) for i in range(x.ndim))]


def broadcast_to(x: Tensor, /, shape: Any) -> Tensor:
    """A view of a larger shape, by the rules of broadcasting."""
    return _expand(x, shape)


def broadcast_arrays(*arrays: Tensor) -> list[Tensor]:
    """All of one shape."""
    shape: tuple[int, ...] = ()
    for one in arrays:
        wide = max(len(shape), one.ndim)
        a = (1,) * (wide - len(shape)) + shape
        b = (1,) * (wide - one.ndim) + one.shape
        if builtins.any(m != n and 1 not in (m, n) for m, n in zip(a, b, strict=True)):
            raise ValueError(f"shapes {shape} and {one.shape} do not go together")
        shape = tuple(n if m == 1 else m for m, n in zip(a, b, strict=True))
    return [_expand(one, shape) for one in arrays]


def split(x: Tensor, sizes: int | Sequence[int], axis: int = 0) -> tuple[Tensor, ...]:
    """Views of parts of these sizes along an axis; of one size: all there are."""
    axis = _axis(axis, x.ndim)
    length = x.shape[axis]
    if isinstance(sizes, int):
        if sizes < 1:
            raise ValueError("the size of the parts is at least 1")
        sizes = [min(sizes, length - at) for at in range(0, length, sizes)]
    if builtins.sum(sizes) != length or builtins.any(n < 0 for n in sizes):
        raise ValueError(f"parts of {list(sizes)} do not make up {length}")
    parts, at = [], 0
    for size in sizes:
        parts.append(x[(slice(None),) * axis + (slice(at, at + size),)])
        at += size
    return tuple(parts)


def unstack(x: Tensor, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """The parts along an axis, without it."""
    axis = _axis(axis, x.ndim)
    lead = (slice(None),) * axis
    return tuple(x[(*lead, i)] for i in range(x.shape[axis]))


def take(x: Tensor, indices: Tensor, /, *, axis: int = 0) -> Tensor:
    """The elements at these places of an axis."""
    axis = _axis(axis, x.ndim)
    if axis == 0:
        return x[indices]
    chosen = moveaxis(x, axis, 0)[indices]
    return moveaxis(chosen, 0, axis) if indices.ndim == 1 else chosen


def clip(x: Tensor, /, min: Any = None, max: Any = None) -> Tensor:
    """The elements, but not below `min` nor above `max`."""
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        x = x if min is None else BY_NAME["maximum"](x, min)
        return x if max is None else BY_NAME["minimum"](x, max)
    low = -math.inf if min is None else min
    return BY_NAME["clamp"](x, low, math.inf if max is None else max)


def square(x: Tensor, /) -> Tensor:
    return x * x


def std(
    x: Tensor, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False
) -> Tensor:
    """The standard deviation."""
    return BY_NAME["sqrt"](
        BY_NAME["var"](x, dims=axis, correction=correction, keep=keepdims)
    )


def prod_shape(shape: Sequence[int]) -> int:
    return math.prod(shape)


def _truth(x: Any) -> Tensor:
    return x if x.dtype == "bool" else x != 0


def logical_not(x: Tensor, /) -> Tensor:
    return ~_truth(x)


def logical_and(a: Tensor, b: Tensor, /) -> Tensor:
    return _truth(a) & _truth(b)


def logical_or(a: Tensor, b: Tensor, /) -> Tensor:
    return _truth(a) | _truth(b)


def logical_xor(a: Tensor, b: Tensor, /) -> Tensor:
    return _truth(a) ^ _truth(b)


def all(x: Tensor, /, *, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Whether all elements hold."""
    count = BY_NAME["sum"](_cast(~_truth(x), "i64"), dims=axis, keep=keepdims)
    return count == 0


def any(x: Tensor, /, *, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Whether one element holds."""
    return BY_NAME["sum"](_cast(_truth(x), "i64"), dims=axis, keep=keepdims) != 0


def isnan(x: Tensor, /) -> Tensor:
    return x != x


def isinf(x: Tensor, /) -> Tensor:
    return BY_NAME["abs"](x) == math.inf


def isfinite(x: Tensor, /) -> Tensor:
    return BY_NAME["abs"](x) < math.inf


def dropout(x: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """A share `p` of the elements becomes 0, the rest is scaled by 1 / (1 - p)."""
    return _ops._dropout(x, p) if training and p > 0 else x


def backward(
    x: Tensor, gradient: Tensor | None = None, retain_graph: bool = False
) -> None:
    """Adds the gradient of x by every leaf that it was made from to leaf.grad."""
    x._backward(gradient, retain_graph)


def gradients(
    result: Tensor,
    inputs: Sequence[Tensor],
    gradient: Tensor | None = None,
    *,
    create_graph: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of `result` by `inputs`, which keep none themselves."""
    return _ops._gradients(result, tuple(inputs), gradient, create_graph)


def requires_grad_(x: Tensor, on: bool = True) -> Tensor:
    """Sets requires_grad; gives x."""
    x.requires_grad = on
    return x


def numpy(x: Tensor) -> Any:
    """An array of NumPy, of the same memory where that can be."""
    from latebind.ops import _interop

    return _interop.to_numpy(x)


def fill_(x: Tensor, value: Any) -> Tensor:
    """Every element becomes `value`; gives x."""
    x[...] = value
    return x


METHODS = {
    **{
        name: BY_NAME[name]
        for name in [
            "abs",
            "sqrt",
            "exp",
            "log",
            "tanh",
            "sigmoid",
            "relu",
            "sign",
            "sum",
            "mean",
            "max",
            "min",
            "argmax",
            "var",
            "matmul",
            "softmax",
            "log_softmax",
            "gather",
            "reshape",
            "expand",
            "clamp",
            "where",
        ]
    },
    "permute": _transpose,
    "transpose": transpose,
    "swapaxes": swapaxes,
    "view": _reshape,
    "squeeze": squeeze,
    "unsqueeze": lambda x, axis: expand_dims(x, axis=axis),
    "flatten": flatten,
    "split": split,
    "std": std,
    "all": all,
    "any": any,
    "astype": astype,
    "to": to,
    "to_device": lambda x, device, /, *, stream=None: x._to_device(device),
    "cpu": lambda x: x._to_device("cpu"),
    "float": lambda x: astype(x, "f32", copy=False),
    "backward": backward,
    "requires_grad_": requires_grad_,
    "numpy": numpy,
    "fill_": fill_,
}
for _name, _method in METHODS.items():
    setattr(Tensor, _name, _method)
del _name, _method
