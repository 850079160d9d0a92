"""RAdam."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness.core.parameter_layout import Layout
from harness.optimizers.adam import Adam, State
from harness.optimizers.base import Hyper

if TYPE_CHECKING:
    from torch import Tensor


class RAdam(Adam):
    """Adam whose adaptive step is rectified by rₜ, and left out while its variance is unbounded (Liu et al. 2020)."""

    coordinatewise: ClassVar[bool] = True

    def update(
        self, g_KP: Tensor, state: State, w_KP: Tensor, hyper: Hyper, layout: Layout
    ) -> tuple[Tensor, State]:
        t, beta1, beta2 = state.t + 1, hyper["beta1"], hyper["beta2"]
        m_KP = state.m_KP.lerp_(g_KP, 1 - beta1)
        v_KP = state.v_KP.lerp_(g_KP * g_KP, 1 - beta2)
        # ρ∞ = 2/(1−β₂) − 1, ρₜ = ρ∞ − 2tβ₂ᵗ/(1−β₂ᵗ)
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * t * beta2**t / (1 - beta2**t)
        # rₜ² = (ρₜ−4)(ρₜ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρₜ)
        ratio = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
        adaptive = (
            ratio.clamp(min=0).sqrt() * (1 - beta2**t).sqrt() / v_KP.sqrt().add_(hyper["eps"])
        )
        factor_KP = adaptive.where(length > 5, adaptive.new_ones(()))
        return w_KP.sub_(hyper["lr"] * (m_KP / (1 - beta1**t)) * factor_KP), State(t, m_KP, v_KP)
