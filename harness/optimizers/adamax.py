"""Adamax."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.layout import Layout
from harness.optimizers.adam import Adam, State
from harness.optimizers.base import Hyper

if TYPE_CHECKING:
    from torch import Tensor


class Adamax(Adam):
    """u ← max(β₂u, |g| + ε), θ ← θ − η m̂ / u: Adam in the infinity norm (Kingma & Ba 2015)."""

    def update(self, g_KP: Tensor, state: State, w_KP: Tensor, hyper: Hyper, layout: Layout) -> tuple[Tensor, State]:
        t, beta1 = state.t + 1, hyper["beta1"]
        m_KP = state.m_KP.lerp_(g_KP, 1 - beta1)
        u_KP = (state.v_KP * hyper["beta2"]).maximum(g_KP.abs().add_(hyper["eps"]))
        return w_KP.sub_((m_KP * (hyper["lr"] / (1 - beta1**t))).div_(u_KP)), State(t, m_KP, u_KP)
