"""What a schedule is: the factor η(s)/η of the learning rate at step s of S."""

from __future__ import annotations

import math

from harness.spec.component import Component


class Schedule(Component):
    """The learning rate over training, as a factor of its base value."""

    kind = "schedule"

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return what the learning rate is multiplied by at ``step`` (from 0) of ``steps``."""
        raise NotImplementedError


def half_cosine(start: float, end: float, share: float) -> float:
    """Return what half a cosine from ``start`` to ``end`` has come to after a share of its length."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
