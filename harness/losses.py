"""Losses: one number for each sample of each member."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from harness.lazy import Lazy
from harness.spec.component import External
from harness.spec.recipe import Loss
from harness.spec.space import Positive

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import functional
else:
    torch, functional = Lazy("torch"), Lazy("torch.nn.functional")


class Criterion(Loss):
    """A loss of the harness."""

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        """Return the losses (K, B) of outputs against targets, both (K, B, D); ``hyper`` holds numeric fields (K,)."""
        raise NotImplementedError

    def with_slope(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the mean losses (K,) and their gradients by the outputs (K, B, D)."""
        with torch.inference_mode(False), torch.enable_grad():
            leaf = out_KBD.clone().requires_grad_()
            loss_K = self.per_sample(leaf, y_KBD.clone(), hyper).mean(1)
            (slope_KBD,) = torch.autograd.grad(loss_K.sum(), leaf)
        return loss_K.detach(), slope_KBD


class CrossEntropy(Criterion):
    """−Σ yᵢ log softmax(out)ᵢ, with targets that sum to 1."""

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        return -(y_KBD * _log_softmax(out_KBD)).sum(-1)

    def with_slope(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        log_KBD = _log_softmax(out_KBD)
        loss_K = (y_KBD * log_KBD).sum(-1).mean(1).neg_()
        return loss_K, log_KBD.exp_().sub_(y_KBD).div_(out_KBD.shape[1])


def _log_softmax(out_KBD: Tensor) -> Tensor:
    # over rows shorter than a vector register torch goes number by number on the CPU, five times as long or more
    return torch.log_softmax(out_KBD.mT.contiguous(), 1).mT


class MSE(Criterion):
    """Mean over the outputs of (out − y)²; or half their sum."""

    form: Literal["mean", "half_sum"] = "mean"
    """"half_sum" is ½‖out − y‖²."""

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        squares = (out_KBD - y_KBD).square()
        return squares.mean(-1) if self.form == "mean" else squares.sum(-1) / 2


class MAE(Criterion):
    """Mean over the outputs of |out − y|."""

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        return (out_KBD - y_KBD).abs().mean(-1)


class Huber(Criterion):
    """½e² where |e| ≤ δ, else δ(|e| − δ/2), with e = out − y, mean over the outputs (Huber 1964)."""

    delta: Positive = 1.0
    """Where the square turns into a line, δ."""

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        error, delta = (out_KBD - y_KBD).abs(), hyper["delta"][:, None, None]
        return torch.where(error <= delta, error.square() / 2, delta * (error - delta / 2)).mean(-1)


class BCE(Criterion):
    """−y log σ(out) − (1−y) log(1−σ(out)), mean over the outputs."""

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        return functional.binary_cross_entropy_with_logits(out_KBD, y_KBD, reduction="none").mean(-1)


class Objective(Criterion):
    """A function of the parameters, to be minimised."""

    function: Literal["rosenbrock", "beale", "branin", "quadraticdeep"]
    """Its name."""

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        return OBJECTIVES[self.function](out_KBD, y_KBD)


class ExternalLoss(External, Criterion):
    """A function by dotted name: ``(out_BD, y_BD, **args) → losses (B,)``; it is mapped over the members."""

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        function = self.load()
        return torch.stack([function(out, y, **self.args) for out, y in zip(out_KBD, y_KBD, strict=True)])


def rosenbrock(point: Tensor, _: Tensor) -> Tensor:
    """(1 − x)² + 100 (y − x²)²."""
    x, y = point[..., 0], point[..., 1]
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def beale(point: Tensor, _: Tensor) -> Tensor:
    """(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²."""
    x, y = point[..., 0], point[..., 1]
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def branin(point: Tensor, _: Tensor) -> Tensor:
    """(y − 5.1x²/4π² + 5x/π − 6)² + 10 (1 − 1/8π) cos x + 10."""
    x, y = point[..., 0], point[..., 1]
    valley = y - 5.1 * x**2 / (4 * math.pi**2) + 5 * x / math.pi - 6
    return valley**2 + 10 * (1 - 1 / (8 * math.pi)) * torch.cos(x) + 10


def quadratic_deep(theta_KBD: Tensor, x_KBD: Tensor) -> Tensor:
    """½ (θ − x)ᵀ H (θ − x)."""
    error = theta_KBD - x_KBD
    return ((error @ _hessian(error.dtype, error.device)) * error).sum(-1) / 2


@lru_cache(maxsize=4)
def _hessian(dtype: torch.dtype, device: torch.device) -> Tensor:
    from harness.data.functions import quadratic_deep_hessian

    return torch.as_tensor(quadratic_deep_hessian(), dtype=dtype, device=device)


OBJECTIVES: dict[str, Callable[[Any, Any], Tensor]] = {
    "rosenbrock": rosenbrock,
    "beale": beale,
    "branin": branin,
    "quadraticdeep": quadratic_deep,
}
