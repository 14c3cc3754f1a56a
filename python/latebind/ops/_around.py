"""What is active around operators: devices, gradients, layers.

Each is of the thread that sets it. The functions give objects for `with`.
"""

from __future__ import annotations

import functools
import os
import threading
import warnings
from collections.abc import Callable
from typing import Any

from latebind import _ops
from latebind._ops import Layer


class device(str):
    """`device()`: the name of the one that tensors are made on.

    `with device("cpu"):` makes another one the default within. "auto" is the best
    there is, decided once, when the package is imported.
    """

    _before: list[str]

    def __new__(cls, name: str | None = None) -> device:
        made = super().__new__(cls, name or _ops._get_device())
        made._before = []
        return made

    def __enter__(self) -> device:
        before = _ops._get_device()
        _ops._set_device(str(self))
        self._before.append(before)
        return self

    def __exit__(self, *error: object) -> None:
        _ops._set_device(self._before.pop())


_policies = threading.local()


class fallback:
    """`with fallback("error"):` what happens where a device lacks a kernel.

    "warn" runs on the CPU and says so once per operator, "silent" says nothing,
    "error" raises NoKernelError.
    """

    def __init__(self, policy: str) -> None:
        self._before = getattr(_policies, "policy", "warn")
        _ops._set_fallback(policy)
        _policies.policy = policy

    def __enter__(self) -> fallback:
        return self

    def __exit__(self, *error: object) -> None:
        _ops._set_fallback(self._before)
        _policies.policy = self._before


class _Recording:
    """`with no_grad():` and `@no_grad()`."""

    _on: bool

    def __init__(self) -> None:
        self._before: list[bool] = []

    def __enter__(self) -> _Recording:
        self._before.append(_ops._recording(self._on))
        return self

    def __exit__(self, *error: object) -> None:
        _ops._recording(self._before.pop())

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with type(self)():
                return function(*args, **kwargs)

        return wrapped


class no_grad(_Recording):
    """Within, no gradients are recorded."""

    _on = False


class enable_grad(_Recording):
    """Within a no_grad(), they are again."""

    _on = True


def is_grad_enabled() -> bool:
    """Whether gradients are recorded in this thread."""
    return _ops._recording()


def layers() -> tuple[Layer, ...]:
    """The layers that were activated in this thread, outermost first."""
    return _ops._get_layers()


class _Active:
    """A layer, outermost within a `with`."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer

    def __enter__(self) -> Layer:
        _ops._set_layers((self._layer, *_ops._get_layers()))
        return self._layer

    def __exit__(self, *error: object) -> None:
        _ops._drop_layer(self._layer)


class layer:
    """Makes a function a layer around operators: `@layer`, or `@layer(operators=...)`.

    The function gets the call and what comes next::

        @ops.layer
        def double(call, next):
            return next() * 2

        with double:
            ...

    Layers are outermost first: the one activated last sees a call first. What an
    operator calls within the function goes to the layers further in.
    """

    def __init__(
        self,
        function: Callable[..., Any] | None = None,
        *,
        operators: tuple[str, ...] | list[str] | None = None,
    ) -> None:
        self._operators = None if operators is None else tuple(operators)
        self._layer: Layer | None = None
        self.function = function
        if function is not None:
            self._make(function)

    def _make(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        name = getattr(function, "__name__", "layer")
        self._layer = _ops._layer("python", function, name, self._operators)

    def __call__(self, *args: Any) -> Any:
        if self._layer is None:
            self._make(args[0])
            return self
        assert self.function is not None
        return self.function(*args)

    def __enter__(self) -> layer:
        if self._layer is None:
            raise TypeError("layer(operators=...) decorates a function first")
        _ops._set_layers((self._layer, *_ops._get_layers()))
        return self

    def __exit__(self, *error: object) -> None:
        _ops._drop_layer(self._layer)


def autograd() -> Any:
    """Places autograd among the layers by hand: outside those that are active.

    Without it, gradients are recorded by the innermost layer as soon as a tensor
    requires them.
    """
    return _Active(_ops._layer("autograd"))


def autocast(dtype: Any = "bf16") -> Any:
    """Products and convolutions in a half type, what must be precise in float32."""
    return _Active(_ops._layer("autocast", dtype))


def nan_check() -> Any:
    """Raises as soon as an operator gives a NaN or an infinity that is new."""
    return _Active(_ops._layer("nan_check"))


def log_shapes(report: Callable[[str], object] = print) -> Any:
    """Calls `report` with a line per operator: `add(f32[2], f32[2]) -> f32[2]`."""
    return _Active(_ops._layer("shape_logger", report))


def profile() -> Any:
    """Measures operators: `with profile() as p: ...`, then p.table(), p.trace(path)."""
    return _Active(_ops._layer("profiler"))


def choose_device() -> tuple[str, tuple[str, ...]]:
    """Decides what "auto" is, once; LATEBIND_OPS_DEVICE names another device.

    Also gives why devices that could be are not there.
    """
    wanted = os.environ.get("LATEBIND_OPS_DEVICE") or "auto"
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", _ops.OpsWarning)
        best = _ops._open_all(wanted)
    return best, tuple(str(one.message) for one in told)
