"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, final

from pydantic import Field

from harness.core.lazy import Lazy
from harness.core.parameter_layout import Layout
from harness.optimizers.base import HyperColumns, Optimizer
from harness.spec.space import Exempt, Fraction, NonNegative

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


RAMP = 1e-4
"""Height of the ramp on the diagonal, relative to its mean: see :func:`ramped`."""


class Sides(NamedTuple):
    """What is kept of a matrix m×n beside Adam's means."""

    left_KMM: Tensor
    """Running mean of GGᵀ."""
    right_KNN: Tensor
    """Running mean of GᵀG."""
    q_KMM: Tensor
    """Its eigenvectors, as columns."""
    p_KNN: Tensor
    """The other's."""


class SOAPState(NamedTuple):
    """Adam's means, and the bases that they are taken in."""

    t: int
    """Updates made; the first moves nothing."""
    m_KP: Tensor
    """Running mean of g."""
    v_KP: Tensor
    """Running mean of the squares of the rotated g."""
    sides: tuple[Sides, ...]
    """One for each matrix, in the layout's order; none before the first update."""


@final
class SOAP(Optimizer[SOAPState]):
    """θ ← θ − η Q (M′/(√V + ε)) Pᵀ, then θ ← (1−ηλ)θ, with M′ = QᵀMP (Vyas et al. 2024).

    For matrices: M is Adam's running mean of G and V that of (QᵀGP)²; Q and P are the eigenvectors
    of the running means of GGᵀ and GᵀG with the decay β₂, brought up to date every ``refresh``
    updates by a power iteration. As in the authors' code the first gradient makes the bases and
    moves nothing, and vectors are moved by Adam. The kernels of a convolution are one matrix
    (out, in·positions). Eigenvectors are those of :func:`ramped` matrices.
    """

    beta1: Fraction = 0.95
    """Decay β₁ of the running mean of gradients."""
    beta2: Fraction = 0.95
    """Decay β₂ of the running means of squares, and of GGᵀ and GᵀG."""
    eps: NonNegative = 1e-8
    """ε, added to the divisor."""
    weight_decay: NonNegative = 1e-2
    """Decoupled decay λ."""
    exempt: Exempt = ("bias", "norm")
    """Roles of parameters that do not decay; () lets all decay."""
    refresh: int = Field(default=10, ge=1)
    """Updates from one power iteration of the bases to the next."""

    def init(self, w_KP: Tensor) -> SOAPState:
        return SOAPState(0, w_KP.new_zeros(w_KP.shape), w_KP.new_zeros(w_KP.shape), ())

    def update(
        self, g_KP: Tensor, state: SOAPState, w_KP: Tensor, hyper: HyperColumns, layout: Layout
    ) -> tuple[Tensor, SOAPState]:
        gradients = matrices(g_KP, layout)
        fresh_K11 = (1 - hyper["beta2"])[..., None]
        if state.t == 0:
            sides = tuple(first_sides(g_KMN, fresh_K11) for g_KMN in gradients)
            return w_KP, SOAPState(1, state.m_KP, state.v_KP, sides)
        beta1, beta2, t = hyper["beta1"], hyper["beta2"], state.t
        m_KP = state.m_KP.lerp_(g_KP, 1 - beta1)
        v_KP = state.v_KP.lerp_(rotated(g_KP, state.sides, layout).square_(), 1 - beta2)
        ahead_KP = rotated(m_KP, state.sides, layout).div_(v_KP.sqrt().add_(hyper["eps"]))
        # η √(1−β₂ᵗ)/(1−β₁ᵗ), t counted from the second update on
        rate_K1 = hyper["lr"] * (1 - beta2**t).sqrt() / (1 - beta1**t)
        w_KP.sub_(rate_K1 * rotated(ahead_KP, state.sides, layout, back=True))
        w_KP.mul_(1 - hyper["lr"] * hyper["weight_decay"])
        # after the step: the gradient that made it is not in the bases that it is turned into
        sides = tuple(map(averaged_sides, gradients, state.sides, [fresh_K11] * len(gradients)))
        if t % self.refresh == 0:
            squares = matrices(v_KP, layout)
            sides = tuple(map(turned_sides, sides, squares))
        return w_KP, SOAPState(t + 1, m_KP, v_KP, sides)


def matrices(rows_KP: Tensor, layout: Layout) -> list[Tensor]:
    """Return the parameters of two and more axes as views (K, out, rest), in the layout's order."""
    return [
        layout.view(rows_KP, name).flatten(2)
        for name, slot in layout.slots.items()
        if len(slot.shape) > 1
    ]


def rotated(
    rows_KP: Tensor, sides: tuple[Sides, ...], layout: Layout, back: bool = False
) -> Tensor:
    """Return new rows with QᵀXP in the place of each matrix X, or QXPᵀ for the way back."""
    new_KP = rows_KP.clone()
    for x_KMN, side in zip(matrices(new_KP, layout), sides, strict=True):
        q, p = (side.q_KMM, side.p_KNN.mT) if back else (side.q_KMM.mT, side.p_KNN)
        x_KMN.copy_(q @ x_KMN @ p)
    return new_KP


def first_sides(g_KMN: Tensor, fresh_K11: Tensor) -> Sides:
    """Return the means after the first gradient and their eigenvectors, the largest first."""
    left_KMM, right_KNN = fresh_K11 * (g_KMN @ g_KMN.mT), fresh_K11 * (g_KMN.mT @ g_KMN)
    bases = [torch.linalg.eigh(ramped(a_KMM))[1].flip(-1) for a_KMM in (left_KMM, right_KNN)]
    return Sides(left_KMM, right_KNN, *bases)


def averaged_sides(g_KMN: Tensor, sides: Sides, fresh_K11: Tensor) -> Sides:
    """Take a gradient into the running means of GGᵀ and GᵀG, in their memory."""
    sides.left_KMM.lerp_(g_KMN @ g_KMN.mT, fresh_K11)
    sides.right_KNN.lerp_(g_KMN.mT @ g_KMN, fresh_K11)
    return sides


def turned_sides(sides: Sides, v_KMN: Tensor) -> Sides:
    """Return the bases after a power iteration each, sorted by what they stand for.

    Args:
        sides: the means and their bases so far.
        v_KMN: running mean of squares in those bases; its rows and columns are sorted along.
    """
    q_KMM, rows_KM = power_iteration(sides.left_KMM, sides.q_KMM)
    p_KNN, columns_KN = power_iteration(sides.right_KNN, sides.p_KNN)
    sorted_KMN = v_KMN.take_along_dim(rows_KM[:, :, None], 1)
    v_KMN.copy_(sorted_KMN.take_along_dim(columns_KN[:, None, :], 2))
    return sides._replace(q_KMM=q_KMM, p_KNN=p_KNN)


def power_iteration(a_KMM: Tensor, q_KMM: Tensor) -> tuple[Tensor, Tensor]:
    """Return the orthogonal factor of AQ, Q's columns sorted by qᵀAq from the largest on, and how.

    Args:
        a_KMM: symmetric matrices.
        q_KMM: their eigenvectors as far as they are known.
    """
    product_KMM = ramped(a_KMM) @ q_KMM
    order_KM = (q_KMM * product_KMM).sum(1).argsort(dim=1, descending=True, stable=True)
    return torch.linalg.qr(product_KMM.take_along_dim(order_KM[:, None, :], 2))[0], order_KM


def ramped(a_KMM: Tensor) -> Tensor:
    """Return A + RAMP · tr(A)/m · diag(1/m, 2/m, …, 1), and the same of 0 for what is not finite.

    A few gradients leave a null space, of which rounding errors alone would choose the
    eigenvectors: a run would depend on who shares its cohort. The ramp chooses them.

    Args:
        a_KMM: symmetric matrices, positive semidefinite.
    """
    size = a_KMM.shape[-1]
    # a member that diverges must not make the decomposition fail for all; its loss tells of it
    a_KMM = a_KMM.where(a_KMM.isfinite(), 0.0)
    mean_K1 = a_KMM.diagonal(dim1=1, dim2=2).mean(1, keepdim=True)
    ramp_M = torch.arange(1, size + 1, device=a_KMM.device, dtype=a_KMM.dtype) / size
    return a_KMM + torch.diag_embed(RAMP * mean_K1 * ramp_M)
