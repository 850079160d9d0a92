"""Cross-entropy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, final

import numpy as np

from harness.core.errors import HarnessError
from harness.core.lazy import Lazy
from harness.losses.base import Loss

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


@final
class CrossEntropy(Loss):
    """ℓ = −Σᵢ yᵢ log softmax(out)ᵢ, for targets y that sum to 1."""

    def check_targets(self, y: np.ndarray) -> None:
        if y.size and not (np.all(y >= 0) and np.allclose(y.sum(1), 1)):
            raise HarnessError(
                "recipe.loss: CrossEntropy needs targets that sum to 1, such as classes, got "
                "numbers; use MSE, MAE or Huber"
            )

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        return -(y_KBD * _log_softmax(out_KBD)).sum(-1)

    def value_and_gradient(
        self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        log_KBD = _log_softmax(out_KBD)
        loss_K = (y_KBD * log_KBD).sum(-1).mean(1).neg_()
        # ∂L/∂out = (softmax(out) − y) / B, which needs Σᵢ yᵢ = 1; in the memory of the logarithms
        return loss_K, log_KBD.exp_().sub_(y_KBD).div_(out_KBD.shape[1])


def _log_softmax(out_KBD: Tensor) -> Tensor:
    """Return log softmax over D.

    It goes along columns of a transposed copy: over rows shorter than a vector register torch goes
    number by number on the CPU, which takes five times as long or more. (Narrow layers write their
    outputs in this order already, so that ``contiguous`` copies nothing.)

    Args:
        out_KBD: outputs.

    Returns:
        (K, B, D), a transposed view of memory of its own.
    """
    return torch.log_softmax(out_KBD.mT.contiguous(), 1).mT
