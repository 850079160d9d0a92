"""One cycle: the rate rises, then falls."""

from __future__ import annotations

from typing import final

from pydantic import Field

from harness.schedules.base import Schedule, half_cosine


@final
class OneCycle(Schedule):
    """Half a cosine up from 1/a to 1, then half a cosine down to 1/(ab).

    The peak is at step p = rS − 1, the end at S − 1 (Smith & Topin 2018; torch's ``OneCycleLR``). A
    run of one update is its peak, and so is the first update where p = 0: torch's would not train
    in the one, and divides by zero in the other.
    """

    rise: float = Field(default=0.3, gt=0, lt=1)
    """Share r of training spent rising."""
    start: float = Field(default=25.0, gt=1)
    """a: the first factor is 1/a."""
    end: float = Field(default=1e4, gt=1)
    """b: the last factor is 1/(ab)."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        first, last = 1 / self.start, 1 / (self.start * self.end)
        peak, end = self.rise * steps - 1, steps - 1
        if step == end == 0 or step == peak:
            return 1.0
        if step < peak:
            # from 1/a at 0 to 1 at p
            return half_cosine(first, 1.0, step / peak)
        # from 1 at p to 1/(ab) at S − 1, which is later: r < 1
        return half_cosine(1.0, last, (step - peak) / (end - peak))
