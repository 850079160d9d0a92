"""Label smoothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from harness.regularizers.base import Regularizer, RegularizerContext
from harness.spec.space import Fraction

if TYPE_CHECKING:
    from torch import Tensor


@final
class LabelSmoothing(Regularizer):
    """y ← (1 − α)y + α/C (Szegedy et al. 2016); evaluation has the true targets.

    Of tokens, which are never one-hot, the loss is (1 − α)ℓ(y) + α · mean over the classes of ℓ.
    """

    tasks: ClassVar[tuple[str, ...]] = ("classification", "tokens")
    amount: Fraction = 0.1
    """Share α of each target spread over the C classes."""

    def smoothing(self) -> float:
        return self.numbers()["amount"]

    def batch(self, x_KB: Tensor, y_KBD: Tensor, ctx: RegularizerContext) -> tuple[Tensor, Tensor]:
        if not y_KBD.is_floating_point():  # whole numbers: the loss smooths them
            return x_KB, y_KBD
        # (K, 1, 1), to go with targets (K, B, C)
        amount_K11 = ctx.hyper["amount"][:, None, None]
        return x_KB, y_KBD * (1 - amount_K11) + amount_K11 / y_KBD.shape[-1]
