"""Label smoothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.regularizers.base import Hyper, Regularizer
from harness.spec.space import Fraction

if TYPE_CHECKING:
    from torch import Tensor

    from harness.models.base import Noise


class LabelSmoothing(Regularizer):
    """y ← (1 − α)y + α/C (Szegedy et al. 2016)."""

    amount: Fraction = 0.1
    """Share α of each target spread over the C classes."""

    def batch(
        self, x_KB: Tensor, y_KBD: Tensor, noise: Noise, hyper: Hyper
    ) -> tuple[Tensor, Tensor]:
        amount = hyper["amount"][:, None, None]
        return x_KB, y_KBD * (1 - amount) + amount / y_KBD.shape[-1]
