"""Cross-entropy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.core.lazy import Lazy
from harness.losses.base import Loss

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


class CrossEntropy(Loss):
    """−Σ yᵢ log softmax(out)ᵢ, with targets that sum to 1."""

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        return -(y_KBD * _log_softmax(out_KBD)).sum(-1)

    def with_slope(
        self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        log_KBD = _log_softmax(out_KBD)
        loss_K = (y_KBD * log_KBD).sum(-1).mean(1).neg_()
        return loss_K, log_KBD.exp_().sub_(y_KBD).div_(out_KBD.shape[1])


def _log_softmax(out_KBD: Tensor) -> Tensor:
    # over rows shorter than a vector register torch goes number by number on the CPU, five times as long or more
    return torch.log_softmax(out_KBD.mT.contiguous(), 1).mT
