"""Lion."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from harness.core.parameter_layout import Layout
from harness.optimizers.base import Hyper, Optimizer
from harness.spec.space import Fraction, NonNegative

if TYPE_CHECKING:
    from torch import Tensor


class State(NamedTuple):
    """Running mean of the gradient."""

    m_KP: Tensor


class Lion(Optimizer):
    """θ ← (1−ηλ)θ − η sign(β₁m + (1−β₁)g), m ← β₂m + (1−β₂)g (Chen et al. 2023)."""

    coordinatewise: ClassVar[bool] = True
    beta1: Fraction = 0.9
    """Weight β₁ of the mean in the update."""
    beta2: Fraction = 0.99
    """Decay β₂ of the mean."""
    weight_decay: NonNegative = 0.0
    """Decoupled decay λ."""

    def init(self, w_KP: Tensor) -> State:
        return State(w_KP.new_zeros(w_KP.shape))

    def update(
        self, g_KP: Tensor, state: State, w_KP: Tensor, hyper: Hyper, layout: Layout
    ) -> tuple[Tensor, State]:
        sign_KP = state.m_KP.lerp(g_KP, 1 - hyper["beta1"]).sign_()
        m_KP = state.m_KP.lerp_(g_KP, 1 - hyper["beta2"])
        return w_KP.mul_(1 - hyper["lr"] * hyper["weight_decay"]).sub_(
            hyper["lr"] * sign_KP
        ), State(m_KP)
