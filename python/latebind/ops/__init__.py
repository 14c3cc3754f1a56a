"""Tensors, operators and models on Latebind's dispatch.

What NumPy and PyTorch users expect, by the names of the array API standard where
it has one::

    from latebind import ops

    x = ops.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = ops.sum(ops.relu(x @ x) * 2)
    y.backward()
    print(x.grad)

A function of an operator is the operator itself, in C: `ops.add(a, b, out=c)` goes
from the call to the library without Python in between, by dispatch on device, dtype
and what is active around it. Arrays of NumPy and tensors of PyTorch are taken, too:
see `kind_of`.
"""

from __future__ import annotations

try:
    import latebind._ops  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"latebind.ops is not in this build of the package, or what it needs "
        f"(jansson) is not here: {error}"
    ) from error

from latebind._ops import (
    Call,
    DType,
    Kernel,
    NoKernelError,
    Operator,
    OpsWarning,
    Tensor,
    bfloat16,
    bool,  # noqa: A004 - the array API's name
    call,
    devices,
    explain,
    fallbacks,
    float16,
    float32,
    float64,
    infer,
    int8,
    int32,
    int64,
    load_plugin,
    operators,
    seed,
    synchronize,
    uint8,
)
from latebind._ops import function as get_operator
from latebind.ops import _around
from latebind.ops._around import (
    autocast,
    autograd,
    device,
    enable_grad,
    fallback,
    is_grad_enabled,
    layer,
    layers,
    log_shapes,
    nan_check,
    no_grad,
    profile,
)
from latebind.ops._create import (
    arange,
    asarray,
    empty,
    empty_like,
    eye,
    from_dlpack,
    full,
    full_like,
    linspace,
    normal,
    ones,
    ones_like,
    tensor,
    uniform,
    zeros,
    zeros_like,
)
from latebind.ops._dtypes import (
    __array_namespace_info__,
    can_cast,
    e,
    finfo,
    iinfo,
    inf,
    isdtype,
    nan,
    newaxis,
    pi,
    result_type,
)
from latebind.ops._extend import kernel, operator
from latebind.ops._functions import (
    BY_NAME,
    all,  # noqa: A004
    any,  # noqa: A004
    astype,
    broadcast_arrays,
    broadcast_to,
    clip,
    div,
    dropout,
    expand_dims,
    flatten,
    flip,
    gradients,
    isfinite,
    isinf,
    isnan,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    matrix_transpose,
    moveaxis,
    mul,
    neg,
    split,
    square,
    squeeze,
    std,
    sub,
    swapaxes,
    take,
    transpose,
    unstack,
)
from latebind.ops._interop import Kind, kind_of

# The operators themselves.
add = BY_NAME["add"]
subtract = BY_NAME["subtract"]
multiply = BY_NAME["multiply"]
divide = BY_NAME["divide"]
pow = BY_NAME["pow"]
minimum = BY_NAME["minimum"]
maximum = BY_NAME["maximum"]
equal = BY_NAME["equal"]
not_equal = BY_NAME["not_equal"]
less = BY_NAME["less"]
less_equal = BY_NAME["less_equal"]
greater = BY_NAME["greater"]
greater_equal = BY_NAME["greater_equal"]
negative = BY_NAME["negative"]
abs = BY_NAME["abs"]
sign = BY_NAME["sign"]
sqrt = BY_NAME["sqrt"]
exp = BY_NAME["exp"]
log = BY_NAME["log"]
tanh = BY_NAME["tanh"]
sigmoid = BY_NAME["sigmoid"]
silu = BY_NAME["silu"]
relu = BY_NAME["relu"]
gelu = BY_NAME["gelu"]
clamp = BY_NAME["clamp"]
where = BY_NAME["where"]
sum = BY_NAME["sum"]
mean = BY_NAME["mean"]
max = BY_NAME["max"]
min = BY_NAME["min"]
argmax = BY_NAME["argmax"]
var = BY_NAME["var"]
matmul = BY_NAME["matmul"]
linear = BY_NAME["linear"]
conv2d = BY_NAME["conv2d"]
max_pool2d = BY_NAME["max_pool2d"]
avg_pool2d = BY_NAME["avg_pool2d"]
softmax = BY_NAME["softmax"]
log_softmax = BY_NAME["log_softmax"]
cross_entropy = BY_NAME["cross_entropy"]
mse = BY_NAME["mse"]
layer_norm = BY_NAME["layer_norm"]
embedding = BY_NAME["embedding"]
gather = BY_NAME["gather"]
concat = BY_NAME["concat"]
stack = BY_NAME["stack"]
reshape = BY_NAME["reshape"]
permute_dims = BY_NAME["permute_dims"]
expand = BY_NAME["expand"]
cast = BY_NAME["cast"]
copy = BY_NAME["copy"]

__array_api_version__ = "2023.12"
# Which device tensors are made on, and why those are not there that could be.
best_device, missing_devices = _around.choose_device()

from latebind.ops import nn, optim  # noqa: E402
from latebind.ops.nn import load, save  # noqa: E402

__all__ = [
    "Call",
    "DType",
    "Kernel",
    "Kind",
    "NoKernelError",
    "Operator",
    "OpsWarning",
    "Tensor",
    "__array_api_version__",
    "__array_namespace_info__",
    "abs",
    "add",
    "all",
    "any",
    "arange",
    "argmax",
    "asarray",
    "astype",
    "autocast",
    "autograd",
    "avg_pool2d",
    "best_device",
    "bfloat16",
    "bool",
    "broadcast_arrays",
    "broadcast_to",
    "call",
    "can_cast",
    "cast",
    "clamp",
    "clip",
    "concat",
    "conv2d",
    "copy",
    "cross_entropy",
    "device",
    "devices",
    "div",
    "divide",
    "dropout",
    "e",
    "embedding",
    "empty",
    "empty_like",
    "enable_grad",
    "equal",
    "exp",
    "expand",
    "expand_dims",
    "explain",
    "eye",
    "fallback",
    "fallbacks",
    "finfo",
    "flatten",
    "flip",
    "float16",
    "float32",
    "float64",
    "from_dlpack",
    "full",
    "full_like",
    "gather",
    "gelu",
    "get_operator",
    "gradients",
    "greater",
    "greater_equal",
    "iinfo",
    "inf",
    "infer",
    "int32",
    "int64",
    "int8",
    "is_grad_enabled",
    "isdtype",
    "isfinite",
    "isinf",
    "isnan",
    "kernel",
    "kind_of",
    "layer",
    "layer_norm",
    "layers",
    "less",
    "less_equal",
    "linear",
    "linspace",
    "load",
    "load_plugin",
    "log",
    "log_shapes",
    "log_softmax",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "matmul",
    "matrix_transpose",
    "max",
    "max_pool2d",
    "maximum",
    "mean",
    "min",
    "minimum",
    "missing_devices",
    "moveaxis",
    "mse",
    "mul",
    "multiply",
    "nan",
    "nan_check",
    "neg",
    "negative",
    "newaxis",
    "nn",
    "no_grad",
    "normal",
    "not_equal",
    "ones",
    "ones_like",
    "operator",
    "operators",
    "optim",
    "permute_dims",
    "pi",
    "pow",
    "profile",
    "relu",
    "reshape",
    "result_type",
    "save",
    "seed",
    "sigmoid",
    "sign",
    "silu",
    "softmax",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "sub",
    "subtract",
    "sum",
    "swapaxes",
    "synchronize",
    "take",
    "tanh",
    "tensor",
    "transpose",
    "uint8",
    "uniform",
    "unstack",
    "var",
    "where",
    "zeros",
    "zeros_like",
]
