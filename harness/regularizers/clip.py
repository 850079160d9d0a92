"""Gradient clipping."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness.regularizers.base import Hyper, Regularizer
from harness.spec.space import Positive

if TYPE_CHECKING:
    from torch import Tensor


class ClipNorm(Regularizer):
    """g ← g · min(1, c/‖g‖) over all weights together (Pascanu et al. 2013)."""

    limit: Positive = 1.0
    """Largest norm c."""

    def clip(self, g_KP: Tensor, hyper: Hyper) -> Tensor:
        factor_K: Tensor = (hyper["limit"] / (g_KP.norm(dim=1) + 1e-6)).clamp(max=1)
        return g_KP * factor_K[:, None]


class ClipValue(Regularizer):
    """gᵢ ← min(c, max(−c, gᵢ))."""

    coordinatewise: ClassVar[bool] = True
    limit: Positive = 1.0
    """Largest magnitude c."""

    def clip(self, g_KP: Tensor, hyper: Hyper) -> Tensor:
        limit = hyper["limit"][:, None]
        return g_KP.clamp(-limit, limit)
