"""Making tensors."""

from __future__ import annotations

from typing import Any

from latebind import _ops
from latebind._ops import Tensor
from latebind.ops import _interop

_create = _ops._create


def tensor(
    data: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor with these elements, copied: numbers, nested sequences, arrays.

    Without `dtype` floats are float32, integers int64, and arrays keep theirs.
    """
    if not isinstance(data, Tensor):
        data = _interop.plain(data)
    made = _ops._tensor(data, dtype)
    if device is not None:
        made = made._to_device(device)
    if requires_grad:
        made.requires_grad = True
    return made


def asarray(
    obj: Any, /, dtype: Any = None, device: str | None = None, copy: bool | None = None
) -> Tensor:
    """A tensor of `obj`, over the same memory where that can be.

    copy: True always copies; False raises a ValueError where a copy would be needed;
    None copies where it is needed.
    """
    made = _interop.view(obj)
    if made is None:
        if copy is False:
            raise ValueError(f"a {type(obj).__name__} cannot be taken without a copy")
        return tensor(obj, dtype, device)
    same = (dtype is None or made.dtype == _ops.dtype_of(dtype)) and (
        device is None or made.device == device
    )
    if same and not copy:
        return made
    if copy is False:
        raise ValueError("another dtype or device cannot be had without a copy")
    if device is not None and made.device != device:
        made = made._to_device(device)
    if dtype is not None and made.dtype != _ops.dtype_of(dtype):
        return cast(made, dtype)
    return made.copy() if copy else made


cast = _ops.function("cast")


def from_dlpack(
    x: Any, /, *, device: str | None = None, copy: bool | None = None
) -> Tensor:
    """A tensor over the memory of anything that has `__dlpack__`."""
    made = _ops._from_dlpack(x)
    if device is not None and made.device != device:
        if copy is False:
            raise ValueError("another device cannot be had without a copy")
        made = made._to_device(device)
    return made.copy() if copy else made


def _finish(made: Tensor, requires_grad: bool) -> Tensor:
    if requires_grad:
        made.requires_grad = True
    return made


def empty(shape: Any, *, dtype: Any = "f32", device: str | None = None) -> Tensor:
    """A tensor whose elements are not set."""
    return _create("empty", shape, dtype or "f32", device)


def full(
    shape: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of one value."""
    if isinstance(fill_value, Tensor):
        dtype = dtype or fill_value.dtype
        fill_value = fill_value.item()
    if dtype is None:
        dtype = (
            "bool"
            if isinstance(fill_value, bool)
            else "i64"
            if isinstance(fill_value, int)
            else "f32"
        )
    return _finish(_create("fill", shape, dtype, device, fill_value), requires_grad)


def zeros(
    shape: Any,
    *,
    dtype: Any = "f32",
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of zeros."""
    return _finish(_create("fill", shape, dtype or "f32", device, 0), requires_grad)


def ones(
    shape: Any,
    *,
    dtype: Any = "f32",
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of ones."""
    return _finish(_create("fill", shape, dtype or "f32", device, 1), requires_grad)


def empty_like(x: Tensor, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    return empty(x.shape, dtype=dtype or x.dtype, device=device or x.device)


def full_like(
    x: Tensor, /, fill_value: Any, *, dtype: Any = None, device: Any = None
) -> Tensor:
    return full(x.shape, fill_value, dtype=dtype or x.dtype, device=device or x.device)


def zeros_like(x: Tensor, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    return zeros(x.shape, dtype=dtype or x.dtype, device=device or x.device)


def ones_like(x: Tensor, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    return ones(x.shape, dtype=dtype or x.dtype, device=device or x.device)


def arange(
    start: float,
    /,
    stop: float | None = None,
    step: float = 1,
    *,
    dtype: Any = None,
    device: str | None = None,
) -> Tensor:
    """start, start + step, ... before stop."""
    if stop is None:
        start, stop = 0, start
    if step == 0:
        raise ValueError("arange: the step is 0")
    if dtype is None:
        whole = all(isinstance(one, int) for one in (start, stop, step))
        dtype = "i64" if whole else "f32"
    if isinstance(start, int) and isinstance(stop, int) and isinstance(step, int):
        count = len(range(start, stop, step))
    else:
        count = max(0, _ceil((stop - start) / step))
    return _create("arange", (count,), dtype, device, start, step)


def _ceil(number: float) -> int:
    whole = int(number)
    return whole + (whole < number)


def linspace(
    start: float,
    stop: float,
    /,
    num: int,
    *,
    dtype: Any = "f32",
    device: str | None = None,
    endpoint: bool = True,
) -> Tensor:
    """`num` numbers at even distances."""
    parts = num - 1 if endpoint else num
    step = (stop - start) / parts if parts > 0 else 0.0
    return _create("arange", (num,), dtype or "f32", device, float(start), step)


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: Any = "f32",
    device: str | None = None,
) -> Tensor:
    """Ones in the diagonal number `k`, zeros elsewhere."""
    columns = n_rows if n_cols is None else n_cols
    row = _create("arange", (n_rows, 1)[:1], "i64", device, 0, 1)
    column = _create("arange", (columns,), "i64", device, 0, 1)
    return cast(row[:, None] + k == column[None, :], dtype or "f32")


def uniform(
    shape: Any = (),
    low: float = 0.0,
    high: float = 1.0,
    *,
    dtype: Any = "f32",
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Random numbers in [low, high); see `seed`."""
    made = _create("uniform", shape, dtype or "f32", device, low, high)
    return _finish(made, requires_grad)


def normal(
    shape: Any = (),
    mean: float = 0.0,
    deviation: float = 1.0,
    *,
    dtype: Any = "f32",
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normally distributed random numbers; see `seed`."""
    made = _create("normal", shape, dtype or "f32", device, mean, deviation)
    return _finish(made, requires_grad)
