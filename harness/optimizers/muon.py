"""Muon for hidden matrices, AdamW for everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple, final

from harness.core.errors import HarnessError
from harness.core.parameter_layout import Layout, Slot
from harness.core.parameter_numbers import number_of
from harness.optimizers.adam import adamw_update
from harness.optimizers.adam_family import AdamState
from harness.optimizers.base import HyperColumns, Optimizer, UpdateRule
from harness.spec.space import Exempt, Fraction, NonNegative, Positive

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
    """V ← μV + (1−μ)G, θ ← (1−ηλ)θ − η √max(1, m/n) NS₅(G + μ(V−G)) for hidden matrices m×n.

    NS₅ is :func:`orthogonal`. Hidden matrices are the weights between hidden units: the kernels of
    a convolution are one matrix (out, in·positions), and of a fused parameter each projection is
    one, such as an attention's queries, keys and values. All else is moved by AdamW with a learning
    rate of its own: the layers of inputs and outputs, embeddings, biases and norms (Jordan et al.
    2024). A matrix's update depends on all of its entries, so that Muon is not coordinatewise.
    """

    update_rule: ClassVar[UpdateRule | None] = "spectral"
    momentum: Fraction = 0.95
    """Momentum μ."""
    weight_decay: NonNegative = 0.0
    """Decoupled decay λ."""
    exempt: Exempt = ("bias", "norm")
    """Roles of parameters that do not decay; () lets all decay."""
    adam_lr: Positive = 1e-3
    """Learning rate of AdamW for what is no hidden matrix; the schedule acts on it too."""
    beta1: Fraction = 0.9
    """AdamW's β₁."""
    beta2: Fraction = 0.999
    """AdamW's β₂."""
    eps: NonNegative = 1e-8
    """AdamW's ε."""

    def check(self, layout: Layout) -> None:
        """Refuse a network without hidden matrices, where Muon would be AdamW under its name."""
        if not any(is_hidden_matrix(slot) for slot in layout.slots.values()):
            raise HarnessError(
                "recipe.optimizer: Muon expected a network with weights between hidden units, got"
                f" {', '.join(f'{name} ({slot.role})' for name, slot in layout.slots.items())};"
                " use AdamW, or a model with two hidden layers"
            )

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
            if is_hidden_matrix(slot):
                step_KS = orthogonal_step(layout.view(ahead_KP, name), slot.fused)
                # θ ← (1−ηλ)θ − η √max(1, m/n) NS₅(…)
                rate_K1 = number_of(lr, slot)
                new_KS = layout.view(decayed_KP, name).flatten(1) - rate_K1 * step_KS.flatten(1)
                layout.view(moved_KP, name).flatten(1).copy_(new_KS)
        return moved_KP, MuonState(v_KP, adam.t, adam.m_KP, adam.v_KP)


def is_hidden_matrix(slot: Slot) -> bool:
    """Return whether Muon moves a parameter, and not AdamW.

    >>> from harness.core.parameter_layout import layout_of
    >>> shapes = {"first": (8, 4), "second": (8, 8), "bias": (8,)}
    >>> slots = layout_of(shapes, {"first": "input", "bias": "bias"}).slots
    >>> [name for name, slot in slots.items() if is_hidden_matrix(slot)]
    ['second']
    """
    return slot.role == "hidden" and len(slot.shape) > 1


def orthogonal_step(x_KS: Tensor, fused: int = 1) -> Tensor:
    """Return √max(1, m/n) NS₅(X) of each matrix m×n in a parameter.

    Args:
        x_KS: the members' parameters (K, out, in, *kernel); only read.
        fused: matrices of out/fused rows each that lie below each other.

    Returns:
        As the parameters lie, in new memory.
    """
    # (K·fused, out/fused, in·positions): one batch of matrices
    x_KMN = x_KS.flatten(2).unflatten(1, (fused, -1)).flatten(0, 1)
    rows, columns = x_KMN.shape[1:]
    step_KS: Tensor = orthogonal(x_KMN).mul_(max(1.0, rows / columns) ** 0.5).reshape(x_KS.shape)
    return step_KS


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
    # turned over, ``tall`` says whether
    tall = x_KMN.shape[1] > x_KMN.shape[2]
    x: Tensor = x_KMN.mT if tall else x_KMN
    # the Frobenius norm bounds the largest singular value, so that the iteration starts where it
    # converges; a matrix of zeros is divided by 1e-7 and stays zero
    x = x / x.flatten(1).norm(dim=1)[:, None, None].clamp(min=1e-7)
    # X ← aX + (bXXᵀ + c(XXᵀ)²)X: singular values σ ↦ aσ + bσ³ + cσ⁵, singular vectors unchanged
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x
