"""The contract of an average: how much of the weights is taken after each update."""

from __future__ import annotations

from abc import abstractmethod
from typing import Self

from harness.spec.component import Component
from harness.spec.length import RunLengths, fit_lengths, in_updates


class Average(Component):
    """A running average θ̄ of the weights, which members are evaluated at.

    θ̄ ← θ̄ + c(θ − θ̄) after each update. A subclass gives c, a pure function of the number of
    updates, so that a run that goes on from a checkpoint needs no state but θ̄.
    """

    kind = "average"

    @abstractmethod
    def rate(self, updates: int, steps: int, steps_per_epoch: int) -> float:
        """Return how far the average goes towards the weights.

        Args:
            updates: those made, t = 1 … S.
            steps: updates in the run, S.
            steps_per_epoch: updates in an epoch.

        Returns:
            c from 0, which leaves the average, to 1, which takes the weights themselves.
        """

    @abstractmethod
    def first(self, steps: int, steps_per_epoch: int) -> int:
        """Return the updates made when the average starts; until then it is the weights.

        Args:
            steps: updates in the run.
            steps_per_epoch: updates in an epoch.
        """

    def fitted(self, run: RunLengths) -> Self:
        """Return the average with its lengths in samples and tokens turned into updates.

        Args:
            run: the run's lengths.

        Raises:
            HarnessError: a length is in tokens, and the data have none.
        """
        return fit_lengths(self, run)


def first_averaged(start: float | str, steps: int, steps_per_epoch: int) -> int:
    """Return the updates made when an average starts: one at least.

    Args:
        start: the length before it.
        steps: updates in the run.
        steps_per_epoch: updates in an epoch.
    """
    return max(1, in_updates(start, steps, steps_per_epoch))
