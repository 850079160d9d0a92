"""Muon for matrices, AdamW for everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harness.core.parameter_layout import Layout
from harness.optimizers.adam import AdamW
from harness.optimizers.adam import State as AdamState
from harness.optimizers.base import Hyper, Optimizer
from harness.spec.space import Fraction, NonNegative, Positive

if TYPE_CHECKING:
    from torch import Tensor

REST = AdamW(lr=1.0)
QUINTIC = (3.4445, -4.7750, 2.0315)


class State(NamedTuple):
    """Velocity of the matrices, and AdamW's state for the rest."""

    v_KP: Tensor
    t: int
    m_KP: Tensor
    s_KP: Tensor


class Muon(Optimizer):
    """V ← μV + (1−μ)G, θ ← (1−ηλ)θ − η √max(1, m/n) NS₅(G + μ(V−G)) for matrices m×n (Jordan et al. 2024).

    NS₅ is five steps of Newton–Schulz: X ← aX + (bXXᵀ + c(XXᵀ)²)X, which bring the singular values near 1.
    """

    momentum: Fraction = 0.95
    """Momentum μ."""
    weight_decay: NonNegative = 0.0
    """Decoupled decay λ of all weights."""
    adam_lr: Positive = 1e-3
    """Learning rate of AdamW for what is no matrix."""
    beta1: Fraction = 0.9
    """AdamW's β₁."""
    beta2: Fraction = 0.999
    """AdamW's β₂."""
    eps: NonNegative = 1e-8
    """AdamW's ε."""

    def init(self, w_KP: Tensor) -> State:
        zeros = w_KP.new_zeros
        return State(zeros(w_KP.shape), 0, zeros(w_KP.shape), zeros(w_KP.shape))

    def update(
        self, g_KP: Tensor, state: State, w_KP: Tensor, hyper: Hyper, layout: Layout
    ) -> tuple[Tensor, State]:
        lr, momentum = hyper["lr"], hyper["momentum"]
        adam_hyper = {**hyper, "lr": hyper["adam_lr"] * hyper["schedule"]}
        decayed_KP = w_KP * (1 - lr * hyper["weight_decay"])
        moved_KP, rest = REST.update(
            g_KP, AdamState(state.t, state.m_KP, state.s_KP), w_KP, adam_hyper, layout
        )
        v_KP = state.v_KP.lerp_(g_KP, 1 - momentum)
        ahead_KP = g_KP.lerp(v_KP, momentum)
        for name, slot in layout.slots.items():
            if len(slot.shape) == 2:
                step_KMN = (
                    orthogonal(layout.view(ahead_KP, name))
                    * max(1.0, slot.shape[0] / slot.shape[1]) ** 0.5
                )
                layout.view(moved_KP, name).copy_(
                    layout.view(decayed_KP, name) - lr[..., None] * step_KMN
                )
        return moved_KP, State(v_KP, rest.t, rest.m_KP, rest.v_KP)


def orthogonal(x_KMN: Tensor) -> Tensor:
    """Bring the singular values of each matrix near 1 by five Newton–Schulz steps in the matrices' own precision."""
    a, b, c = QUINTIC
    wide = x_KMN.shape[1] > x_KMN.shape[2]
    x: Tensor = x_KMN.mT if wide else x_KMN
    x = x / x.flatten(1).norm(dim=1)[:, None, None].clamp(min=1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if wide else x
