"""Modules: parts with parameters.

A module is a class with a method `forward`; what is assigned to it that is a
`Parameter` or a module belongs to it::

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(64, 32)
            self.second = nn.Linear(32, 10)

        def forward(self, x):
            return self.second(ops.relu(self.first(x)))

Calling a module calls `forward`, from C. The modules here are the library's own
(`Linear` and so on): their parameters are tensors of the C module, so that replacing
one writes into it.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

from latebind import _ops
from latebind._ops import ModuleBase, Native, Tensor
from latebind.ops._around import no_grad
from latebind.ops._functions import BY_NAME, dropout

relu = BY_NAME["relu"]
gelu = BY_NAME["gelu"]
silu = BY_NAME["silu"]
sigmoid = BY_NAME["sigmoid"]
tanh = BY_NAME["tanh"]
softmax = BY_NAME["softmax"]
log_softmax = BY_NAME["log_softmax"]
cross_entropy = BY_NAME["cross_entropy"]
mse_loss = BY_NAME["mse"]
layer_norm = BY_NAME["layer_norm"]
linear = BY_NAME["linear"]
conv2d = BY_NAME["conv2d"]
max_pool2d = BY_NAME["max_pool2d"]
avg_pool2d = BY_NAME["avg_pool2d"]
embedding = BY_NAME["embedding"]


def Parameter(data: Any, requires_grad: bool = True) -> Tensor:
    """A leaf that gradients are wanted of; assigned to a module, it is learned."""
    made = data.detach() if isinstance(data, Tensor) else _ops._tensor(data)
    made.requires_grad = requires_grad
    return made


class Buffer:
    """`self.mean = Buffer(tensor)`: saved with the module, but not learned."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


class Module(ModuleBase):
    """What models derive from."""

    training: bool = True
    _tensors: dict[str, Tensor]
    _learned: set[str]
    _children: dict[str, Module]

    def __new__(cls, *args: Any, **kwargs: Any) -> Module:
        # Not in __init__, which classes forget to call.
        made = super().__new__(cls)
        set_plain = object.__setattr__
        set_plain(made, "_tensors", {})
        set_plain(made, "_learned", set())
        set_plain(made, "_children", {})
        return made

    def __init__(self) -> None:
        pass

    def forward(self, *inputs: Any) -> Any:
        """What the module makes of its inputs; every class has its own."""
        raise NotImplementedError(
            f"{type(self).__name__} has no method forward: define "
            f"`def forward(self, x)` in it, or in a class that it derives from"
        )

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Module):
            self._forget(name)
            self._children[name] = value
        elif isinstance(value, Buffer):
            self._forget(name)
            self._tensors[name] = value = value.tensor
        elif isinstance(value, Tensor) and name in self._tensors:
            self._tensors[name] = value
        elif isinstance(value, Tensor) and value.requires_grad:
            self._forget(name)
            self._tensors[name] = value
            self._learned.add(name)
        else:
            self._forget(name)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        self._forget(name)
        object.__delattr__(self, name)

    def _forget(self, name: str) -> None:
        self._tensors.pop(name, None)
        self._children.pop(name, None)
        self._learned.discard(name)

    # What is in it -----------------------------------------------------------

    def children(self) -> Iterator[Module]:
        """The modules in it, without those in them."""
        yield from self._children.values()

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Itself and all below it, with their paths."""
        yield prefix, self
        for name, child in self._children.items():
            yield from child.named_modules(f"{prefix}.{name}" if prefix else name)

    def modules(self) -> Iterator[Module]:
        for _, one in self.named_modules():
            yield one

    def _own(self) -> Iterator[tuple[str, Tensor, bool]]:
        for name, one in self._tensors.items():
            yield name, one, name in self._learned

    def _all(self) -> Iterator[tuple[str, Tensor, bool]]:
        """Every tensor once, with its path and whether it is learned."""
        seen: set[int] = set()
        for path, module in self.named_modules():
            for name, one, learned in module._own():
                if id(one) not in seen:
                    seen.add(id(one))
                    yield (f"{path}.{name}" if path else name), one, learned

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """What is learned, with the paths."""
        for path, one, learned in self._all():
            if learned:
                yield path, one

    def parameters(self) -> Iterator[Tensor]:
        for _, one in self.named_parameters():
            yield one

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """What is saved and not learned, with the paths."""
        for path, one, learned in self._all():
            if not learned:
                yield path, one

    def size(self) -> int:
        """The number of elements of all parameters."""
        return sum(one.size for one in self.parameters())

    # Settings ----------------------------------------------------------------

    def train(self, mode: bool = True) -> Module:
        """Training (or evaluation) for itself and all below it; gives itself."""
        for one in self.modules():
            one._train(mode)
        return self

    def _train(self, mode: bool) -> None:
        object.__setattr__(self, "training", mode)

    def eval(self) -> Module:
        return self.train(False)

    def zero_grad(self) -> None:
        """Drops all gradients."""
        for one in self.parameters():
            one.grad = None

    def requires_grad_(self, on: bool = True) -> Module:
        for one in self.parameters():
            one.requires_grad = on
        return self

    # Checkpoints -------------------------------------------------------------

    def state_dict(self) -> dict[str, Tensor]:
        """Parameters and buffers by their paths."""
        return OrderedDict((path, one.detach()) for path, one, _ in self._all())

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Writes into parameters and buffers; all fit, or nothing is changed."""
        mine = {path: one for path, one, _ in self._all()}
        missing = [one for one in mine if one not in state]
        unknown = [one for one in state if one not in mine]
        if missing or unknown:
            raise KeyError(
                "the state does not fit the module:"
                + (f" missing {', '.join(missing)}" if missing else "")
                + (";" if missing and unknown else "")
                + (f" too much {', '.join(unknown)}" if unknown else "")
            )
        for path, one in mine.items():
            shape = tuple(state[path].shape)
            if shape != one.shape:
                raise ValueError(f"{path} is {one.shape}, in the state {shape}")
        with no_grad():
            for path, one in mine.items():
                one.detach()[...] = _ops._tensor(_plain(state[path]))

    def save(
        self, path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None
    ) -> None:
        """Writes the state to a file in the safetensors format."""
        save(self.state_dict(), path, metadata)

    def load(self, path: str | os.PathLike[str]) -> Module:
        """Reads what `save` wrote; gives itself."""
        self.load_state_dict(load(path))
        return self

    # Appearance --------------------------------------------------------------

    def extra_repr(self) -> str:
        return ""

    def __repr__(self) -> str:
        if not self._children:
            return f"{type(self).__name__}({self.extra_repr()})"
        lines = [
            f"  ({name}): " + repr(child).replace("\n", "\n  ")
            for name, child in self._children.items()
        ]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])

    # Copies and pickles: the tensors of native modules are made anew, and written.

    def __reduce_ex__(self, protocol: Any) -> Any:
        state = {k: v for k, v in self.__dict__.items() if k not in _NOT_KEPT}
        return _empty, (type(self),), state

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)
        self._remake()

    def _remake(self) -> None:
        """Makes what is not kept in a copy."""


_NOT_KEPT = ("_native", "forward")


def _empty(cls: Any) -> Any:
    return cls.__new__(cls)


def _plain(data: Any) -> Any:
    from latebind.ops import _interop

    return data if isinstance(data, Tensor) else _interop.plain(data)


# The library's own ----------------------------------------------------------


class _NativeModule(Module):
    """A module of the library, whose parameters are its tensors."""

    _native: Native
    _made_of: tuple[Any, ...]

    def _make(self, *what: Any) -> None:
        object.__setattr__(self, "_made_of", what)
        self._remake()

    def _remake(self) -> None:
        values, self_set = dict(self._tensors), object.__setattr__
        native = Native(*self._made_of)
        self_set(self, "_native", native)
        if type(self).forward is _NativeModule.forward:
            self_set(self, "forward", native)  # a call less
        for path, one, learned in native.tensors():
            self._tensors[path] = one
            if learned:
                self._learned.add(path)
            if "." not in path:
                self_set(self, path, one)
            if path in values:
                one.detach()[...] = values[path].detach()
                if one.requires_grad != values[path].requires_grad:
                    one.requires_grad = values[path].requires_grad
        native.train(self.training)

    def forward(self, x: Any) -> Any:
        return self._native(x)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._tensors:
            super().__setattr__(name, value)
            return
        if not isinstance(value, Tensor):
            value = _ops._tensor(_plain(value))
        mine = self._tensors[name]
        if value.shape != mine.shape:
            raise ValueError(f"{name} is {mine.shape}, not {value.shape}")
        with no_grad():
            mine.detach()[...] = value.detach()

    def _train(self, mode: bool) -> None:
        super()._train(mode)
        self._native.train(mode)

    def __getattr__(self, name: str) -> Any:
        native = self.__dict__.get("_tensors", {})
        if name in native:
            return native[name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def extra_repr(self) -> str:
        return ", ".join(map(str, self._made_of[1:]))


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


class Linear(_NativeModule):
    """x weight^T + bias."""

    weight: Tensor
    bias: Tensor

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        self._make("linear", in_features, out_features, bias)


class Conv2d(_NativeModule):
    """A convolution of [n, in, h, w] by square kernels."""

    weight: Tensor
    bias: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        self._make(
            "conv2d",
            in_channels,
            out_channels,
            kernel_size,
            _pair(stride),
            _pair(padding),
            _pair(dilation),
            groups,
            bias,
        )


class Embedding(_NativeModule):
    """Rows of a table by their numbers."""

    weight: Tensor

    def __init__(self, num_embeddings: int, embedding_dim: int) -> None:
        self._make("embedding", num_embeddings, embedding_dim)


class LayerNorm(_NativeModule):
    """The last dimension brought to mean 0 and variance 1, scaled and shifted."""

    weight: Tensor
    bias: Tensor

    def __init__(self, normalized_shape: int) -> None:
        self._make("layer_norm", normalized_shape)


class Dropout(_NativeModule):
    """In training a share `p` of the elements becomes 0."""

    def __init__(self, p: float = 0.5) -> None:
        self._make("dropout", p)


class MaxPool2d(_NativeModule):
    """The maxima of windows."""

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        size = _pair(kernel_size)
        self._make(
            "max_pool2d",
            size,
            size if stride is None else _pair(stride),
            _pair(padding),
        )


class AvgPool2d(_NativeModule):
    """The means of windows."""

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        size = _pair(kernel_size)
        self._make(
            "avg_pool2d",
            size,
            size if stride is None else _pair(stride),
            _pair(padding),
        )


class Activation(_NativeModule):
    """An operator of one input by its name, also a plug-in's."""

    def __init__(self, operator: str) -> None:
        self._make("activation", operator)


class ReLU(Activation):
    def __init__(self) -> None:
        super().__init__("relu")


class GELU(Activation):
    def __init__(self) -> None:
        super().__init__("gelu")


class SiLU(Activation):
    def __init__(self) -> None:
        super().__init__("silu")


class Tanh(Activation):
    def __init__(self) -> None:
        super().__init__("tanh")


class Sigmoid(Activation):
    def __init__(self) -> None:
        super().__init__("sigmoid")


class Flatten(_NativeModule):
    """Everything but the first dimension becomes one."""

    def __init__(self) -> None:
        self._make("flatten")


class Attention(_NativeModule):
    """Self-attention over [batch, time, size]."""

    def __init__(
        self, size: int, heads: int, causal: bool = True, dropout: float = 0.0
    ) -> None:
        self._make("attention", size, heads, causal, dropout)


class Sequential(Module):
    """One module after the other."""

    def __init__(self, *modules: Module) -> None:
        for i, one in enumerate(modules):
            setattr(self, str(i), one)

    def forward(self, x: Any) -> Any:
        for one in self._children.values():
            x = one(x)
        return x

    def __len__(self) -> int:
        return len(self._children)

    def __getitem__(self, index: int) -> Module:
        return list(self._children.values())[index]

    def __iter__(self) -> Iterator[Module]:
        return iter(self._children.values())


# Files ----------------------------------------------------------------------


def save(
    tensors: Mapping[str, Tensor],
    path: str | os.PathLike[str],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Writes named tensors to a file in the safetensors format."""
    _ops._save(path, dict(tensors), dict(metadata or {}))


def load(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The tensors of a file in the safetensors format, by their names."""
    return _ops._load(path)


__all__ = [
    *(
        name
        for name, one in list(globals().items())
        if isinstance(one, type)
        and issubclass(one, Module)
        and not name.startswith("_")
    ),
    "Buffer",
    "Parameter",
    "avg_pool2d",
    "conv2d",
    "cross_entropy",
    "dropout",
    "embedding",
    "gelu",
    "layer_norm",
    "linear",
    "load",
    "log_softmax",
    "max_pool2d",
    "mse_loss",
    "relu",
    "save",
    "sigmoid",
    "silu",
    "softmax",
    "tanh",
]
