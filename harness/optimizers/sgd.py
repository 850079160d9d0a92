"""Gradient descent: plain, heavy ball and Nesterov."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harness.layout import Layout
from harness.optimizers.base import Hyper, Rule
from harness.spec.space import Fraction

if TYPE_CHECKING:
    from torch import Tensor


class State(NamedTuple):
    """Velocity of each weight."""

    v_KP: Tensor | None


class SGD(Rule):
    """v ← μv + g, θ ← θ − ηv; with Nesterov θ ← θ − η(g + μv) (Polyak 1964; Sutskever et al. 2013)."""

    momentum: Fraction = 0.0
    """Momentum μ; 0 is plain gradient descent."""
    nesterov: bool = False
    """Look ahead along the velocity."""

    def init(self, w_KP: Tensor) -> State:
        return State(None)

    def update(self, g_KP: Tensor, state: State, w_KP: Tensor, hyper: Hyper, layout: Layout) -> tuple[Tensor, State]:
        momentum = hyper["momentum"]
        if not momentum.any():
            return w_KP - hyper["lr"] * g_KP, state
        v_KP = g_KP.clone() if state.v_KP is None else state.v_KP.mul_(momentum).add_(g_KP)
        d_KP = g_KP + momentum * v_KP if self.nesterov else v_KP
        return w_KP - hyper["lr"] * d_KP, State(v_KP)
