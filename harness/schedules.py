"""Learning-rate schedules: the factor η(s)/η at step s of S."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from harness.spec.recipe import Schedule


class Curve(Schedule):
    """A schedule of the harness."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return what the learning rate is multiplied by at ``step`` (from 0) of ``steps``."""
        raise NotImplementedError


class Constant(Curve):
    """The same rate throughout."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        return 1.0


class StepDecay(Curve):
    """γ^⌊epoch / every⌋: the rate falls by a factor at regular epochs."""

    every: int = Field(default=10, ge=1)
    """Epochs between falls."""
    gamma: float = Field(default=0.1, gt=0, le=1)
    """Factor γ of each fall."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        return self.gamma ** (step // steps_per_epoch // self.every)


class Cosine(Curve):
    """f + (1−f)(1 + cos πs/S)/2: from 1 to the floor f along half a cosine (Loshchilov & Hutter 2017)."""

    floor: float = Field(default=0.0, ge=0, le=1)
    """Factor f at the end."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * step / steps)) / 2


class OneCycle(Curve):
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
            return _cosine(low, 1.0, step / turn)
        return _cosine(1.0, last, (step - turn) / (steps - 1 - turn)) if steps - 1 > turn else last


class WarmUp(Curve):
    """min(1, (s+1)/w): linear rise over the first w steps, then constant or half a cosine to 0 (Goyal et al. 2017)."""

    share: float = Field(default=0.1, gt=0, lt=1)
    """Share w/S of training spent rising."""
    then: Literal["constant", "cosine"] = "constant"
    """What follows the rise."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        rise = max(1, round(self.share * steps))
        if step < rise:
            return (step + 1) / rise
        return 1.0 if self.then == "constant" else _cosine(1.0, 0.0, (step - rise) / max(1, steps - rise))


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
