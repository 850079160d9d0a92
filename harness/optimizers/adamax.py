"""Adamax: Adam with a decaying maximum of gradients in the place of their mean square."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple, final

from harness.core.lazy import Lazy
from harness.core.parameter_layout import Layout
from harness.optimizers.adam_family import AdamFamily, averaged_threshold
from harness.optimizers.base import HyperColumns, UpdateRule

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


class AdamaxState(NamedTuple):
    """Count of updates, running mean of the gradient, and decaying maximum of its size."""

    t: int
    """Updates made."""
    m_KP: Tensor
    """Running mean of g."""
    u_KP: Tensor
    """Decaying maximum of |g| + ε."""


@final
class Adamax(AdamFamily[AdamaxState]):
    """m ← β₁m + (1−β₁)g, u ← max(β₂u, |g| + ε), θ ← θ − η m̂ / u (Kingma & Ba 2015).

    Adam in the infinity norm, with m̂ = m / (1−β₁ᵗ).
    """

    retired_fields: ClassVar = {
        "bias_correction": "the update always corrects m's bias, as the paper does"
    }
    coordinatewise: ClassVar[bool] = True
    update_rule: ClassVar[UpdateRule | None] = "entrywise"

    def init(self, w_KP: Tensor) -> AdamaxState:
        return AdamaxState(0, w_KP.new_zeros(w_KP.shape), w_KP.new_zeros(w_KP.shape))

    def update(
        self, g_KP: Tensor, state: AdamaxState, w_KP: Tensor, hyper: HyperColumns, layout: Layout
    ) -> tuple[Tensor, AdamaxState]:
        t, beta1 = state.t + 1, hyper["beta1"]
        # m ← β₁m + (1−β₁)g
        m_KP = state.m_KP.lerp_(g_KP, 1 - beta1)
        # u ← max(β₂u, |g| + ε), in the memory of the last u
        faded_KP, size_KP = state.u_KP.mul_(hyper["beta2"]), g_KP.abs().add_(hyper["eps"])
        u_KP = torch.maximum(faded_KP, size_KP, out=state.u_KP)
        # θ ← θ − (η / (1−β₁ᵗ)) m / u
        step_KP = (m_KP * (hyper["lr"] / (1 - beta1**t))).div_(u_KP)
        return w_KP.sub_(step_KP), AdamaxState(t, m_KP, u_KP)

    def preconditioner(self, state: AdamaxState, hyper: HyperColumns) -> Tensor:
        # a copy: u's own memory is the next update's
        return state.u_KP.clone()

    def stability_threshold(self, state: AdamaxState, hyper: HyperColumns) -> Tensor:
        return averaged_threshold(hyper)
