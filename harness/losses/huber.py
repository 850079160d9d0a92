"""Huber's loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.core.lazy import Lazy
from harness.losses.base import Loss
from harness.spec.space import Positive

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


class Huber(Loss):
    """½e² where |e| ≤ δ, else δ(|e| − δ/2), with e = out − y, mean over the outputs (Huber 1964)."""

    delta: Positive = 1.0
    """Where the square turns into a line, δ."""

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        error, delta = (out_KBD - y_KBD).abs(), hyper["delta"][:, None, None]
        return torch.where(error <= delta, error.square() / 2, delta * (error - delta / 2)).mean(-1)
