"""Penalties on the weights, through the gradient (so that adaptive rules rescale them)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness.regularizers.base import Hyper, Regularizer
from harness.spec.space import NonNegative

if TYPE_CHECKING:
    from torch import Tensor


class L2(Regularizer):
    """L + ½λ‖θ‖²: g ← g + λθ, as ``weight_decay`` in torch's SGD and Adam."""

    coordinatewise: ClassVar[bool] = True
    strength: NonNegative = 1e-4
    """Strength λ."""

    def penalty(self, g_KP: Tensor, w_KP: Tensor, hyper: Hyper) -> Tensor:
        return g_KP + hyper["strength"][:, None] * w_KP


class L1(Regularizer):
    """L + λ‖θ‖₁: g ← g + λ sign(θ) (Tibshirani 1996)."""

    coordinatewise: ClassVar[bool] = True
    strength: NonNegative = 1e-5
    """Strength λ."""

    def penalty(self, g_KP: Tensor, w_KP: Tensor, hyper: Hyper) -> Tensor:
        return g_KP + hyper["strength"][:, None] * w_KP.sign()
