"""Arrays of other libraries: taken without copying, given back of their own kind.

Which kind an array is of is dispatched on its type by `kind_of`, a generic function
of Latebind that is open: register a method that returns a `Kind` for a type of your
own, and every operator takes it.

The rule for calls: numbers of Python go with everything; arrays of one kind go
together, and the result is of that kind; two kinds in one call are a TypeError that
names both, since which of them the result should be nobody can know. `out` is of the
kind of the inputs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from latebind import _ops, generic
from latebind._ops import Operator, Tensor


class Kind(NamedTuple):
    """How arrays of a library become tensors, and tensors arrays."""

    name: str
    take: Callable[[Any], Tensor]
    give: Callable[[Tensor], Any]


@generic
def kind_of(array: object) -> Kind | None:
    """The kind that an array is of; None: it is no array."""
    return kind_by_protocol(array)


def kind_by_protocol(array: object) -> Kind | None:
    cls = type(array)
    if learn(cls):
        return kind_of(array)
    if hasattr(cls, "__dlpack__"):
        space = getattr(cls, "__array_namespace__", None)
        if space is not None:
            namespace = array.__array_namespace__()  # type: ignore[attr-defined]
            return Kind(cls.__name__, _ops._from_dlpack, namespace.from_dlpack)
    return None


_learned: set[str] = set()


def learn(cls: type) -> bool:
    """Registers what is known of a library whose type turns up; whether it was new."""
    for base in cls.__mro__:
        library = base.__module__.partition(".")[0]
        if library in _KNOWN and library not in _learned:
            _learned.add(library)
            _KNOWN[library]()
            return True
    return False


def _learn_numpy() -> None:
    import numpy

    def take(array: Any) -> Tensor:
        made = _ops._over_buffer(array)
        # Where elements lie askew, or not in this machine's order.
        return _ops._tensor(array.tolist(), array.dtype.name) if made is None else made

    numpy_kind = Kind("numpy.ndarray", take, lambda x: to_numpy(x.detach()))

    @kind_of.register(numpy.ndarray)
    def _(array: Any) -> Kind:
        return numpy_kind

    @kind_of.register(numpy.generic)
    def _(array: Any) -> Kind:
        return Kind(
            "numpy.ndarray", lambda one: take(numpy.asarray(one)), numpy_kind.give
        )


def _learn_torch() -> None:
    import torch

    def take(array: Any) -> Tensor:
        if array.requires_grad:
            raise TypeError(
                "a torch tensor that requires gradients: detach() it first, since "
                "PyTorch would not know what was done to it"
            )
        if array.dtype is torch.bool:  # which its DLPack does not know
            made = _ops._over_buffer(array.numpy())
            assert made is not None
            return made
        return _ops._from_dlpack(array)

    def give(made: Tensor) -> Any:
        made = made.detach()
        if made.dtype == "bool":
            return torch.from_numpy(to_numpy(made))
        return torch.utils.dlpack.from_dlpack(made.__dlpack__())

    torch_kind = Kind("torch.Tensor", take, give)

    @kind_of.register(torch.Tensor)
    def _(array: Any) -> Kind:
        return torch_kind


_KNOWN = {"numpy": _learn_numpy, "torch": _learn_torch}


def to_numpy(x: Tensor, dtype: Any = None, copy: Any = None) -> Any:
    """What `numpy.asarray` gives: of the same memory where that can be."""
    import numpy

    if x.requires_grad:
        raise ValueError("the tensor requires gradients; detach() first")
    moved = x._to_device("cpu") if x.device != "cpu" else x
    if moved.dtype == "bfloat16":  # which NumPy has not
        moved = _ops.function("cast")(moved, "f32")
    if copy is False and moved is not x:
        raise ValueError("NumPy cannot have this tensor without a copy")
    made = numpy.asarray(memoryview(moved))
    if dtype is not None:
        made = made.astype(dtype, copy=False)
    return made.copy() if copy else made


def view(obj: Any) -> Tensor | None:
    """A tensor over the memory of an array; None: it has none."""
    if isinstance(obj, Tensor):
        return obj
    if isinstance(obj, bool | int | float | list | tuple | str):
        return None
    kind = kind_of(obj)
    if kind is not None:
        return kind.take(obj)
    if hasattr(type(obj), "__dlpack__"):
        return _ops._from_dlpack(obj)
    return _ops._over_buffer(obj)


def plain(data: Any) -> Any:
    """What _tensor can read: a tensor for arrays, all else as it is."""
    if isinstance(data, bool | int | float | list | tuple | bytes | bytearray):
        return data
    made = view(data)
    return data if made is None else made


def _arrays(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    """What may be an array among the arguments, also in a list of them."""
    found: list[Any] = []
    words = [one for one in kwargs.values() if not isinstance(one, str)]
    for one in (*args, *words):
        if isinstance(one, list | tuple):
            found += [two for two in one if not isinstance(two, bool | int | float)]
        elif not isinstance(one, bool | int | float | None):
            found.append(one)
    return found


def _only_kind(operator: Operator, arrays: list[Any]) -> Kind:
    kinds: dict[str, Kind] = {}
    for one in arrays:
        if isinstance(one, Tensor):
            kinds["latebind.ops.Tensor"] = _OURS
            continue
        kind = kind_of(one)
        if kind is not None:
            kinds[kind.name] = kind
        elif not isinstance(one, type | _ops.DType):
            raise TypeError(
                f"{operator.__name__} takes tensors, arrays and numbers, not "
                f"{type(one).__name__}"
            )
    if len(kinds) != 1:
        raise TypeError(
            f"{operator.__name__} of several kinds of arrays: "
            + " and ".join(kinds)
            + "; convert them to one by ops.asarray"
            if kinds
            else f"{operator.__name__} takes tensors, arrays and numbers"
        )
    return next(iter(kinds.values()))


_OURS = Kind("latebind.ops.Tensor", lambda x: x, lambda x: x)


def adopt(operator: Operator, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Runs an operator on arrays of another library; what C calls for those."""
    kind = _only_kind(operator, _arrays(args, kwargs))

    def taken(one: Any) -> Any:
        if isinstance(one, list | tuple):
            return type(one)(taken(two) for two in one)
        if isinstance(one, bool | int | float | str | Tensor | type | None):
            return one
        return kind.take(one) if kind_of(one) is not None else one

    if kind is _OURS:
        raise TypeError(f"{operator.__name__} takes tensors, arrays and numbers")
    out = kwargs.get("out")
    result = operator(
        *[taken(one) for one in args],
        **{name: taken(one) for name, one in kwargs.items()},
    )
    if out is not None:
        return out
    return (
        tuple(kind.give(one) for one in result)
        if isinstance(result, tuple)
        else kind.give(result)
    )


_ops._set_adopt(adopt)


def loaded(library: str) -> bool:
    """Whether a library is in the process already."""
    return library in sys.modules
