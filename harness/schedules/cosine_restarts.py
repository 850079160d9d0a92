"""Half cosines, one after the other."""

from __future__ import annotations

from typing import final

from pydantic import Field

from harness.schedules.base import Schedule, half_cosine
from harness.spec.length import Duration, in_updates


@final
class CosineRestarts(Schedule):
    """From 1 along half a cosine towards the floor, again and again (Loshchilov & Hutter 2017).

    η(s)/η = f + (1−f)(1 + cos πt/T)/2 at update t of a cycle of T; cycle i has T = T₀mⁱ updates
    (SGDR; torch's ``CosineAnnealingWarmRestarts``).
    """

    first: Duration = 0.25
    """Length T₀ of the first cycle."""
    growth: int = Field(default=1, ge=1)
    """How many times as long as the one before each cycle is, m."""
    floor: float = Field(default=0.0, ge=0, le=1)
    """Factor f at the end of each cycle."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        # one update at least, where the share of a short run rounds to none
        cycle = max(1, in_updates(self.first, steps, steps_per_epoch))
        if self.growth == 1:
            step %= cycle
        while step >= cycle:
            step, cycle = step - cycle, cycle * self.growth
        return half_cosine(1.0, self.floor, step / cycle)
