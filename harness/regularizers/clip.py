"""Gradient clipping, by the norm of the whole gradient or element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from harness.regularizers.base import Regularizer, RegularizerContext
from harness.spec.space import Positive

if TYPE_CHECKING:
    from torch import Tensor

EPSILON = 1e-6
"""Added to the norm that is divided by, as in ``torch.nn.utils.clip_grad_norm_``: a gradient of 0
stays 0."""


@final
class ClipNorm(Regularizer):
    """g ← g · min(1, c/(‖g‖ + ε)) over all weights together (Pascanu et al. 2013)."""

    limit: Positive = 1.0
    """Largest norm c."""

    def clip(self, g_KC: Tensor, ctx: RegularizerContext) -> Tensor:
        # min(1, c/(‖g‖ + ε)); gaps between parameters are zero and add nothing to the norm
        factor_K: Tensor = (ctx.hyper["limit"] / (g_KC.norm(dim=1) + EPSILON)).clamp(max=1)
        return g_KC * factor_K[:, None]


@final
class ClipValue(Regularizer):
    """gᵢ ← min(c, max(−c, gᵢ)) for every element, which turns the gradient's direction."""

    coordinatewise: ClassVar[bool] = True
    limit: Positive = 1.0
    """Largest magnitude c."""

    def clip(self, g_KC: Tensor, ctx: RegularizerContext) -> Tensor:
        limit_K1 = ctx.column("limit")
        return g_KC.clamp(-limit_K1, limit_K1)
