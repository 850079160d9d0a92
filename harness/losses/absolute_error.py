"""Mean absolute error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, final

from harness.losses.base import Loss

if TYPE_CHECKING:
    from torch import Tensor


@final
class MAE(Loss):
    """ℓ = Σᵢ |outᵢ − yᵢ| / D."""

    least = 0.0

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        return (out_KBD - y_KBD).abs().flatten(2).mean(-1)
