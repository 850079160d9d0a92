"""A power of what is left of the run."""

from __future__ import annotations

import math
from typing import final

from pydantic import Field

from harness.schedules.base import Schedule


@final
class Polynomial(Schedule):
    """η(s)/η = f + (1−f)(1 − s/S)^p: from 1 towards the floor f (torch's ``PolynomialLR``)."""

    power: float = Field(default=2.0, gt=0)
    """Power p; 1 is :class:`LinearDecay`."""
    floor: float = Field(default=0.0, ge=0, le=1)
    """Factor f at the end."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        # the last update is at s = S − 1, just above the floor
        return self.floor + (1 - self.floor) * math.pow(1 - step / steps, self.power)
