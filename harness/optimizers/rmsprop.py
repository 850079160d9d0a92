"""RMSprop."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from harness.core.parameter_layout import Layout
from harness.optimizers.base import Hyper, Optimizer
from harness.spec.space import Fraction, NonNegative

if TYPE_CHECKING:
    from torch import Tensor


class State(NamedTuple):
    """Running mean of squared gradients, and the velocity."""

    v_KP: Tensor
    b_KP: Tensor


class RMSprop(Optimizer):
    """v ← αv + (1−α)g², b ← μb + g / (√v + ε), θ ← θ − ηb (Tieleman & Hinton 2012)."""

    coordinatewise: ClassVar[bool] = True
    alpha: Fraction = 0.99
    """Decay α of the mean square."""
    eps: NonNegative = 1e-8
    """Added to the root ε."""
    momentum: Fraction = 0.0
    """Momentum μ."""

    def init(self, w_KP: Tensor) -> State:
        return State(w_KP.new_zeros(w_KP.shape), w_KP.new_zeros(w_KP.shape))

    def stability_threshold(self, hyper: Hyper) -> Tensor:
        return 2 * (1 + hyper["momentum"]) / hyper["lr"]

    def preconditioner(self, state: State, hyper: Hyper) -> Tensor:
        return state.v_KP.sqrt() + hyper["eps"]

    def update(
        self, g_KP: Tensor, state: State, w_KP: Tensor, hyper: Hyper, layout: Layout
    ) -> tuple[Tensor, State]:
        v_KP = state.v_KP.lerp_(g_KP * g_KP, 1 - hyper["alpha"])
        b_KP = state.b_KP.mul_(hyper["momentum"]).add_(g_KP / v_KP.sqrt().add_(hyper["eps"]))
        return w_KP.sub_(hyper["lr"] * b_KP), State(v_KP, b_KP)
