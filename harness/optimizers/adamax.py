"""Adamax."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness.core.lazy import Lazy
from harness.core.parameter_layout import Layout
from harness.optimizers.adam import Adam, State
from harness.optimizers.base import Hyper

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


class Adamax(Adam):
    """u ← max(β₂u, |g| + ε), θ ← θ − η m̂ / u: Adam in the infinity norm (Kingma & Ba 2015)."""

    coordinatewise: ClassVar[bool] = True

    def update(
        self, g_KP: Tensor, state: State, w_KP: Tensor, hyper: Hyper, layout: Layout
    ) -> tuple[Tensor, State]:
        t, beta1 = state.t + 1, hyper["beta1"]
        m_KP = state.m_KP.lerp_(g_KP, 1 - beta1)
        u_KP = torch.maximum(
            state.v_KP.mul_(hyper["beta2"]), g_KP.abs().add_(hyper["eps"]), out=state.v_KP
        )
        return w_KP.sub_((m_KP * (hyper["lr"] / (1 - beta1**t))).div_(u_KP)), State(t, m_KP, u_KP)
