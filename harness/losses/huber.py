"""Huber's loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, final

from harness.core.lazy import Lazy
from harness.losses.base import Loss
from harness.spec.space import Positive

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


@final
class Huber(Loss):
    """ℓ = Σᵢ ρ(outᵢ − yᵢ) / D, ρ(e) = ½e² where |e| ≤ δ, else δ(|e| − δ/2) (Huber 1964)."""

    least = 0.0

    delta: Positive = 1.0
    """Size δ of an error, in units of the targets, at which the square turns into a line."""

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        # δ (K,) differs from member to member
        error, delta = (out_KBD - y_KBD).abs().flatten(2), hyper["delta"][:, None, None]
        return torch.where(error <= delta, error.square() / 2, delta * (error - delta / 2)).mean(-1)
