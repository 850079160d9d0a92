"""Schedule-Free SGD and AdamW: trained at one point, evaluated at an average."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple, final

from harness.core.lazy import Lazy
from harness.core.parameter_layout import Layout
from harness.optimizers.adam_family import root_mean_square
from harness.optimizers.base import HyperColumns, Optimizer, UpdateRule
from harness.spec.space import Exempt, Fraction, NonNegative

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


class Averaging(NamedTuple):
    """The two sequences beside the weights, and what weighs the average."""

    x_KP: Tensor
    """Average x of z, where members are evaluated."""
    z_KP: Tensor
    """z, which takes the steps."""
    top_K1: Tensor
    """Largest learning rate so far, γ."""
    sum_K1: Tensor
    """Σ γ² over the updates made."""
    t: int
    """Updates made."""
    v_KP: Tensor | None
    """AdamW's running mean of g²; None of SGD."""


@final
class ScheduleFreeSGD(Optimizer[Averaging]):
    """z ← z − η(g + λy), x ← (1−c)x + cz, y ← (1−β)z + βx, with g taken at y (Defazio et al. 2024).

    c = γ²/Σγ² with γ the largest η so far: with a constant learning rate x is the mean of all z.
    The weights that are trained are y, and members are evaluated at x. No schedule is needed but a
    warm-up. What a regularizer takes off the weights before an update is a step of z, as λ is.
    """

    coordinatewise: ClassVar[bool] = True
    update_rule: ClassVar[UpdateRule | None] = "gradient"
    momentum: Fraction = 0.9
    """β: how near the gradient is taken to the average."""
    weight_decay: NonNegative = 0.0
    """Decay λ, at y."""
    exempt: Exempt = ("bias", "norm")
    """Roles of parameters that do not decay; () lets all decay."""

    def init(self, w_KP: Tensor) -> Averaging:
        return start_averaging(w_KP)

    def update(
        self, g_KP: Tensor, state: Averaging, w_KP: Tensor, hyper: HyperColumns, layout: Layout
    ) -> tuple[Tensor, Averaging]:
        step_KP = torch.addcmul(g_KP, hyper["weight_decay"], w_KP)
        return move_averaged(step_KP, state, w_KP, hyper["lr"], hyper["momentum"])

    def evaluation_point(self, state: Averaging) -> Tensor:
        return state.x_KP


@final
class ScheduleFreeAdamW(Optimizer[Averaging]):
    """z ← z − η(g/(√v̂ + ε) + λy), with x and y as of :class:`ScheduleFreeSGD`.

    v is Adam's running mean of g², and v̂ = v/(1−β₂ᵗ) (Defazio et al. 2024).
    """

    coordinatewise: ClassVar[bool] = True
    update_rule: ClassVar[UpdateRule | None] = "entrywise"
    beta1: Fraction = 0.9
    """β₁: how near the gradient is taken to the average."""
    beta2: Fraction = 0.999
    """Decay β₂ of the running mean of squared gradients."""
    eps: NonNegative = 1e-8
    """ε, added to the divisor."""
    weight_decay: NonNegative = 0.0
    """Decay λ, at y."""
    exempt: Exempt = ("bias", "norm")
    """Roles of parameters that do not decay; () lets all decay."""

    def init(self, w_KP: Tensor) -> Averaging:
        return start_averaging(w_KP)._replace(v_KP=torch.zeros_like(w_KP))

    def update(
        self, g_KP: Tensor, state: Averaging, w_KP: Tensor, hyper: HyperColumns, layout: Layout
    ) -> tuple[Tensor, Averaging]:
        assert state.v_KP is not None
        # v ← β₂v + (1−β₂)g², in the memory of the last v
        v_KP = state.v_KP.lerp_(g_KP * g_KP, 1 - hyper["beta2"])
        step_KP = g_KP / root_mean_square(v_KP, state.t + 1, hyper)
        step_KP.addcmul_(hyper["weight_decay"], w_KP)
        return move_averaged(step_KP, state, w_KP, hyper["lr"], hyper["beta1"])

    def evaluation_point(self, state: Averaging) -> Tensor:
        return state.x_KP

    def preconditioner(self, state: Averaging, hyper: HyperColumns) -> Tensor:
        """Return √v̂ + ε."""
        assert state.v_KP is not None
        return root_mean_square(state.v_KP, state.t, hyper)


def start_averaging(w_KP: Tensor) -> Averaging:
    """Return the state before the first update: x and z are the first weights."""
    nothing_K1 = w_KP.new_zeros(len(w_KP), 1)
    return Averaging(w_KP.clone(), w_KP.clone(), nothing_K1, nothing_K1.clone(), 0, None)


def move_averaged(
    step_KP: Tensor, state: Averaging, w_KP: Tensor, lr: Tensor, momentum: Tensor
) -> tuple[Tensor, Averaging]:
    """Step z, average it into x, and return y between the two.

    Args:
        step_KP: what z moves against, times the learning rate.
        state: x, z and the weights of the average; their memory is used again.
        w_KP: y of the last update, less what regularizers have changed since; overwritten.
        lr: η (K, 1).
        momentum: β (K, 1).

    Returns:
        y and the new state.
    """
    x_KP, z_KP, top_K1, sum_K1 = state.x_KP, state.z_KP, state.top_K1, state.sum_K1
    # y as the last update left it: what is different now was done to the weights by a regularizer,
    # and z takes it over; without any it is zero, since the same call made y
    z_KP.add_(w_KP - torch.lerp(z_KP, x_KP, momentum)).addcmul_(lr, step_KP, value=-1)
    top_K1 = torch.maximum(top_K1, lr)
    sum_K1 = sum_K1 + top_K1.square()
    # at the start of a warm-up from 0 there is nothing to average: 0/0 would be NaN
    c_K1 = torch.where(sum_K1 > 0, top_K1.square() / sum_K1, 0.0)
    x_KP.lerp_(z_KP, c_K1)
    w_KP.copy_(torch.lerp(z_KP, x_KP, momentum))
    return w_KP, Averaging(x_KP, z_KP, top_K1, sum_K1, state.t + 1, state.v_KP)
