"""A rate that falls by a factor at regular epochs."""

from __future__ import annotations

from typing import final

from pydantic import Field

from harness.schedules.base import Schedule


@final
class StepDecay(Schedule):
    """η(s)/η = γ^⌊epoch / every⌋: the rate falls by a factor at regular epochs."""

    every: int = Field(default=10, ge=1)
    """Epochs between falls."""
    gamma: float = Field(default=0.1, gt=0, le=1)
    """Factor γ of each fall."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        # γ^⌊⌊s / steps per epoch⌋ / every⌋
        return self.gamma ** (step // steps_per_epoch // self.every)
