"""Adadelta."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from harness.core.parameter_layout import Layout
from harness.optimizers.base import Hyper, Optimizer
from harness.spec.space import Fraction, NonNegative, Positive

if TYPE_CHECKING:
    from torch import Tensor


class State(NamedTuple):
    """Running means of squared gradients and of squared updates."""

    v_KP: Tensor
    u_KP: Tensor


class Adadelta(Optimizer):
    """v ← ρv + (1−ρ)g², d = g √(u+ε) / √(v+ε), u ← ρu + (1−ρ)d², θ ← θ − ηd (Zeiler 2012)."""

    coordinatewise: ClassVar[bool] = True
    lr: Positive = 1.0
    """Learning rate η; the paper has 1."""
    rho: Fraction = 0.9
    """Decay ρ of both means."""
    eps: NonNegative = 1e-6
    """Added under the roots ε."""

    def init(self, w_KP: Tensor) -> State:
        return State(w_KP.new_zeros(w_KP.shape), w_KP.new_zeros(w_KP.shape))

    def update(
        self, g_KP: Tensor, state: State, w_KP: Tensor, hyper: Hyper, layout: Layout
    ) -> tuple[Tensor, State]:
        rho, eps = hyper["rho"], hyper["eps"]
        v_KP = state.v_KP.lerp_(g_KP * g_KP, 1 - rho)
        d_KP = (state.u_KP + eps).sqrt_().div_((v_KP + eps).sqrt_()).mul_(g_KP)
        u_KP = state.u_KP.lerp_(d_KP * d_KP, 1 - rho)
        return w_KP.sub_(hyper["lr"] * d_KP), State(v_KP, u_KP)
