"""Cross-entropy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, final

import numpy as np
from pydantic import Field

from harness.core.errors import HarnessError
from harness.core.lazy import Lazy
from harness.losses.base import Loss
from harness.losses.tokens import IGNORED, are_tokens, classes_last, sum_by_sample

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import functional
else:
    torch, functional = Lazy("torch"), Lazy("torch.nn.functional")


@final
class CrossEntropy(Loss):
    """ℓ = −Σᵢ yᵢ log softmax(out)ᵢ, for targets y that sum to 1; of tokens −log softmax(out)_y.

    The loss of a batch of tokens is the mean over all of its tokens that count, and so is that of a
    whole part of the data. Label smoothing is the regularizer ``LabelSmoothing``.
    """

    ignore_index: int = Field(default=IGNORED, exclude_if=lambda index: index == IGNORED)
    """Tokens with this target count nowhere, neither in losses nor in accuracies."""

    def check_targets(self, y: np.ndarray) -> None:
        if y.dtype.kind in "iu":
            wrong = (y < 0) & (y != self.ignore_index)
            if wrong.any():
                raise HarnessError(
                    f"recipe.loss: CrossEntropy expected classes from 0 on, or ignore_index "
                    f"({self.ignore_index}), got {y[wrong][0]}; set loss.ignore_index to it"
                )
        elif y.size and not (np.all(y >= 0) and np.allclose(y.sum(1), 1)):
            raise HarnessError(
                "recipe.loss: CrossEntropy needs targets that sum to 1, such as classes, got "
                "numbers; use MSE, MAE or Huber"
            )

    def counted(self, y_KB: Tensor) -> Tensor:
        return y_KB != self.ignore_index

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        if are_tokens(y_KBD):
            return self._per_sample_of_tokens(out_KBD, y_KBD, hyper.get("smoothing"))
        return -(y_KBD * _log_softmax(out_KBD)).sum(-1)

    def value_and_gradient(
        self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        if are_tokens(y_KBD):
            return super().value_and_gradient(out_KBD, y_KBD, hyper)
        log_KBD = _log_softmax(out_KBD)
        loss_K = (y_KBD * log_KBD).sum(-1).mean(1).neg_()
        # ∂L/∂out = (softmax(out) − y) / B, which needs Σᵢ yᵢ = 1; in the memory of the logarithms
        return loss_K, log_KBD.exp_().sub_(y_KBD).div_(out_KBD.shape[1])

    def _per_sample_of_tokens(
        self, out_KB: Tensor, y_KB: Tensor, smoothing_K: Tensor | None
    ) -> Tensor:
        """Return each sample's mean over its tokens that count, (K, B); 0 where none does.

        Args:
            out_KB: (K, B, *S, V), or (K, B, V, *S) of pictures.
            y_KB: classes (K, B, *S).
            smoothing_K: share of each target that is spread over the V classes, in training.
        """
        log = torch.log_softmax(classes_last(out_KB, y_KB), -1)
        ignored = self.ignore_index
        # one gather along V, whose gradient is scattered row by row; −log p of what is ignored is 0
        loss = functional.nll_loss(
            log.flatten(0, -2), y_KB.flatten(), reduction="none", ignore_index=ignored
        ).view(y_KB.shape)
        counted = self.counted(y_KB)
        if smoothing_K is not None:
            share = smoothing_K.view(-1, *(1,) * (y_KB.ndim - 1))
            # (1 − α)(−log p_y) + α · mean over classes of −log p (Szegedy et al. 2016)
            loss = (1 - share) * loss - share * log.mean(-1) * counted
        return sum_by_sample(loss) / sum_by_sample(counted).clamp(min=1)


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
