"""Muon for matrices, AdamW for everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, final

from harness.core.parameter_layout import Layout
from harness.optimizers.adam import adamw_update
from harness.optimizers.adam_family import AdamState
from harness.optimizers.base import HyperColumns, Optimizer
from harness.spec.space import Fraction, NonNegative, Positive

if TYPE_CHECKING:
    from torch import Tensor

QUINTIC = (3.4445, -4.7750, 2.0315)
"""a, b, c of the iteration of :func:`orthogonal`, chosen by Jordan et al. (2024) for the steepest
rise of small singular values; they do not converge to 1 exactly, which training does not need."""
NEWTON_SCHULZ_STEPS = 5
"""Enough to bring the singular values between about 0.7 and 1.2."""


class MuonState(NamedTuple):
    """Velocity of the matrices, and AdamW's state for the rest.

    Both are kept for whole rows, although each is used for some of the columns alone: one call on a
    whole row is faster than one for each parameter.
    """

    v_KP: Tensor
    """Velocity V."""
    t: int
    """Updates made."""
    m_KP: Tensor
    """AdamW's running mean of g."""
    s_KP: Tensor
    """AdamW's running mean of g²."""


@final
class Muon(Optimizer[MuonState]):
    """V ← μV + (1−μ)G, θ ← (1−ηλ)θ − η √max(1, m/n) NS₅(G + μ(V−G)) for matrices m×n.

    NS₅ is :func:`orthogonal`. Whatever is no matrix is moved by AdamW, with a learning rate of its
    own (Jordan et al. 2024): biases, norms and the kernels of convolutions. A matrix is any
    parameter of two dimensions, those of the first and last layer and a transformer's positions
    too, where the authors advise AdamW. A matrix's update depends on all of its entries, so that
    Muon is not coordinatewise.
    """

    momentum: Fraction = 0.95
    """Momentum μ."""
    weight_decay: NonNegative = 0.0
    """Decoupled decay λ of all weights."""
    adam_lr: Positive = 1e-3
    """Learning rate of AdamW for what is no matrix."""
    beta1: Fraction = 0.9
    """AdamW's β₁."""
    beta2: Fraction = 0.999
    """AdamW's β₂."""
    eps: NonNegative = 1e-8
    """AdamW's ε."""

    def init(self, w_KP: Tensor) -> MuonState:
        zeros, shape = w_KP.new_zeros, w_KP.shape
        return MuonState(zeros(shape), 0, zeros(shape), zeros(shape))

    def update(
        self, g_KP: Tensor, state: MuonState, w_KP: Tensor, hyper: HyperColumns, layout: Layout
    ) -> tuple[Tensor, MuonState]:
        lr, momentum = hyper["lr"], hyper["momentum"]
        # (1−ηλ)θ, in new memory, before AdamW moves all weights in place; what AdamW makes of the
        # matrices is written over below
        decayed_KP = w_KP * (1 - lr * hyper["weight_decay"])
        moved_KP, adam = adamw_update(
            g_KP,
            AdamState(state.t, state.m_KP, state.s_KP),
            w_KP,
            {**hyper, "lr": hyper["adam_lr"] * hyper["schedule"]},
        )
        # V ← μV + (1−μ)G, and the look-ahead G + μ(V−G)
        v_KP = state.v_KP.lerp_(g_KP, 1 - momentum)
        ahead_KP = g_KP.lerp(v_KP, momentum)
        for name, slot in layout.slots.items():
            if len(slot.shape) == 2:
                rows, columns = slot.shape
                step_KMN = orthogonal(layout.view(ahead_KP, name)) * max(1.0, rows / columns) ** 0.5
                # θ ← (1−ηλ)θ − η √max(1, m/n) NS₅(…), with η (K, 1) made (K, 1, 1)
                new_KMN = layout.view(decayed_KP, name) - lr[..., None] * step_KMN
                layout.view(moved_KP, name).copy_(new_KMN)
        return moved_KP, MuonState(v_KP, adam.t, adam.m_KP, adam.v_KP)


def orthogonal(x_KMN: Tensor) -> Tensor:
    """Return NS₅(X): each matrix with its singular values brought near 1.

    Five Newton–Schulz steps X ← aX + (bXXᵀ + c(XXᵀ)²)X, in the matrices' own precision.

    Args:
        x_KMN: matrices (K, M, N); only read.

    Returns:
        (K, M, N): near UVᵀ of each matrix's singular value decomposition UΣVᵀ.
    """
    a, b, c = QUINTIC
    # NS₅(Xᵀ) = NS₅(X)ᵀ, and XXᵀ is smaller when X has fewer rows than columns: a tall matrix is
    # turned over, ``wide`` says whether
    wide = x_KMN.shape[1] > x_KMN.shape[2]
    x: Tensor = x_KMN.mT if wide else x_KMN
    # the Frobenius norm bounds the largest singular value, so that the iteration starts where it
    # converges; a matrix of zeros is divided by 1e-7 and stays zero
    x = x / x.flatten(1).norm(dim=1)[:, None, None].clamp(min=1e-7)
    # X ← aX + (bXXᵀ + c(XXᵀ)²)X: singular values σ ↦ aσ + bσ³ + cσ⁵, singular vectors unchanged
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if wide else x
