"""A part of the data on the device."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Samples(NamedTuple):
    """Inputs (N, *shape) and targets (N, D)."""

    x: Tensor
    y: Tensor

    @property
    def size(self) -> int:
        """Number of samples."""
        return len(self.x)
