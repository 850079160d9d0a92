"""Mean squared error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from harness.losses.base import Loss

if TYPE_CHECKING:
    from torch import Tensor


class MSE(Loss):
    """Mean over the outputs of (out − y)²; or half their sum."""

    form: Literal["mean", "half_sum"] = "mean"
    """"half_sum" is ½‖out − y‖²."""

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        squares = (out_KBD - y_KBD).square()
        return squares.mean(-1) if self.form == "mean" else squares.sum(-1) / 2
