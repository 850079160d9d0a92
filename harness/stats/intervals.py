"""Intervals for means over seeds."""

from __future__ import annotations

import math
from functools import lru_cache
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


def summaries(values: ArrayLike, level: float = 0.95) -> dict[str, np.ndarray]:
    """Return three centres of each row with the intervals that cover them: "mean", "median" and "IQM".

    The mean with Student's interval; the median with that of the order statistics x₍ᵣ₎ … x₍ₙ₋ᵣ₊₁₎, which is exact for any
    distribution, and goes from the lowest to the highest value where n is too small for the level (below 6 for 95 %);
    the interquartile mean with Tukey and McLaughlin's, x̄ₜ ± t s_w √((n − 1)/(h(h − 1))) with the Winsorized deviation s_w
    and h − 1 degrees of freedom for the h = n − 2⌊n/4⌋ values that are not cut off.

    Args:
        values: (rows, n) finite numbers.
        level: confidence.

    Returns:
        (3, rows) each: centre, low, high. For one value all three are the same.

    Reference: Student 1908; Thompson 1936; Tukey & McLaughlin 1963.

    >>> [[round(float(v), 2) for v in row[:, 0]] for row in summaries([[1.0, 2.0, 3.0, 10.0]]).values()]
    [[4.0, -2.5, 10.5], [2.5, 1.0, 10.0], [2.5, -6.48, 11.48]]
    """
    x = np.sort(np.asarray(values, dtype=float), axis=1)
    n = x.shape[1]
    cut = n // 4
    kept, winsorized = x[:, cut : n - cut], np.clip(x, x[:, [cut]], x[:, [n - cut - 1]])
    left, rank = n - 2 * cut, _order(n, level)
    scale = math.sqrt((n - 1) / max(1, left * (left - 1)))
    return {
        "mean": _around(x.mean(1), _deviation(x) / math.sqrt(n), n - 1, level),
        "median": np.array([np.median(x, axis=1), x[:, rank], x[:, n - 1 - rank]]),
        "IQM": _around(kept.mean(1), _deviation(winsorized) * scale, left - 1, level),
    }


def _around(centre: np.ndarray, error: np.ndarray, degrees: int, level: float) -> np.ndarray:
    half = _quantile(level, degrees) * error if degrees > 0 else 0 * error
    return np.array([centre, centre - half, centre + half])


def _deviation(x: np.ndarray) -> np.ndarray:
    found: np.ndarray = x.std(axis=1, ddof=1) if x.shape[1] > 1 else np.zeros(len(x))
    return found


@lru_cache(maxsize=256)
def _order(n: int, level: float) -> int:
    """Return the place from each end of the narrowest order statistics' interval that covers the median; 0 if none does."""
    from scipy.stats import binom

    places = [r for r in range(1, n // 2) if 1 - 2 * binom.cdf(r, n, 0.5) >= level]
    return max(places, default=0)


def _quantile(level: float, degrees: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + level / 2))
