"""Cross-entropy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, final

import numpy as np
from pydantic import Field

from harness.core.errors import HarnessError
from harness.core.lazy import Lazy
from harness.core.tokens import IGNORED
from harness.losses.base import Loss
from harness.losses.class_weights import (
    ClassWeights,
    balanced,
    check_weights,
    counts_of,
    of_tokens,
)
from harness.losses.tokens import are_tokens, classes_last, sum_by_sample

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

    With weights w the loss of a batch or part is Σ_b w_b ℓ_b / Σ_b w_b, w_b the weight of the
    sample's class (of mixed targets the mean by their shares), in training and in all that is
    reported.
    """

    least = 0.0

    weight: ClassWeights | None = Field(default=None, exclude_if=lambda weight: weight is None)
    """How much each class counts: a number for each, in the order of the classes, or "balanced":
    N / (C n_c) with the n_c of N training samples that are of class c, so that all count alike."""

    ignore_index: int = Field(default=IGNORED, exclude_if=lambda index: index == IGNORED)
    """Tokens with this target count nowhere, neither in losses nor in accuracies."""

    def check_targets(self, y: np.ndarray) -> None:
        if isinstance(self.weight, tuple) and y.size:
            check_weights("weight", self.weight, y)
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

    def measured(self, y: np.ndarray, classes: int) -> dict[str, np.ndarray]:
        if self.weight is None:
            return {}
        if self.weight == "balanced":
            kept = y if y.dtype.kind == "f" else np.where(y == self.ignore_index, -1, y)
            return {"weight": balanced(counts_of(kept, classes))}
        return {"weight": np.array(self.weight)}

    def counted(self, y_KB: Tensor) -> Tensor:
        return y_KB != self.ignore_index

    def weights(self, y_KB: Tensor, hyper: Mapping[str, Tensor]) -> Tensor | None:
        weight_KC = hyper.get("weight")
        if weight_KC is None:
            return super().weights(y_KB, hyper)
        if are_tokens(y_KB):
            return sum_by_sample(of_tokens(weight_KC, y_KB) * self.counted(y_KB))
        return (y_KB * weight_KC[:, None]).sum(-1)

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        if are_tokens(y_KBD):
            return self._per_sample_of_tokens(out_KBD, y_KBD, hyper)
        weight_KC = hyper.get("weight")
        if weight_KC is None:
            return -(y_KBD * _log_softmax(out_KBD)).sum(-1)
        # a mean by weights within the sample, which its own weight then multiplies
        weighted_KBD = y_KBD * weight_KC[:, None]
        total_KB = weighted_KBD.sum(-1)
        loss_KB = -(weighted_KBD * _log_softmax(out_KBD)).sum(-1)
        return loss_KB / (total_KB + (total_KB == 0))

    def value_and_gradient(
        self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        if are_tokens(y_KBD):
            return super().value_and_gradient(out_KBD, y_KBD, hyper)
        if "weight" in hyper:
            return _weighted(out_KBD, y_KBD, hyper["weight"])
        log_KBD = _log_softmax(out_KBD)
        loss_K = (y_KBD * log_KBD).sum(-1).mean(1).neg_()
        # ∂L/∂out = (softmax(out) − y) / B, which needs Σᵢ yᵢ = 1; in the memory of the logarithms
        return loss_K, log_KBD.exp_().sub_(y_KBD).div_(out_KBD.shape[1])

    def _per_sample_of_tokens(
        self, out_KB: Tensor, y_KB: Tensor, hyper: Mapping[str, Tensor]
    ) -> Tensor:
        """Return each sample's mean over its tokens that count, (K, B); 0 where none does.

        Args:
            out_KB: (K, B, *S, V), or (K, B, V, *S) of pictures.
            y_KB: classes (K, B, *S).
            hyper: ``weight`` of each class, and ``smoothing``: the share of each target that is
                spread over the V classes, in training.
        """
        log = torch.log_softmax(classes_last(out_KB, y_KB), -1)
        ignored = self.ignore_index
        # one gather along V, whose gradient is scattered row by row; −log p of what is ignored is 0
        loss = functional.nll_loss(
            log.flatten(0, -2), y_KB.flatten(), reduction="none", ignore_index=ignored
        ).view(y_KB.shape)
        counted = self.counted(y_KB)
        smoothing_K, weight_KC = hyper.get("smoothing"), hyper.get("weight")
        everywhere = log.mean(-1)
        if weight_KC is not None:
            weights = of_tokens(weight_KC, y_KB) * counted
            by_class = weight_KC.view(-1, *(1,) * (y_KB.ndim - 1), weight_KC.shape[1])
            loss, everywhere = loss * weights, (log * by_class).mean(-1)
        if smoothing_K is not None:
            share = smoothing_K.view(-1, *(1,) * (y_KB.ndim - 1))
            # (1 − α)(−log p_y) + α · mean over classes of −log p (Szegedy et al. 2016)
            loss = (1 - share) * loss - share * everywhere * counted
        if weight_KC is None:
            return sum_by_sample(loss) / sum_by_sample(counted).clamp(min=1)
        total_KB = sum_by_sample(weights)
        return sum_by_sample(loss) / (total_KB + (total_KB == 0))


def _weighted(out_KBD: Tensor, y_KBD: Tensor, weight_KC: Tensor) -> tuple[Tensor, Tensor]:
    """Return the weighted mean loss (K,) and its gradient by the outputs."""
    log_KBD = _log_softmax(out_KBD)
    weighted_KBD = y_KBD * weight_KC[:, None]
    weight_KB = weighted_KBD.sum(-1)
    total_K = weight_KB.sum(1)
    total_K = total_K + (total_K == 0)
    loss_K = -(weighted_KBD * log_KBD).sum((1, 2)) / total_K
    # ∂L/∂out_j = (w_b softmax(out)_j − w_j y_j) / Σ_b w_b
    slope_KBD = log_KBD.exp_().mul_(weight_KB[..., None]).sub_(weighted_KBD)
    return loss_K, slope_KBD.div_(total_K[:, None, None])


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
