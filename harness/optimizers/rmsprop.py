"""RMSprop: steps over the root of a running mean of squared gradients, with momentum."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple, final

from harness.core.parameter_layout import Layout
from harness.optimizers.base import HyperColumns, Optimizer, UpdateRule
from harness.spec.space import Fraction, NonNegative

if TYPE_CHECKING:
    from torch import Tensor


class RMSpropState(NamedTuple):
    """Running mean of squared gradients, and the velocity."""

    v_KP: Tensor
    """Running mean of g²."""
    b_KP: Tensor
    """Velocity, in which each gradient was divided when it came in; without momentum the last
    step."""


@final
class RMSprop(Optimizer[RMSpropState]):
    """v ← αv + (1−α)g², b ← μb + g / (√v + ε), θ ← θ − ηb (Tieleman & Hinton 2012)."""

    coordinatewise: ClassVar[bool] = True
    update_rule: ClassVar[UpdateRule | None] = "entrywise"
    alpha: Fraction = 0.99
    """Decay α of the mean square."""
    eps: NonNegative = 1e-8
    """ε, added to the root."""
    momentum: Fraction = 0.0
    """Momentum μ."""

    def init(self, w_KP: Tensor) -> RMSpropState:
        return RMSpropState(w_KP.new_zeros(w_KP.shape), w_KP.new_zeros(w_KP.shape))

    def update(
        self, g_KP: Tensor, state: RMSpropState, w_KP: Tensor, hyper: HyperColumns, layout: Layout
    ) -> tuple[Tensor, RMSpropState]:
        # v ← αv + (1−α)g² and b ← μb + g / (√v + ε), each in its own old memory
        v_KP = state.v_KP.lerp_(g_KP * g_KP, 1 - hyper["alpha"])
        b_KP = state.b_KP.mul_(hyper["momentum"]).add_(g_KP / v_KP.sqrt().add_(hyper["eps"]))
        return w_KP.sub_(hyper["lr"] * b_KP), RMSpropState(v_KP, b_KP)

    def preconditioner(self, state: RMSpropState, hyper: HyperColumns) -> Tensor:
        """Return √v + ε, for the new gradient; older ones in b were divided by theirs."""
        return state.v_KP.sqrt() + hyper["eps"]

    def stability_threshold(self, state: RMSpropState, hyper: HyperColumns) -> Tensor:
        """Return 2(1+μ)/η, that of the heavy ball."""
        return 2 * (1 + hyper["momentum"]) / hyper["lr"]
