"""The plain mean of weights along the end of training."""

from __future__ import annotations

from typing import final

from harness.averages.base import Average, first_averaged
from harness.spec.length import Duration, in_updates


@final
class SWA(Average):
    """The mean of θ at ``start`` and every so often from there (Izmailov et al. 2018).

    The paper goes on at a constant or cyclic rate meanwhile: ``Sequence`` and ``CosineRestarts``
    are such schedules.
    """

    start: Duration = 0.75
    """Length before the first weights of the mean; until then it is the weights themselves."""
    every: Duration = "1 epochs"
    """Length between weights that are taken."""

    def first(self, steps: int, steps_per_epoch: int) -> int:
        return first_averaged(self.start, steps, steps_per_epoch)

    def rate(self, updates: int, steps: int, steps_per_epoch: int) -> float:
        since = updates - self.first(steps, steps_per_epoch)
        if since <= 0:
            return 1.0
        # one update at least, where the share of a short run rounds to none
        count, rest = divmod(since, max(1, in_updates(self.every, steps, steps_per_epoch)))
        # the (n+1)-th of a mean: θ̄ + (θ − θ̄)/(n+1)
        return 0.0 if rest else 1 / (count + 1)
