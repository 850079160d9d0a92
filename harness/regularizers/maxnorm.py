"""Max-norm constraint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.parameter_layout import Layout
from harness.regularizers.base import Hyper, Regularizer
from harness.spec.space import Positive

if TYPE_CHECKING:
    from torch import Tensor


class MaxNorm(Regularizer):
    """Project the incoming weights of each unit back to ‖w‖ ≤ c after each update (Srebro & Shraibman 2005)."""

    limit: Positive = 3.0
    """Largest norm c."""

    def constrain(self, w_KP: Tensor, layout: Layout, hyper: Hyper) -> Tensor:
        for name, slot in layout.slots.items():
            if len(slot.shape) > 1:
                rows_KOI = layout.view(w_KP, name).flatten(2)
                norm_KO1 = rows_KOI.norm(dim=2, keepdim=True).clamp(min=1e-12)
                rows_KOI.mul_((hyper["limit"][:, None, None] / norm_KO1).clamp(max=1))
        return w_KP
