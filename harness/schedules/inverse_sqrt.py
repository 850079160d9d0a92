"""The inverse square root of the step, after a warm-up."""

from __future__ import annotations

import math
from typing import final

from harness.schedules.base import Schedule
from harness.spec.length import Duration, in_updates


@final
class InverseSqrt(Schedule):
    """η(s)/η = min(t/w, √(w/t)) at update t = s + 1: up over w updates, then as 1/√t.

    It is the schedule of Vaswani et al. 2017, as a factor of its peak.
    """

    warm_up: Duration = 0.1
    """Length w of the rise."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        rise = max(1, in_updates(self.warm_up, steps, steps_per_epoch))
        update = step + 1
        return min(update / rise, math.sqrt(rise / update))
