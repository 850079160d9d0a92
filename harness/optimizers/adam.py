"""Adam and AdamW.

The updates are functions beside the classes, since Muon moves what is no matrix by AdamW's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from harness.core.lazy import Lazy
from harness.core.parameter_layout import Layout
from harness.optimizers.adam_family import (
    AdamFamily,
    AdamState,
    averaged_moments,
    averaged_threshold,
    root_mean_square,
    zero_moments,
)
from harness.optimizers.adam_kernel import moved_by_kernel
from harness.optimizers.base import HyperColumns, UpdateRule
from harness.spec.space import Exempt, Flag, NonNegative, value_of

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")

CORRECTS = "optimizer.bias_correction"
"""Path of the field, for the error where it is a space."""


@final
class Adam(AdamFamily[AdamState]):
    """m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², θ ← θ − η m̂ / (√v̂ + ε) (Kingma & Ba 2015).

    m̂ = m / (1−β₁ᵗ) and v̂ = v / (1−β₂ᵗ) make up for means that began at zero.
    """

    coordinatewise: ClassVar[bool] = True
    update_rule: ClassVar[UpdateRule | None] = "entrywise"
    bias_correction: Flag = True
    """Whether to use m̂ and v̂; without, m and v stand in their place."""

    def init(self, w_KP: Tensor) -> AdamState:
        return zero_moments(w_KP)

    def update(
        self, g_KP: Tensor, state: AdamState, w_KP: Tensor, hyper: HyperColumns, layout: Layout
    ) -> tuple[Tensor, AdamState]:
        return adam_update(g_KP, state, w_KP, hyper, value_of(self.bias_correction, CORRECTS))

    def preconditioner(self, state: AdamState, hyper: HyperColumns) -> Tensor:
        return adam_divisor(state, hyper, value_of(self.bias_correction, CORRECTS))

    def stability_threshold(self, state: AdamState, hyper: HyperColumns) -> Tensor:
        return averaged_threshold(hyper)


@final
class AdamW(AdamFamily[AdamState]):
    """θ ← (1 − ηλ)θ, then Adam: weight decay apart from the gradient (Loshchilov & Hutter 2019)."""

    coordinatewise: ClassVar[bool] = True
    update_rule: ClassVar[UpdateRule | None] = "entrywise"
    bias_correction: Flag = True
    """Whether to use m̂ and v̂, as in Adam."""
    weight_decay: NonNegative = 1e-2
    """Decay λ."""
    exempt: Exempt = ("bias", "norm")
    """Roles of parameters that do not decay; () lets all decay."""

    def init(self, w_KP: Tensor) -> AdamState:
        return zero_moments(w_KP)

    def update(
        self, g_KP: Tensor, state: AdamState, w_KP: Tensor, hyper: HyperColumns, layout: Layout
    ) -> tuple[Tensor, AdamState]:
        return adamw_update(g_KP, state, w_KP, hyper, value_of(self.bias_correction, CORRECTS))

    def preconditioner(self, state: AdamState, hyper: HyperColumns) -> Tensor:
        return adam_divisor(state, hyper, value_of(self.bias_correction, CORRECTS))

    def stability_threshold(self, state: AdamState, hyper: HyperColumns) -> Tensor:
        return averaged_threshold(hyper, shrinkage=hyper["lr"] * hyper["weight_decay"])


def adam_update(
    g_KP: Tensor, state: AdamState, w_KP: Tensor, hyper: HyperColumns, bias_correction: bool = True
) -> tuple[Tensor, AdamState]:
    """Make one update of Adam.

    Args:
        g_KP: gradients; only read.
        state: the means before the update; their memory holds the new ones afterwards.
        w_KP: weights; moved in place.
        hyper: ``lr``, ``beta1``, ``beta2`` and ``eps``, (K, 1) each.
        bias_correction: whether to use m̂ and v̂ for m and v.

    Returns:
        The weights and the new state.
    """
    moved = moved_by_kernel(g_KP, state, w_KP, hyper, bias_correction, decays=False)
    if moved is not None:
        return w_KP, moved
    return _adam_update(g_KP, state, w_KP, hyper, bias_correction)


def _adam_update(
    g_KP: Tensor, state: AdamState, w_KP: Tensor, hyper: HyperColumns, bias_correction: bool
) -> tuple[Tensor, AdamState]:
    """Make one update of Adam by PyTorch."""
    state = averaged_moments(g_KP, state, hyper)
    if bias_correction:
        # corrections of numbers (K, 1), not of rows (K, P), which saves two passes over memory:
        # θ ← θ − (η / (1−β₁ᵗ)) m / (√v / √(1−β₂ᵗ) + ε)
        # torch.optim.Adam computes the same form
        rate_K1 = hyper["lr"] / (1 - hyper["beta1"] ** state.t)
        growth_K1 = (1 - hyper["beta2"] ** state.t).rsqrt()
        # ε + √v / √(1−β₂ᵗ) by one call
        root_KP = torch.addcmul(hyper["eps"], state.v_KP.sqrt(), growth_K1)
    else:
        rate_K1 = hyper["lr"]
        root_KP = state.v_KP.sqrt().add_(hyper["eps"])
    return w_KP.addcdiv_(state.m_KP * rate_K1, root_KP, value=-1), state


def adamw_update(
    g_KP: Tensor, state: AdamState, w_KP: Tensor, hyper: HyperColumns, bias_correction: bool = True
) -> tuple[Tensor, AdamState]:
    """Make one update of AdamW: shrink the weights, then move them as Adam does.

    Args:
        g_KP: gradients at the weights before they shrink; only read.
        state: the means before the update; their memory holds the new ones afterwards.
        w_KP: weights; moved in place.
        hyper: as for :func:`adam_update`, and ``weight_decay``.
        bias_correction: whether to use m̂ and v̂ for m and v.

    Returns:
        The weights and the new state.
    """
    moved = moved_by_kernel(g_KP, state, w_KP, hyper, bias_correction, decays=True)
    if moved is not None:
        return w_KP, moved
    # θ ← (1 − ηλ)θ
    w_KP = w_KP.mul_(1 - hyper["lr"] * hyper["weight_decay"])
    return _adam_update(g_KP, state, w_KP, hyper, bias_correction)


def adam_divisor(state: AdamState, hyper: HyperColumns, bias_correction: bool) -> Tensor:
    """Return √v̂ + ε, or √v + ε without correction, (K, P) in new memory.

    Args:
        state: what the last update returned; with correction its t must be at least 1.
        hyper: with ``beta2`` and ``eps``.
        bias_correction: as in that update.
    """
    if bias_correction:
        return root_mean_square(state.v_KP, state.t, hyper)
    return state.v_KP.sqrt() + hyper["eps"]
