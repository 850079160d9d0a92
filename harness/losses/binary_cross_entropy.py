"""Binary cross-entropy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, final

import numpy as np
from pydantic import Field

from harness.core.errors import HarnessError
from harness.core.lazy import Lazy
from harness.losses.base import Loss
from harness.losses.class_weights import ClassWeights, check_weights

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import functional
else:
    functional = Lazy("torch.nn.functional")


@final
class BCE(Loss):
    """ℓ = −Σᵢ (yᵢ log σ(outᵢ) + (1−yᵢ) log(1−σ(outᵢ))) / D, σ(x) = 1/(1 + e⁻ˣ), y in [0, 1].

    With ``pos_weight`` p the first term is multiplied by p, in training and in what is reported.
    """

    least = 0.0

    pos_weight: ClassWeights | None = Field(default=None, exclude_if=lambda weight: weight is None)
    """How much what is 1 counts beside what is 0: a number for each output, or "balanced", the
    zeros of the training targets for each one of them."""

    def check_targets(self, y: np.ndarray) -> None:
        if isinstance(self.pos_weight, tuple) and y.size:
            check_weights("pos_weight", self.pos_weight, y.reshape(len(y), -1))
        if not np.all((y >= 0) & (y <= 1)):
            raise HarnessError(
                "recipe.loss: BCE needs targets from 0 to 1, such as classes, got numbers from "
                f"{y.min():g} to {y.max():g}; use MSE, MAE or Huber"
            )

    def measured(self, y: np.ndarray, classes: int) -> dict[str, np.ndarray]:
        if self.pos_weight is None:
            return {}
        if self.pos_weight == "balanced":
            ones = y.sum(0)
            # an output that is never 1 has nothing to weigh
            return {"pos_weight": np.where(ones > 0, (len(y) - ones) / np.maximum(ones, 1), 1.0)}
        return {"pos_weight": np.array(self.pos_weight).reshape(y.shape[1:])}

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        # from the outputs before σ: in float32 σ rounds to 1 from 17 on, and log(1 − σ) would be −∞
        weight_KD = hyper.get("pos_weight")
        loss_KBD = functional.binary_cross_entropy_with_logits(
            out_KBD,
            y_KBD,
            pos_weight=None if weight_KD is None else weight_KD[:, None],
            reduction="none",
        )
        return loss_KBD.flatten(2).mean(-1)
