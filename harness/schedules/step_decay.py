"""A rate that falls by a factor at regular epochs."""

from __future__ import annotations

from pydantic import Field

from harness.schedules.base import Schedule


class StepDecay(Schedule):
    """γ^⌊epoch / every⌋: the rate falls by a factor at regular epochs."""

    every: int = Field(default=10, ge=1)
    """Epochs between falls."""
    gamma: float = Field(default=0.1, gt=0, le=1)
    """Factor γ of each fall."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        return self.gamma ** (step // steps_per_epoch // self.every)
