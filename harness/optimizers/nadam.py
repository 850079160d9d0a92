"""NAdam: Adam with Nesterov's look-ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple, final

from harness.core.parameter_layout import Layout
from harness.optimizers.adam_family import AdamFamily, root_mean_square
from harness.optimizers.base import HyperColumns, UpdateRule
from harness.spec.space import NonNegative

if TYPE_CHECKING:
    from torch import Tensor


class NAdamState(NamedTuple):
    """Count of updates, running means of g and g², and the product of all momenta so far."""

    t: int
    """Updates made."""
    m_KP: Tensor
    """Running mean of g, with the constant decay β₁."""
    v_KP: Tensor
    """Running mean of g²."""
    product_K1: Tensor
    """μ₁…μₜ, which depends on a member's β₁ and ψ."""


@final
class NAdam(AdamFamily[NAdamState]):
    """Adam with Nesterov's look-ahead: θ ← θ − η m̄ / (√v̂ + ε) (Dozat 2016).

    m̄ = (1−μₜ) g / (1−μ₁…μₜ) + μₜ₊₁ m / (1−μ₁…μₜ₊₁) with the momenta μₜ = β₁ (1 − ½·0.96^(tψ)).
    """

    retired_fields: ClassVar = {
        "bias_correction": "the update always corrects the bias, as the paper does"
    }
    coordinatewise: ClassVar[bool] = True
    update_rule: ClassVar[UpdateRule | None] = "entrywise"
    momentum_decay: NonNegative = 4e-3
    """ψ: how fast the momentum rises from β₁/2 to β₁; at 0 it stays there."""

    def init(self, w_KP: Tensor) -> NAdamState:
        zeros, shape = w_KP.new_zeros, w_KP.shape
        return NAdamState(0, zeros(shape), zeros(shape), w_KP.new_ones(len(w_KP), 1))

    def update(
        self, g_KP: Tensor, state: NAdamState, w_KP: Tensor, hyper: HyperColumns, layout: Layout
    ) -> tuple[Tensor, NAdamState]:
        t, beta2 = state.t + 1, hyper["beta2"]
        now_K1, next_K1 = momentum_at(t, hyper), momentum_at(t + 1, hyper)
        # μ₁…μₜ
        product_K1 = state.product_K1 * now_K1
        m_KP = state.m_KP.lerp_(g_KP, 1 - hyper["beta1"])
        v_KP = state.v_KP.lerp_(g_KP * g_KP, 1 - beta2)
        # √v̂ + ε
        root_KP = v_KP.div(1 - beta2**t).sqrt_().add_(hyper["eps"])
        # m̄ = (1−μₜ) g / (1−μ₁…μₜ) + μₜ₊₁ m / (1−μ₁…μₜ₊₁)
        ahead_KP = g_KP * ((1 - now_K1) / (1 - product_K1))
        ahead_KP = ahead_KP + m_KP * (next_K1 / (1 - product_K1 * next_K1))
        step_KP = hyper["lr"] * ahead_KP.div_(root_KP)
        return w_KP.sub_(step_KP), NAdamState(t, m_KP, v_KP, product_K1)

    def preconditioner(self, state: NAdamState, hyper: HyperColumns) -> Tensor:
        return root_mean_square(state.v_KP, state.t, hyper)

    def stability_threshold(self, state: NAdamState, hyper: HyperColumns) -> Tensor:
        """Return 2(1+β) / (η(1 + β − 2βμ)) with the momentum μ of the next update held fixed.

        The update θ ← θ − η((1−μ)hθ + μm) with m ← βm + (1−β)hθ has the characteristic polynomial
        z² − (1 + β − ηh(1−μβ)) z + β − ηhβ(1−μ), which has a root at z = −1 there.
        """
        beta1, momentum_K1 = hyper["beta1"], momentum_at(state.t + 1, hyper)
        return 2 * (1 + beta1) / (hyper["lr"] * (1 + beta1 - 2 * beta1 * momentum_K1))


def momentum_at(t: int, hyper: HyperColumns) -> Tensor:
    """Return μₜ = β₁ (1 − ½·0.96^(tψ)) (K, 1); the 0.96 is Dozat's.

    Args:
        t: number of the update, 1 for the first.
        hyper: with ``beta1`` and ``momentum_decay`` ψ.
    """
    return hyper["beta1"] * (1 - 0.5 * 0.96 ** (t * hyper["momentum_decay"]))
