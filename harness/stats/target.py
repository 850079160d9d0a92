"""When a run reached a target, and what is known when it did not.

Times are in whatever unit the caller counts in: steps, epochs, samples or seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class Reached(NamedTuple):
    """The time of a run to its target; censored where the run ended without reaching it."""

    time: float
    """When the target was reached, or when the run ended."""
    censored: bool
    """Whether it ended first."""


def first_reach(
    times: Sequence[float], values: Sequence[float], target: float, maximize: bool
) -> Reached:
    """Return the first time at which the value is at least (at most) the target.

    Args:
        times: (n,) steps, epochs or samples of the evaluations, increasing.
        values: (n,) metric at each.
        target: value to be reached.
        maximize: whether larger is better.

    Returns:
        That time, or the last one, censored; 0 where there is no evaluation.

    >>> first_reach([0, 10, 20], [0.1, 0.5, 0.7], 0.5, maximize=True)
    Reached(time=10.0, censored=False)
    >>> first_reach([0, 10], [3.0, 2.0], 1.0, maximize=False)
    Reached(time=10.0, censored=True)
    """
    for time, value in zip(times, values, strict=True):
        # NaN compares as False: an evaluation after divergence reaches nothing
        if (value >= target) if maximize else (value <= target):
            return Reached(float(time), False)
    return Reached(float(times[-1]) if len(times) else 0.0, True)


def horizon_of(times: Sequence[Reached]) -> float:
    """Return the longest time up to which it is known of every run whether it had arrived.

    It is the first censoring, or the last arrival where none is censored; NaN without runs.

    Args:
        times: one run each, of all the arms that are compared: they share one horizon.

    >>> horizon_of([Reached(3, False), Reached(9, True)])
    9
    >>> horizon_of([Reached(3, False), Reached(5, False)])
    5
    """
    censored = [t.time for t in times if t.censored]
    return min(censored) if censored else max((t.time for t in times), default=math.nan)


def restricted(times: Sequence[Reached], horizon: float) -> list[float]:
    """Return each time, cut at the horizon; a censored run counts as the whole horizon.

    The mean of these is the restricted mean time (Royston & Parmar 2013): it says nothing of what
    happens after the horizon, up to which every censored run must have been observed.

    Args:
        times: one run each.
        horizon: the longest time that counts, as :func:`horizon_of` gives it.

    Returns:
        (runs,) times, in the order given.

    >>> restricted([Reached(3, False), Reached(12, False), Reached(9, True)], horizon=9)
    [3, 9, 9]
    """
    return [horizon if t.censored else min(t.time, horizon) for t in times]
