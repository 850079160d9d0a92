"""The contract of a schedule: the factor η(s)/η of the learning rate at step s of S."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Self

from harness.spec.component import Component
from harness.spec.length import RunLengths, fit_lengths


class Schedule(Component):
    """The learning rate over training, as a factor of its base value.

    It is a pure function of the step, so that a run which goes on from a checkpoint needs no state
    of it. Steps stand for the share of the budget used, s/S: under a budget of gradients an update
    that computes several goes on by as many steps (:func:`harness.engine.timetable.updates_worth`).
    """

    kind = "schedule"

    @abstractmethod
    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return what the learning rate is multiplied by in one update.

        Args:
            step: updates made before it, s = 0 … S − 1.
            steps: updates in the run, S, from 1 on.
            steps_per_epoch: updates in an epoch.

        Returns:
            η(s)/η, finite and from 0 on; 1 for the optimizer's own learning rate.
        """

    def fitted(self, run: RunLengths) -> Self:
        """Return the schedule with its lengths in samples and tokens turned into updates.

        The engine asks the result for its factors.

        Args:
            run: the run's lengths.

        Raises:
            HarnessError: a length is in tokens, and the data have none.
        """
        return fit_lengths(self, run)


def half_cosine(start: float, end: float, share: float) -> float:
    """Return end + (start − end)(1 + cos πx)/2: from start to end along half a cosine.

    Args:
        start: value at x = 0.
        end: value at x = 1.
        share: x, how much of the way is done, from 0 to 1.

    >>> half_cosine(1.0, 0.0, 0.0), half_cosine(1.0, 0.0, 0.5), half_cosine(1.0, 0.0, 1.0)
    (1.0, 0.5, 0.0)
    """
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
