"""A linear rise at the start."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.schedules.base import Schedule, half_cosine


class WarmUp(Schedule):
    """min(1, (s+1)/w): linear rise over the first w steps, then constant or half a cosine to 0 (Goyal et al. 2017)."""

    share: float = Field(default=0.1, gt=0, lt=1)
    """Share w/S of training spent rising."""
    then: Literal["constant", "cosine"] = "constant"
    """What follows the rise."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        rise = max(1, round(self.share * steps))
        if step < rise:
            return (step + 1) / rise
        return (
            1.0
            if self.then == "constant"
            else half_cosine(1.0, 0.0, (step - rise) / max(1, steps - rise))
        )
