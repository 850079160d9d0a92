"""Binary cross-entropy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, final

import numpy as np

from harness.core.errors import HarnessError
from harness.core.lazy import Lazy
from harness.losses.base import Loss

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import functional
else:
    functional = Lazy("torch.nn.functional")


@final
class BCE(Loss):
    """ℓ = −Σᵢ (yᵢ log σ(outᵢ) + (1−yᵢ) log(1−σ(outᵢ))) / D, σ(x) = 1/(1 + e⁻ˣ), y in [0, 1]."""

    def check_targets(self, y: np.ndarray) -> None:
        if not np.all((y >= 0) & (y <= 1)):
            raise HarnessError(
                "recipe.loss: BCE needs targets from 0 to 1, such as classes, got numbers from "
                f"{y.min():g} to {y.max():g}; use MSE, MAE or Huber"
            )

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        # from the outputs before σ: in float32 σ rounds to 1 from 17 on, and log(1 − σ) would be −∞
        loss_KBD = functional.binary_cross_entropy_with_logits(out_KBD, y_KBD, reduction="none")
        return loss_KBD.flatten(2).mean(-1)
