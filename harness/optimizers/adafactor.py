"""Adafactor: steps in proportion to the weights, over a mean square of rank one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, final

from harness.core.lazy import Lazy
from harness.core.parameter_layout import Layout, Slot
from harness.core.parameter_numbers import number_of
from harness.optimizers.base import HyperColumns, Optimizer
from harness.spec.space import Exempt, NonNegative, Positive

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


class AdafactorState(NamedTuple):
    """Running means of squared gradients, over each matrix's rows and columns.

    Both are kept in whole rows of weights, of which a matrix m×n uses the first m and n numbers of
    its place: the memory that Adafactor saves is not saved here, where cohorts are small.
    """

    t: int
    """Updates made."""
    r_KP: Tensor
    """Mean over each of a matrix's rows; of a vector, the mean square of each number."""
    c_KP: Tensor
    """Mean over each of a matrix's columns."""


@final
class Adafactor(Optimizer[AdafactorState]):
    """V = r cᵀ / mean(r), U = g/√V, θ ← (1−ηλ)θ − αₜ U / max(1, RMS(U)/d), αₜ = ρₜ max(ε₂, RMS(θ)).

    r and c are running means of G² over rows and columns with the weight 1 − t^(−τ) of the past,
    and ρₜ = min(η, 1/√t) (Shazeer & Stern 2018), as ``torch.optim.Adafactor``. The kernels of a
    convolution are one matrix (out, in·positions); vectors have the mean square of each number.
    """

    decay: Positive = 0.8
    """τ: how fast the running means lengthen."""
    clip: Positive = 1.0
    """d: the root mean square of a tensor's U above which it is scaled down."""
    least_scale: Positive = 1e-3
    """ε₂: the root mean square that a tensor of smaller weights counts as having."""
    weight_decay: NonNegative = 0.0
    """Decoupled decay λ."""
    exempt: Exempt = ("bias", "norm")
    """Roles of parameters that do not decay; () lets all decay."""

    def init(self, w_KP: Tensor) -> AdafactorState:
        return AdafactorState(0, w_KP.new_zeros(w_KP.shape), w_KP.new_zeros(w_KP.shape))

    def update(
        self, g_KP: Tensor, state: AdafactorState, w_KP: Tensor, hyper: HyperColumns, layout: Layout
    ) -> tuple[Tensor, AdafactorState]:
        t = state.t + 1
        fresh_K1 = t ** -hyper["decay"]
        for name, slot in layout.slots.items():
            g_KS, w_KS = layout.view(g_KP, name).flatten(1), layout.view(w_KP, name).flatten(1)
            mean_KS = mean_square(g_KS, slot, state, fresh_K1)
            # the square of ε₁, torch's default: the smallest relative step of the number's type
            least = torch.finfo(g_KS.dtype).eps ** 2
            u_KS = g_KS * mean_KS.clamp(min=least).rsqrt()
            lr_K1 = number_of(hyper["lr"], slot)
            decay_K1 = number_of(hyper["weight_decay"], slot)
            # αₜ = ρₜ max(ε₂, RMS(θ)), of the weights before they decay
            alpha_K1 = lr_K1.clamp(max=t**-0.5) * rms(w_KS).maximum(hyper["least_scale"])
            step_KS = u_KS * (alpha_K1 / (rms(u_KS) / hyper["clip"]).clamp(min=1.0))
            w_KS.mul_(1 - lr_K1 * decay_K1).sub_(step_KS)
        return w_KP, AdafactorState(t, state.r_KP, state.c_KP)


def mean_square(g_KS: Tensor, slot: Slot, state: AdafactorState, fresh_K1: Tensor) -> Tensor:
    """Return the estimate V of g²'s running mean, and take g into the means.

    Args:
        g_KS: a parameter's gradient, flat; only read.
        slot: where it lies, and its shape.
        state: the means, which are changed.
        fresh_K1: weight t^(−τ) of the new gradient.

    Returns:
        (K, size) in memory of its own.
    """
    if len(slot.shape) < 2:
        v_KS = state.r_KP[:, slot.offset : slot.offset + slot.size]
        return v_KS.lerp_(g_KS.square(), fresh_K1).clone()
    square_KMN = g_KS.square().unflatten(1, (slot.shape[0], -1))
    rows, columns = square_KMN.shape[1:]
    r_KM = state.r_KP[:, slot.offset : slot.offset + rows].lerp_(square_KMN.mean(2), fresh_K1)
    c_KN = state.c_KP[:, slot.offset : slot.offset + columns].lerp_(square_KMN.mean(1), fresh_K1)
    # V = r cᵀ / mean(r), which has the means r over its rows and c over its columns
    least = torch.finfo(g_KS.dtype).eps
    scaled_KM = r_KM / r_KM.mean(1, keepdim=True).clamp(min=least)
    return (scaled_KM[:, :, None] * c_KN[:, None, :]).flatten(1)


def rms(x_KS: Tensor) -> Tensor:
    """Return the root mean square of each row, (K, 1)."""
    return x_KS.square().mean(1, keepdim=True).sqrt()
