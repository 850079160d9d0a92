"""Lion: steps of one size along the sign of a mean of gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple, final

from harness.core.parameter_layout import Layout
from harness.optimizers.base import HyperColumns, Optimizer, UpdateRule
from harness.spec.space import Exempt, Fraction, NonNegative

if TYPE_CHECKING:
    from torch import Tensor


class LionState(NamedTuple):
    """Running mean of the gradient."""

    m_KP: Tensor
    """m ← β₂m + (1−β₂)g."""


@final
class Lion(Optimizer[LionState]):
    """θ ← (1−ηλ)θ − η sign(β₁m + (1−β₁)g), m ← β₂m + (1−β₂)g (Chen et al. 2023).

    A sign is no division of the gradient: there is no preconditioner, and no curvature at which the
    update stops being stable.
    """

    coordinatewise: ClassVar[bool] = True
    update_rule: ClassVar[UpdateRule | None] = "entrywise"
    beta1: Fraction = 0.9
    """Weight β₁ of the running mean in the update."""
    beta2: Fraction = 0.99
    """Decay β₂ of the running mean."""
    weight_decay: NonNegative = 0.0
    """Decoupled decay λ."""
    exempt: Exempt = ("bias", "norm")
    """Roles of parameters that do not decay; () lets all decay."""

    def init(self, w_KP: Tensor) -> LionState:
        return LionState(w_KP.new_zeros(w_KP.shape))

    def update(
        self, g_KP: Tensor, state: LionState, w_KP: Tensor, hyper: HyperColumns, layout: Layout
    ) -> tuple[Tensor, LionState]:
        lr = hyper["lr"]
        # sign(β₁m + (1−β₁)g) of the old m, in new memory: m itself is still needed
        sign_KP = state.m_KP.lerp(g_KP, 1 - hyper["beta1"]).sign_()
        # m ← β₂m + (1−β₂)g, in the memory of the old m
        m_KP = state.m_KP.lerp_(g_KP, 1 - hyper["beta2"])
        # θ ← (1−ηλ)θ − η sign(…)
        w_KP = w_KP.mul_(1 - lr * hyper["weight_decay"]).sub_(lr * sign_KP)
        return w_KP, LionState(m_KP)
