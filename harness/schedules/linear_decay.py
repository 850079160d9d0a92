"""A straight line down."""

from __future__ import annotations

from typing import final

from pydantic import Field

from harness.schedules.base import Schedule


@final
class LinearDecay(Schedule):
    """η(s)/η = f + (1−f)(1 − s/S): from 1 towards the floor f along a straight line."""

    floor: float = Field(default=0.0, ge=0, le=1)
    """Factor f at the end."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        # the last update is at s = S − 1, an S-th above the floor
        return self.floor + (1 - self.floor) * (1 - step / steps)
