"""What the optimizers of the Adam family share: running means of the gradient and of its square."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple

from harness.optimizers.base import HyperColumns, Optimizer, StateT
from harness.spec.space import Fraction, NonNegative

if TYPE_CHECKING:
    from torch import Tensor


class AdamFamily(Optimizer[StateT], Generic[StateT]):
    """Abstract: steps along a running mean of gradients, over the root of one of their squares."""

    beta1: Fraction = 0.9
    """Decay β₁ of the running mean of gradients."""
    beta2: Fraction = 0.999
    """Decay β₂ of the running mean (Adamax: maximum) of their squares."""
    eps: NonNegative = 1e-8
    """ε, added to the divisor."""


class AdamState(NamedTuple):
    """Count of updates, and running means of the gradient and of its square."""

    t: int
    """Updates made; all members of a cohort have made as many."""
    m_KP: Tensor
    """Running mean of g."""
    v_KP: Tensor
    """Running mean of g²."""


def zero_moments(w_KP: Tensor) -> AdamState:
    """Return the state before the first update: both means are zero."""
    return AdamState(0, w_KP.new_zeros(w_KP.shape), w_KP.new_zeros(w_KP.shape))


def averaged_moments(g_KP: Tensor, state: AdamState, hyper: HyperColumns) -> AdamState:
    """Return m ← β₁m + (1−β₁)g and v ← β₂v + (1−β₂)g², in the state's own memory.

    Args:
        g_KP: gradients; only read.
        state: the means so far, which are overwritten.
        hyper: with ``beta1`` and ``beta2``, (K, 1) each.
    """
    # lerp(a, b, w) is a + w(b − a) = (1−w)a + wb
    m_KP = state.m_KP.lerp_(g_KP, 1 - hyper["beta1"])
    v_KP = state.v_KP.lerp_(g_KP * g_KP, 1 - hyper["beta2"])
    return AdamState(state.t + 1, m_KP, v_KP)


def root_mean_square(v_KP: Tensor, t: int, hyper: HyperColumns) -> Tensor:
    """Return √v̂ + ε with v̂ = v / (1 − β₂ᵗ): Adam's divisor.

    Args:
        v_KP: running mean of g².
        t: updates made, at least 1: at 0 it would be 0/0.
        hyper: with ``beta2`` and ``eps``.
    """
    return (v_KP / (1 - hyper["beta2"] ** t)).sqrt() + hyper["eps"]


def averaged_threshold(hyper: HyperColumns, shrinkage: Tensor | float = 0.0) -> Tensor:
    """Return the curvature at which descent along a running mean of gradients stops being stable.

    θ ← (1−s)θ − ηm with m ← βm + (1−β)hθ has the characteristic polynomial
    z² − (1 − s + β − η(1−β)h) z + (1−s)β, which has a root at z = −1 for h = (2−s)(1+β) / (η(1−β)).

    Args:
        hyper: with β₁ and η.
        shrinkage: s = ηλ, the share that decoupled weight decay takes off the weights at each
            update, (K, 1).

    Returns:
        h (K, 1), an eigenvalue of the Hessian as the preconditioner rescales it.
    """
    beta1 = hyper["beta1"]
    return (2 - shrinkage) * (1 + beta1) / ((1 - beta1) * hyper["lr"])
