"""Optimizers and schedules.

optimizer = optim.Adam(model, rate=1e-3)
for step in range(1000):
    optimizer.rate = optim.cosine(1e-3, step, period=1000)
    optimizer.zero_grad()
    loss(model).backward()
    optimizer.step()
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from latebind import _ops
from latebind._ops import Tensor
from latebind.ops.nn import Module


def _named(of: Module | Iterable[Any]) -> list[tuple[str, Tensor]]:
    """Parameters with their paths: of a module, or as they come."""
    if isinstance(of, Module):
        return list(of.named_parameters())
    listed = list(of)
    return [
        one if isinstance(one, tuple) else (f"p{i}", one)
        for i, one in enumerate(listed)
    ]


class SGD(_ops.Optimizer):
    """Gradient descent with momentum, as PyTorch's."""

    def __new__(
        cls,
        parameters: Module | Iterable[Any],
        rate: float = 1e-2,
        momentum: float = 0.0,
        decay: float = 0.0,
        nesterov: bool = False,
    ) -> Any:
        settings = (float(momentum), float(decay), nesterov)
        return super().__new__(cls, "sgd", _named(parameters), rate, settings)


class Adam(_ops.Optimizer):
    """Adam (Kingma and Ba 2015), as PyTorch's; decoupled: AdamW."""

    def __new__(
        cls,
        parameters: Module | Iterable[Any],
        rate: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        decay: float = 0.0,
        decoupled: bool = False,
    ) -> Any:
        settings = (betas[0], betas[1], float(epsilon), float(decay), decoupled)
        return super().__new__(cls, "adam", _named(parameters), rate, settings)


class AdamW(Adam):
    """Adam with decoupled decay (Loshchilov and Hutter 2019)."""

    def __new__(
        cls,
        parameters: Module | Iterable[Any],
        rate: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        decay: float = 1e-2,
    ) -> Any:
        return super().__new__(cls, parameters, rate, betas, epsilon, decay, True)


def constant(rate: float, step: int, *, warmup: int = 0) -> float:
    """The rate at a step: even growth over `warmup` steps, then constant."""
    return _ops._rate(0, rate, step, warmup, 1, 1.0)


def stepwise(
    rate: float, step: int, *, period: int, factor: float = 0.1, warmup: int = 0
) -> float:
    """Times `factor` after every `period` steps."""
    return _ops._rate(1, rate, step, warmup, period, factor)


def cosine(
    rate: float, step: int, *, period: int, factor: float = 0.0, warmup: int = 0
) -> float:
    """Along a cosine down to `factor` times the rate at `period`."""
    return _ops._rate(2, rate, step, warmup, period, factor)


def linear(
    rate: float, step: int, *, period: int, factor: float = 0.0, warmup: int = 0
) -> float:
    """Evenly down to `factor` times the rate at `period`."""
    return _ops._rate(3, rate, step, warmup, period, factor)
