"""Adam and AdamW."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from harness.core.lazy import Lazy
from harness.core.parameter_layout import Layout
from harness.optimizers.base import Hyper, Optimizer
from harness.spec.space import Fraction, NonNegative

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


class State(NamedTuple):
    """Running means of the gradient and of its square."""

    t: int
    m_KP: Tensor
    v_KP: Tensor


class Adam(Optimizer):
    """m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², θ ← θ − η m̂ / (√v̂ + ε), m̂ = m/(1−β₁ᵗ) (Kingma & Ba 2015)."""

    coordinatewise: ClassVar[bool] = True
    beta1: Fraction = 0.9
    """Decay β₁ of the mean."""
    beta2: Fraction = 0.999
    """Decay β₂ of the mean square."""
    eps: NonNegative = 1e-8
    """Added to the root ε."""
    bias_correction: bool = True
    """Divide m and v by what they lack at first; without, m̂ = m and v̂ = v."""

    def init(self, w_KP: Tensor) -> State:
        return State(0, w_KP.new_zeros(w_KP.shape), w_KP.new_zeros(w_KP.shape))

    def stability_threshold(self, hyper: Hyper) -> Tensor:
        return 2 * (1 + hyper["beta1"]) / ((1 - hyper["beta1"]) * hyper["lr"])

    def preconditioner(self, state: State, hyper: Hyper) -> Tensor:
        grown = 1 - hyper["beta2"] ** state.t if self.bias_correction else 1.0
        return (state.v_KP / grown).sqrt() + hyper["eps"]

    def update(
        self, g_KP: Tensor, state: State, w_KP: Tensor, hyper: Hyper, layout: Layout
    ) -> tuple[Tensor, State]:
        t, beta1, beta2 = state.t + 1, hyper["beta1"], hyper["beta2"]
        m_KP = state.m_KP.lerp_(g_KP, 1 - beta1)
        v_KP = state.v_KP.lerp_(g_KP * g_KP, 1 - beta2)
        if not self.bias_correction:
            root_KP = v_KP.sqrt().add_(hyper["eps"])
            return w_KP.addcdiv_(m_KP * hyper["lr"], root_KP, value=-1), State(t, m_KP, v_KP)
        # θ − (η / (1−β₁ᵗ)) m / (√v / √(1−β₂ᵗ) + ε)
        root_KP = torch.addcmul(hyper["eps"], v_KP.sqrt(), (1 - beta2**t).rsqrt())
        return w_KP.addcdiv_(m_KP * (hyper["lr"] / (1 - beta1**t)), root_KP, value=-1), State(
            t, m_KP, v_KP
        )


class AdamW(Adam):
    """Adam after θ ← (1 − ηλ)θ: weight decay apart from the gradient (Loshchilov & Hutter 2019)."""

    coordinatewise: ClassVar[bool] = True
    weight_decay: NonNegative = 1e-2
    """Decay λ."""

    def update(
        self, g_KP: Tensor, state: State, w_KP: Tensor, hyper: Hyper, layout: Layout
    ) -> tuple[Tensor, State]:
        return super().update(
            g_KP, state, w_KP.mul_(1 - hyper["lr"] * hyper["weight_decay"]), hyper, layout
        )
