"""Weight decay apart from the gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness.regularizers.base import Hyper, Regularizer
from harness.spec.space import NonNegative

if TYPE_CHECKING:
    from torch import Tensor


class WeightDecay(Regularizer):
    """θ ← (1 − ηλ)θ before each update (Loshchilov & Hutter 2019)."""

    coordinatewise: ClassVar[bool] = True
    rate: NonNegative = 1e-2
    """Decay λ."""

    def decay(self, w_KP: Tensor, lr_K: Tensor, hyper: Hyper) -> Tensor:
        return w_KP.mul_((1 - lr_K * hyper["rate"])[:, None])
