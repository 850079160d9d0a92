"""Up and down once."""

from __future__ import annotations

from pydantic import Field

from harness.schedules.base import Schedule, half_cosine


class OneCycle(Schedule):
    """Cosine up from 1/25 to 1, then cosine down to 1/250,000 (Smith & Topin 2018; torch's OneCycleLR)."""

    rise: float = Field(default=0.3, gt=0, lt=1)
    """Share of training spent rising."""
    start: float = Field(default=25.0, gt=1)
    """The first rate is 1/start."""
    end: float = Field(default=1e4, gt=1)
    """The last rate is 1/(start·end)."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        low, last, turn = 1 / self.start, 1 / (self.start * self.end), self.rise * steps - 1
        if step <= turn:
            return half_cosine(low, 1.0, step / turn)
        return (
            half_cosine(1.0, last, (step - turn) / (steps - 1 - turn)) if steps - 1 > turn else last
        )
