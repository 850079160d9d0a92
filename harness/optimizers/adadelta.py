"""Adadelta: steps in proportion to how far earlier steps went, over the size of gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple, final

from harness.core.parameter_layout import Layout
from harness.optimizers.base import HyperColumns, Optimizer
from harness.spec.space import Fraction, NonNegative, Positive

if TYPE_CHECKING:
    from torch import Tensor


class AdadeltaState(NamedTuple):
    """Running means of g² and d², and what the last update multiplied the gradient by."""

    v_KP: Tensor
    """Running mean of g²."""
    u_KP: Tensor
    """Running mean of d², the squared steps before the learning rate."""
    rate_KP: Tensor
    """√(u+ε) / √(v+ε) of the last update, for the preconditioner; 1 before the first."""


@final
class Adadelta(Optimizer[AdadeltaState]):
    """v ← ρv + (1−ρ)g², d = g √(u+ε) / √(v+ε), u ← ρu + (1−ρ)d², θ ← θ − ηd (Zeiler 2012)."""

    coordinatewise: ClassVar[bool] = True
    lr: Positive = 1.0
    """Learning rate η; the paper has 1."""
    rho: Fraction = 0.9
    """Decay ρ of both means."""
    eps: NonNegative = 1e-6
    """ε, added under both roots."""

    def init(self, w_KP: Tensor) -> AdadeltaState:
        zeros, shape = w_KP.new_zeros, w_KP.shape
        return AdadeltaState(zeros(shape), zeros(shape), w_KP.new_ones(shape))

    def update(
        self, g_KP: Tensor, state: AdadeltaState, w_KP: Tensor, hyper: HyperColumns, layout: Layout
    ) -> tuple[Tensor, AdadeltaState]:
        rho, eps = hyper["rho"], hyper["eps"]
        # v ← ρv + (1−ρ)g², written into the old v: lerp(a, b, w) is a + w(b − a)
        v_KP = state.v_KP.lerp_(g_KP * g_KP, 1 - rho)
        # √(u+ε) / √(v+ε) with the u of before this update, which can't be told from the new u:
        # it is kept for the preconditioner
        rate_KP = (state.u_KP + eps).sqrt_().div_((v_KP + eps).sqrt_())
        d_KP = rate_KP * g_KP
        # u ← ρu + (1−ρ)d², after d was made of the old u
        u_KP = state.u_KP.lerp_(d_KP * d_KP, 1 - rho)
        return w_KP.sub_(hyper["lr"] * d_KP), AdadeltaState(v_KP, u_KP, rate_KP)

    def preconditioner(self, state: AdadeltaState, hyper: HyperColumns) -> Tensor:
        """Return √(v+ε) / √(u+ε), with the u that the last update used."""
        return state.rate_KP.reciprocal()

    def stability_threshold(self, state: AdadeltaState, hyper: HyperColumns) -> Tensor:
        """Return 2/η, that of gradient descent."""
        return 2 / hyper["lr"]
