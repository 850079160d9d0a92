"""Adagrad."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from harness.core.parameter_layout import Layout
from harness.optimizers.base import Hyper, Optimizer
from harness.spec.space import NonNegative

if TYPE_CHECKING:
    from torch import Tensor


class State(NamedTuple):
    """Sum of squared gradients."""

    s_KP: Tensor


class Adagrad(Optimizer):
    """s ← s + g², θ ← θ − η g / (√s + ε) (Duchi et al. 2011)."""

    coordinatewise: ClassVar[bool] = True
    eps: NonNegative = 1e-10
    """Added to the root ε."""

    def init(self, w_KP: Tensor) -> State:
        return State(w_KP.new_zeros(w_KP.shape))

    def update(
        self, g_KP: Tensor, state: State, w_KP: Tensor, hyper: Hyper, layout: Layout
    ) -> tuple[Tensor, State]:
        s_KP = state.s_KP.addcmul_(g_KP, g_KP)
        return w_KP.sub_((g_KP * hyper["lr"]).div_(s_KP.sqrt().add_(hyper["eps"]))), State(s_KP)
