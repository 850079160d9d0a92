"""A rate that falls by a factor at regular epochs."""

from __future__ import annotations

from typing import final

from pydantic import Field

from harness.schedules.base import Schedule
from harness.spec.length import Duration, in_updates


@final
class StepDecay(Schedule):
    """η(s)/η = γ^⌊epoch / every⌋: the rate falls by a factor at regular epochs."""

    every: int = Field(default=10, ge=1)
    """Epochs between falls."""
    gamma: float = Field(default=0.1, gt=0, le=1)
    """Factor γ of each fall."""
    length: Duration | None = Field(default=None, exclude_if=lambda length: length is None)
    """Length between falls in the place of ``every``, such as "500 steps"."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        if self.length is not None:
            return self.gamma ** (step // max(1, in_updates(self.length, steps, steps_per_epoch)))
        # γ^⌊⌊s / steps per epoch⌋ / every⌋
        return self.gamma ** (step // steps_per_epoch // self.every)
