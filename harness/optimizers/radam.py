"""RAdam: Adam that waits with dividing until its mean square is of enough gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from harness.core.parameter_layout import Layout
from harness.optimizers.adam_family import (
    AdamFamily,
    AdamState,
    averaged_moments,
    averaged_threshold,
    zero_moments,
)
from harness.optimizers.base import HyperColumns

if TYPE_CHECKING:
    from torch import Tensor

LEAST_LENGTH = 5.0
"""ρₜ up to which the step is not adaptive: 5 in the authors' code and torch's, 4 in the paper."""


@final
class RAdam(AdamFamily[AdamState]):
    """θ ← θ − η rₜ m̂ / √v̂ where ρₜ > 5, else θ ← θ − η m̂: a rectified Adam (Liu et al. 2020).

    ρ∞ = 2/(1−β₂) − 1, ρₜ = ρ∞ − 2tβ₂ᵗ / (1−β₂ᵗ), rₜ² = (ρₜ−4)(ρₜ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρₜ).
    While ρₜ is small the variance of 1/√v̂ is unbounded, and nothing is divided.
    """

    retired_fields: ClassVar = {
        "bias_correction": "the update always corrects the bias, as the paper does"
    }
    coordinatewise: ClassVar[bool] = True

    def init(self, w_KP: Tensor) -> AdamState:
        return zero_moments(w_KP)

    def update(
        self, g_KP: Tensor, state: AdamState, w_KP: Tensor, hyper: HyperColumns, layout: Layout
    ) -> tuple[Tensor, AdamState]:
        state = averaged_moments(g_KP, state, hyper)
        length_K1, factor_K1 = rectification(state.t, hyper["beta2"])
        # rₜ / (√v̂ + ε/√(1−β₂ᵗ)) where ρₜ > 5, else 1; chosen by ``where`` and not by a branch,
        # since members with other β₂ pass the limit at other updates
        adaptive_KP = factor_K1 / state.v_KP.sqrt().add_(hyper["eps"])
        rate_KP = adaptive_KP.where(length_K1 > LEAST_LENGTH, adaptive_KP.new_ones(()))
        mean_KP = state.m_KP / (1 - hyper["beta1"] ** state.t)
        return w_KP.sub_(hyper["lr"] * mean_KP * rate_KP), state

    def preconditioner(self, state: AdamState, hyper: HyperColumns) -> Tensor:
        """Return (√v + ε) / (rₜ √(1−β₂ᵗ)), and 1 while the step is not adaptive."""
        length_K1, factor_K1 = rectification(state.t, hyper["beta2"])
        divisor_KP = (state.v_KP.sqrt() + hyper["eps"]) / factor_K1
        return divisor_KP.where(length_K1 > LEAST_LENGTH, divisor_KP.new_ones(()))

    def stability_threshold(self, state: AdamState, hyper: HyperColumns) -> Tensor:
        return averaged_threshold(hyper)


def rectification(t: int, beta2: Tensor) -> tuple[Tensor, Tensor]:
    """Return ρₜ and rₜ √(1−β₂ᵗ), (K, 1) each.

    Args:
        t: updates made, at least 1.
        beta2: β₂ (K, 1).

    Returns:
        ρₜ, the length of a moving average that matches the running mean; and the factor of the
        adaptive step with the root of v's bias in it, to go with √v and not √v̂. It means nothing
        where ρₜ is at most 5.
    """
    # ρ∞ = 2/(1−β₂) − 1, ρₜ = ρ∞ − 2tβ₂ᵗ/(1−β₂ᵗ)
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * t * beta2**t / (1 - beta2**t)
    # rₜ² = (ρₜ−4)(ρₜ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρₜ)
    ratio = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
    # rₜ² is negative for some ρₜ below 4, where it is not used: the clamp keeps NaN out
    return length, ratio.clamp(min=0).sqrt() * (1 - beta2**t).sqrt()
