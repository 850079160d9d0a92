"""Functions of the parameters to be minimised: the model's output is θ itself, the loss f(θ).

Each function takes the outputs and the targets, as losses do. Only the noisy quadratic has targets:
its samples, whose mean over a batch is the minimum.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, final

from harness.core.lazy import Lazy
from harness.losses.base import Loss
from harness.losses.quadratic import quadratic_deep_hessian

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


@final
class Objective(Loss):
    """f(θ), with θ the model's output; the quadratic's data move its minimum, others have none."""

    function: Literal["rosenbrock", "beale", "branin", "quadraticdeep"]
    """Which function; the name of the data set in small letters."""

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        return OBJECTIVES[self.function](out_KBD, y_KBD)


def rosenbrock(point: Tensor, _: Tensor) -> Tensor:
    """Return (1 − x)² + 100 (y − x²)² at points (…, 2), as (…,) (Rosenbrock 1960)."""
    x, y = point[..., 0], point[..., 1]
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def beale(point: Tensor, _: Tensor) -> Tensor:
    """Return (1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)² at points (…, 2)
    (Beale 1958).
    """
    x, y = point[..., 0], point[..., 1]
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def branin(point: Tensor, _: Tensor) -> Tensor:
    """Return (y − 5.1x²/4π² + 5x/π − 6)² + 10 (1 − 1/8π) cos x + 10 at points (…, 2)
    (Branin 1972).
    """
    x, y = point[..., 0], point[..., 1]
    valley = y - 5.1 * x**2 / (4 * math.pi**2) + 5 * x / math.pi - 6
    return valley**2 + 10 * (1 - 1 / (8 * math.pi)) * torch.cos(x) + 10


def quadratic_deep(theta_KBD: Tensor, x_KBD: Tensor) -> Tensor:
    """Return ½ (θ − x)ᵀ H (θ − x), (K, B) (Schneider et al. 2019).

    Args:
        theta_KBD: points θ (K, B, 100), one for each member, the same for all its samples.
        x_KBD: samples x of the same shape.
    """
    error = theta_KBD - x_KBD
    return ((error @ _hessian(error.dtype, error.device)) * error).sum(-1) / 2


@lru_cache(maxsize=4)
def _hessian(dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return H (100, 100) on a device; kept, since every update uses it."""
    return torch.as_tensor(quadratic_deep_hessian(), dtype=dtype, device=device)


OBJECTIVES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "rosenbrock": rosenbrock,
    "beale": beale,
    "branin": branin,
    "quadraticdeep": quadratic_deep,
}
"""Every function by the name that specs use: the data set's, in small letters. Each takes outputs θ
and targets (K, B, D) and returns f(θ), (K, B)."""
