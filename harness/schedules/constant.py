"""The same rate throughout."""

from __future__ import annotations

from harness.schedules.base import Schedule


class Constant(Schedule):
    """The same rate throughout."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        return 1.0
