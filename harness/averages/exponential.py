"""The exponential moving average."""

from __future__ import annotations

from typing import final

from harness.averages.base import Average, first_averaged
from harness.spec.length import Duration
from harness.spec.space import Fraction, value_of


@final
class EMA(Average):
    """θ̄ ← dθ̄ + (1−d)θ after each update (torch's ``get_ema_multi_avg_fn``)."""

    decay: Fraction = 0.99
    """Decay d: the average is over about 1/(1−d) updates."""
    warm_up: bool = False
    """Let the decay be min(d, (1+n)/(10+n)) where n updates have been averaged, so that the first
    weights are soon forgotten (as TensorFlow's ``ExponentialMovingAverage``)."""
    start: Duration = 0.0
    """Length before the average starts; until then it is the weights themselves."""

    def first(self, steps: int, steps_per_epoch: int) -> int:
        return first_averaged(self.start, steps, steps_per_epoch)

    def rate(self, updates: int, steps: int, steps_per_epoch: int) -> float:
        averaged = updates - self.first(steps, steps_per_epoch)
        if averaged <= 0:
            return 1.0
        decay = value_of(self.decay, "average.decay")
        if self.warm_up:
            decay = min(decay, (1 + averaged) / (10 + averaged))
        return 1 - decay
