"""Half a cosine."""

from __future__ import annotations

import math
from typing import final

from pydantic import Field

from harness.schedules.base import Schedule


@final
class Cosine(Schedule):
    """η(s)/η = f + (1−f)(1 + cos πs/S)/2: from 1 towards the floor f along half a cosine.

    Loshchilov & Hutter 2017, without restarts.
    """

    floor: float = Field(default=0.0, ge=0, le=1)
    """Factor f at the end."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        # f + (1−f)(1 + cos πs/S)/2; the last update is at s = S − 1, just above the floor. Not by
        # half_cosine, whose order of operations rounds otherwise: runs would change in their bits.
        return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * step / steps)) / 2
