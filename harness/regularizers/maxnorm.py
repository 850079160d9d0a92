"""Max-norm constraint: no unit's incoming weights grow longer than a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from harness.regularizers.base import Regularizer, RegularizerContext
from harness.spec.space import Positive

if TYPE_CHECKING:
    from torch import Tensor

SHORTEST = 1e-12
"""Norm below which a unit counts as this long, so that none divides by 0."""


@final
class MaxNorm(Regularizer):
    """w ← w · min(1, c/‖w‖), w the incoming weights of a unit (Srebro & Shraibman 2005).

    Biases and norms, which are no incoming weights, stay as they are.
    """

    limit: Positive = 3.0
    """Largest norm c."""

    def constrain(self, w_KP: Tensor, ctx: RegularizerContext) -> Tensor:
        limit_K11 = ctx.hyper["limit"][:, None, None]
        for weight in ctx.views(w_KP).values():
            if weight.ndim > 2:  # (K, out, in, …): not a bias or a norm's scale (K, out)
                # in place, through views: the rows themselves change
                incoming_KOI = weight.flatten(2)
                norm_KO1 = incoming_KOI.norm(dim=2, keepdim=True).clamp(min=SHORTEST)
                # w ← w · min(1, c/‖w‖)
                incoming_KOI.mul_((limit_K11 / norm_KO1).clamp(max=1))
        return w_KP
