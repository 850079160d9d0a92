"""Penalties on the weights, added to the gradient: what rescales the gradient rescales them too."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from harness.regularizers.base import Regularizer, RegularizerContext
from harness.spec.space import NonNegative

if TYPE_CHECKING:
    from torch import Tensor


@final
class L2(Regularizer):
    """L + ½λ‖θ‖²: g ← g + λθ, as ``weight_decay`` in torch's SGD and Adam."""

    coordinatewise: ClassVar[bool] = True
    strength: NonNegative = 1e-4
    """Strength λ."""

    def penalty(self, g_KC: Tensor, w_KC: Tensor, ctx: RegularizerContext) -> Tensor:
        return g_KC + ctx.column("strength") * w_KC


@final
class L1(Regularizer):
    """L + λ‖θ‖₁: g ← g + λ sign(θ) (Tibshirani 1996)."""

    coordinatewise: ClassVar[bool] = True
    strength: NonNegative = 1e-5
    """Strength λ."""

    def penalty(self, g_KC: Tensor, w_KC: Tensor, ctx: RegularizerContext) -> Tensor:
        return g_KC + ctx.column("strength") * w_KC.sign()
