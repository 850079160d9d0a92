"""Label smoothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from harness.regularizers.base import Regularizer, RegularizerContext
from harness.spec.space import Fraction

if TYPE_CHECKING:
    from torch import Tensor


@final
class LabelSmoothing(Regularizer):
    """y ← (1 − α)y + α/C (Szegedy et al. 2016); evaluation has the true targets."""

    tasks: ClassVar[tuple[str, ...]] = ("classification",)
    amount: Fraction = 0.1
    """Share α of each target spread over the C classes."""

    def batch(self, x_KB: Tensor, y_KBD: Tensor, ctx: RegularizerContext) -> tuple[Tensor, Tensor]:
        # (K, 1, 1), to go with targets (K, B, C)
        amount_K11 = ctx.hyper["amount"][:, None, None]
        return x_KB, y_KBD * (1 - amount_K11) + amount_K11 / y_KBD.shape[-1]
