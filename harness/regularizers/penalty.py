"""Penalties on the weights: they add to the gradient, and never to the loss that is recorded.

An optimizer that rescales the gradient rescales the penalty with it; that is what sets L2 apart
from weight decay under Adam. Biases and norms are not penalised by default: it would pull outputs
towards 0 and not make them smoother.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from harness.regularizers.base import Regularizer, RegularizerContext
from harness.spec.space import Exempt, NonNegative

if TYPE_CHECKING:
    from torch import Tensor


@final
class L2(Regularizer):
    """L + ½λ‖θ‖²: g ← g + λθ, as ``weight_decay`` in torch's SGD and Adam.

    θ are the parameters that are not exempt.
    """

    coordinatewise: ClassVar[bool] = True
    strength: NonNegative = 1e-4
    """Strength λ."""
    exempt: Exempt = ("bias", "norm")
    """Roles of parameters that are not penalised; () penalises all."""

    def penalty(self, g_KC: Tensor, w_KC: Tensor, ctx: RegularizerContext) -> Tensor:
        return g_KC + ctx.decay_rate("strength", self.exempt) * w_KC


@final
class L1(Regularizer):
    """L + λ‖θ‖₁: g ← g + λ sign(θ) (Tibshirani 1996).

    At θ = 0, where there is no derivative, sign takes the subgradient 0. Weights swing about zero
    and do not stay there exactly.
    """

    coordinatewise: ClassVar[bool] = True
    strength: NonNegative = 1e-5
    """Strength λ."""
    exempt: Exempt = ("bias", "norm")
    """Roles of parameters that are not penalised; () penalises all."""

    def penalty(self, g_KC: Tensor, w_KC: Tensor, ctx: RegularizerContext) -> Tensor:
        return g_KC + ctx.strength("strength", self.exempt) * w_KC.sign()
