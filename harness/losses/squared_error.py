"""Squared error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, final

from harness.losses.base import Loss

if TYPE_CHECKING:
    from torch import Tensor


@final
class MSE(Loss):
    """ℓ = Σᵢ (outᵢ − yᵢ)² / D, the mean over the outputs; or half the sum."""

    least = 0.0

    form: Literal["mean", "half_sum"] = "mean"
    """"half_sum" is ℓ = ½ Σᵢ (outᵢ − yᵢ)², as theory papers have it."""

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        squares = (out_KBD - y_KBD).square().flatten(2)
        return squares.mean(-1) if self.form == "mean" else squares.sum(-1) / 2
