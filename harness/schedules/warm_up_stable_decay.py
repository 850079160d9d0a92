"""Warm-up, a stable rate, and a decay at the end."""

from __future__ import annotations

import math
from typing import Literal, final

from pydantic import Field

from harness.schedules.base import Schedule, half_cosine
from harness.spec.length import Duration, in_updates


@final
class WSD(Schedule):
    """Up over w updates, 1, and down over the last d: a trapezoid (Hu et al. 2024).

    η(s)/η = min((s+1)/w, f + (1−f)c(x)), where x = max(0, s − (S−d))/d is the share of the decay
    that is over. Where the two overlap the lower counts.
    """

    warm_up: Duration = 0.05
    """Length w of the rise; 0 for none."""
    decay: Duration = 0.2
    """Length d of the fall, which ends with the run; 0 for none."""
    shape: Literal["linear", "cosine", "1-sqrt"] = "linear"
    """Form c of the fall: 1 − x, (1 + cos πx)/2 or 1 − √x (Hägele et al. 2024)."""
    floor: float = Field(default=0.0, ge=0, le=1)
    """Factor f at the end of the fall."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        rise = max(1, in_updates(self.warm_up, steps, steps_per_epoch))
        fall = max(1, in_updates(self.decay, steps, steps_per_epoch))
        # s = S − d is the last update at 1, and s = S, where the floor is reached, is none
        done = max(0, step - (steps - fall)) / fall
        return min(1.0, (step + 1) / rise, self.floor + (1 - self.floor) * self._left(done))

    def _left(self, done: float) -> float:
        """Return c(x): from 1 at x = 0 to 0 at x = 1."""
        if self.shape == "cosine":
            return half_cosine(1.0, 0.0, done)
        return 1 - (math.sqrt(done) if self.shape == "1-sqrt" else done)
