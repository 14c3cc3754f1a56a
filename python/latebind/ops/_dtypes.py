"""What can be asked of dtypes, by the names of the array API standard."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from latebind import _ops
from latebind._ops import DType, Tensor

pi = math.pi
e = math.e
inf = math.inf
nan = math.nan
newaxis = None

ALL = (
    _ops.bool,
    _ops.uint8,
    _ops.int8,
    _ops.int32,
    _ops.int64,
    _ops.float16,
    _ops.bfloat16,
    _ops.float32,
    _ops.float64,
)
_KINDS = {
    "bool": ("bool",),
    "signed integer": ("int8", "int32", "int64"),
    "unsigned integer": ("uint8",),
    "integral": ("uint8", "int8", "int32", "int64"),
    "real floating": ("float16", "bfloat16", "float32", "float64"),
    "complex floating": (),
    "numeric": tuple(one.name for one in ALL if one.name != "bool"),
}
# bits, eps, largest, smallest normal
_FLOATS = {
    "float16": (16, 2.0**-10, 65504.0, 2.0**-14),
    "bfloat16": (16, 2.0**-7, (2 - 2.0**-7) * 2.0**127, 2.0**-126),
    "float32": (32, 2.0**-23, (2 - 2.0**-23) * 2.0**127, 2.0**-126),
    "float64": (64, 2.0**-52, 1.7976931348623157e308, 2.0**-1022),
}


def dtype_of(thing: Any) -> DType:
    """The dtype that a tensor has, or that a name stands for."""
    return thing.dtype if isinstance(thing, Tensor) else _ops.dtype_of(thing)


@dataclass(frozen=True)
class finfo:
    """The limits of a floating dtype."""

    dtype: DType
    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float

    def __init__(self, type: Any) -> None:
        dtype = dtype_of(type)
        if dtype.name not in _FLOATS:
            raise TypeError(f"finfo is for floating dtypes, not {dtype}; see iinfo")
        bits, eps, largest, smallest = _FLOATS[dtype.name]
        values = (dtype, bits, eps, largest, -largest, smallest)
        for name, value in zip(self.__dataclass_fields__, values, strict=True):
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class iinfo:
    """The limits of an integer dtype."""

    dtype: DType
    bits: int
    max: int
    min: int

    def __init__(self, type: Any) -> None:
        dtype = dtype_of(type)
        if dtype.kind != "integral":
            raise TypeError(f"iinfo is for integer dtypes, not {dtype}; see finfo")
        bits = dtype.itemsize * 8
        signed = dtype != _ops.uint8
        largest = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
        values = (dtype, bits, largest, -largest - 1 if signed else 0)
        for name, value in zip(self.__dataclass_fields__, values, strict=True):
            object.__setattr__(self, name, value)


def _weak(number: Any) -> DType | None:
    if isinstance(number, bool):
        return _ops.bool
    if isinstance(number, int):
        return _ops.int64
    return _ops.float32 if isinstance(number, float) else None


def result_type(*arrays_and_dtypes: Any) -> DType:
    """What operands of these become together; numbers of Python adapt."""
    strong: DType | None = None
    weak: DType | None = None
    for one in arrays_and_dtypes:
        number = _weak(one)
        if number is not None:
            weak = number if weak is None else _ops._promote(weak, number)
            continue
        dtype = dtype_of(one)
        strong = dtype if strong is None else _ops._promote(strong, dtype)
    if strong is None:
        if weak is None:
            raise ValueError("result_type wants at least one operand")
        return weak
    return strong if weak is None else _ops._promote_weak(strong, weak)


def can_cast(from_: Any, to: Any, /) -> bool:
    """Whether `to` holds all that `from_` promotes into."""
    target = dtype_of(to)
    return _ops._promote(dtype_of(from_), target) == target


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a dtype is another, or of a kind ("integral"), or of one of several."""
    if isinstance(kind, tuple):
        return any(isdtype(dtype, one) for one in kind)
    name = dtype_of(dtype).name
    if isinstance(kind, str) and kind in _KINDS and kind != "bool":
        return name in _KINDS[kind]
    try:
        return name == dtype_of(kind).name
    except TypeError:
        raise ValueError(
            f"{kind!r} is neither a dtype nor a kind; the kinds are "
            + ", ".join(_KINDS)
        ) from None


class Info:
    """What the array API asks of a namespace."""

    def capabilities(self) -> dict[str, Any]:
        return {
            "boolean indexing": True,
            "data-dependent shapes": True,
            "max dimensions": 16,
        }

    def default_device(self) -> str:
        return _ops._get_device()

    def devices(self) -> list[str]:
        return [name for name, *_ in _ops.devices()]

    def default_dtypes(self, *, device: str | None = None) -> dict[str, DType]:
        return {
            "real floating": _ops.float32,
            "integral": _ops.int64,
            "indexing": _ops.int64,
        }

    def dtypes(
        self, *, device: str | None = None, kind: Any = None
    ) -> dict[str, DType]:
        return {one.name: one for one in ALL if kind is None or isdtype(one, kind)}


def __array_namespace_info__() -> Info:
    return Info()
