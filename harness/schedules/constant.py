"""The same rate throughout."""

from __future__ import annotations

from typing import final

from harness.schedules.base import Schedule


@final
class Constant(Schedule):
    """η(s) = η: the same rate throughout."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        return 1.0
