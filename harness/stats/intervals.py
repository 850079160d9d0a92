"""Intervals for means over seeds."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Interval(NamedTuple):
    """A mean with the interval that covers it with the given confidence."""

    mean: float
    low: float
    high: float


def mean_interval(values: ArrayLike, level: float = 0.95) -> Interval:
    """Return the mean x̄ and x̄ ± t·s/√n, with t the quantile of Student's distribution with n − 1 degrees of freedom.

    Args:
        values: (n,) one number a seed.
        level: confidence.

    Returns:
        The interval; infinitely wide for one value, and NaN throughout for none.
        Any infinite value (a diverged run) makes the mean infinite and the interval the whole line.

    Reference: Student 1908.

    >>> [round(v, 3) for v in mean_interval([1.0, 2.0, 3.0])]
    [2.0, -0.484, 4.484]
    """
    x = np.asarray(values, dtype=float)
    if len(x) == 0:
        return Interval(math.nan, math.nan, math.nan)
    mean = float(x.mean())
    if len(x) == 1 or not np.isfinite(x).all():
        return Interval(mean, -math.inf, math.inf)
    half = _quantile(level, len(x) - 1) * float(x.std(ddof=1)) / math.sqrt(len(x))
    return Interval(mean, mean - half, mean + half)


def _quantile(level: float, degrees: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + level / 2))
