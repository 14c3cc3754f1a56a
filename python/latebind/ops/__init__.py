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
    from latebind import _ops
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
from latebind.ops import _around, _functions
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

globals().update(_functions.BY_NAME)

__array_api_version__ = "2023.12"
# Which device tensors are made on, and why those are not there that could be.
best_device, missing_devices = _around.choose_device()

from latebind.ops import nn, optim  # noqa: E402
from latebind.ops.nn import load, save  # noqa: E402

__all__ = [
    *_functions.BY_NAME,
    *(
        name
        for name in dir()
        if not name.startswith("_")
        and name not in _functions.BY_NAME
        and name != "annotations"
    ),
    "__array_api_version__",
    "__array_namespace_info__",
]
