"""NAdam."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from harness.core.parameter_layout import Layout
from harness.optimizers.adam import Adam
from harness.optimizers.base import Hyper
from harness.spec.space import NonNegative

if TYPE_CHECKING:
    from torch import Tensor


class State(NamedTuple):
    """Running means, and the product of the momenta so far."""

    t: int
    m_KP: Tensor
    v_KP: Tensor
    product_K1: Tensor


class NAdam(Adam):
    """Adam with Nesterov's look-ahead, μₜ = β₁(1 − ½·0.96^(tψ)) (Dozat 2016)."""

    coordinatewise: ClassVar[bool] = True
    momentum_decay: NonNegative = 4e-3
    """Decay ψ of the momentum's warm-up."""

    def init(self, w_KP: Tensor) -> State:  # type: ignore[override]
        return State(
            0, w_KP.new_zeros(w_KP.shape), w_KP.new_zeros(w_KP.shape), w_KP.new_ones(len(w_KP), 1)
        )

    def update(  # type: ignore[override]
        self, g_KP: Tensor, state: State, w_KP: Tensor, hyper: Hyper, layout: Layout
    ) -> tuple[Tensor, State]:
        t, beta1, beta2 = state.t + 1, hyper["beta1"], hyper["beta2"]
        now, after = (
            beta1 * (1 - 0.5 * 0.96 ** (step * hyper["momentum_decay"])) for step in (t, t + 1)
        )
        product = state.product_K1 * now
        m_KP = state.m_KP.lerp_(g_KP, 1 - beta1)
        v_KP = state.v_KP.lerp_(g_KP * g_KP, 1 - beta2)
        root_KP = v_KP.div(1 - beta2**t).sqrt_().add_(hyper["eps"])
        d_KP = g_KP * ((1 - now) / (1 - product)) + m_KP * (after / (1 - product * after))
        return w_KP.sub_(hyper["lr"] * d_KP.div_(root_KP)), State(t, m_KP, v_KP, product)
