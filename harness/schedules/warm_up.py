"""Warm-up: the rate rises linearly at the start."""

from __future__ import annotations

from typing import Literal, final

from pydantic import Field

from harness.schedules.base import Schedule, half_cosine
from harness.spec.length import Duration, in_updates


@final
class WarmUp(Schedule):
    """η(s)/η = (s+1)/w over the first w steps, then 1 or half a cosine to 0 (Goyal et al. 2017)."""

    share: float = Field(default=0.1, gt=0, lt=1)
    """Share w/S of training spent rising."""
    then: Literal["constant", "cosine"] = "constant"
    """What follows the rise."""
    length: Duration | None = Field(default=None, exclude_if=lambda length: length is None)
    """Length w of the rise in the place of ``share``, such as "500 steps"."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        # one update at least, where the share of a short run rounds to none
        length = self.share if self.length is None else self.length
        rise = max(1, in_updates(length, steps, steps_per_epoch))
        if step < rise:
            # (s+1)/w: the first update moves already
            return (step + 1) / rise
        if self.then == "constant":
            return 1.0
        # (1 + cos π(s−w)/(S−w))/2; w ≤ s < S, so that the fall has a step
        return half_cosine(1.0, 0.0, (step - rise) / (steps - rise))
