"""Intervals for means, medians and interquartile means over runs.

:func:`summaries` does many rows at once, since curves have a row for each step.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Interval(NamedTuple):
    """An estimate with its confidence interval."""

    mean: float
    """The mean, or whatever else is estimated."""
    low: float
    """Lower bound; −∞ where the values can't give one."""
    high: float
    """Upper bound; ∞ where the values can't give one."""


def mean_interval(values: ArrayLike, level: float = 0.95) -> Interval:
    """Return the mean with its t-interval, x̄ ± t·s/√n (Student 1908).

    s is the standard deviation with n − 1 below, t the (1 + level)/2 quantile of Student's
    distribution with n − 1 degrees of freedom.

    Args:
        values: (n,) one number a seed.
        level: confidence, from 0 to 1.

    Returns:
        The interval; infinitely wide for one value, and NaN throughout for none. Any infinite
        value (a diverged run) makes the mean infinite and the interval the whole line.

    >>> [round(v, 3) for v in mean_interval([1.0, 2.0, 3.0])]
    [2.0, -0.484, 4.484]
    """
    x = np.asarray(values, dtype=float)
    if len(x) == 0:
        return Interval(math.nan, math.nan, math.nan)
    mean = float(x.mean())
    # one value has no deviation; a diverged run leaves a mean that nothing bounds
    if len(x) == 1 or not np.isfinite(x).all():
        return Interval(mean, -math.inf, math.inf)
    half = _quantile(level, len(x) - 1) * float(x.std(ddof=1)) / math.sqrt(len(x))
    return Interval(mean, mean - half, mean + half)


def summaries(values: ArrayLike, level: float = 0.95) -> dict[str, np.ndarray]:
    """Return three centres of each row, "mean", "median" and "IQM", with their intervals.

    - The mean has Student's interval (Student 1908).
    - The median has that of the order statistics x₍ᵣ₎ … x₍ₙ₋ᵣ₊₁₎, exact for any distribution
      (Thompson 1936). From the lowest to the highest value it covers with 1 − 2¹⁻ⁿ: where that is
      less than the level, which is below 6 values for 95 %, there is none.
    - The interquartile mean has x̄ₜ ± t s_w √((n − 1)/(h(h − 1))), with the Winsorized deviation
      s_w and h − 1 degrees of freedom for the h = n − 2⌊n/4⌋ values that are not cut off
      (Tukey & McLaughlin 1963).

    Args:
        values: (rows, n) finite numbers.
        level: confidence.

    Returns:
        (3, rows) each: centre, low, high. Where n is too small for the level the bounds are −∞ and
        ∞: no interval can be drawn there.

    >>> rows = summaries([[1.0, 2.0, 3.0, 10.0]])
    >>> {name: [round(float(v), 2) for v in columns[:, 0]] for name, columns in rows.items()}
    {'mean': [4.0, -2.5, 10.5], 'median': [2.5, -inf, inf], 'IQM': [2.5, -6.48, 11.48]}
    """
    x = np.sort(np.asarray(values, dtype=float), axis=1)
    n = x.shape[1]
    cut = n // 4
    # Winsorized: what is cut off takes the value next to the cut
    kept, winsorized = x[:, cut : n - cut], np.clip(x, x[:, [cut]], x[:, [n - cut - 1]])
    left = n - 2 * cut  # h
    # √((n−1)/(h(h−1))); of one value there is no interval, and the factor must not be infinite
    widening = math.sqrt((n - 1) / max(1, left * (left - 1)))
    return {
        "mean": _around(x.mean(1), _deviation(x) / math.sqrt(n), n - 1, level),
        "median": np.array([np.median(x, axis=1), *_order_statistics(x, level)]),
        "IQM": _around(kept.mean(1), _deviation(winsorized) * widening, left - 1, level),
    }


def median_interval(values: ArrayLike, level: float = 0.95) -> Interval:
    """Return the median with the interval of its order statistics, as :func:`summaries` does.

    Args:
        values: (n,) numbers; infinite ones move the median by one place each.
        level: confidence.

    >>> median_interval([1.0, 2.0, 3.0, 10.0, 4.0, 6.0])
    Interval(mean=3.5, low=1.0, high=10.0)
    """
    x = np.sort(np.asarray(values, dtype=float))
    low, high = _order_statistics(x[None], level)
    # the mean of the two in the middle; np.median makes NaN of two infinite ones
    lower, upper = float(x[(len(x) - 1) // 2]), float(x[len(x) // 2])
    middle = lower if lower == upper else (lower + upper) / 2
    return Interval(middle, float(low[0]), float(high[0]))


def _around(centre: np.ndarray, error: np.ndarray, degrees: int, level: float) -> np.ndarray:
    """Return centre, centre − t·error and centre + t·error, (3, rows).

    Args:
        centre: (rows,).
        error: (rows,) standard errors.
        degrees: degrees of freedom of t.
        level: confidence.
    """
    # one value has no deviation, and bounds nothing
    half = _quantile(level, degrees) * error if degrees else np.full(len(centre), math.inf)
    return np.array([centre, centre - half, centre + half])


def _deviation(x: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each row; 0 for rows of one value."""
    if x.shape[1] == 1:
        return np.zeros(len(x))
    return np.asarray(x.std(axis=1, ddof=1))


def fewest_for(level: float) -> int:
    """Return the values from which on they cover their distribution's median by their range.

    All n lie on one side of it with probability 2·2⁻ⁿ. With fewer than that no interval inside the
    range holds its level, be it of order statistics or of resamples.

    Args:
        level: confidence, below 1.

    >>> fewest_for(0.95), fewest_for(0.5)
    (6, 2)
    """
    # 1 − 2^(1−n) ≥ level; a little less, since log₂ of a power of two may be rounded up
    return math.ceil(1 - math.log2(1 - level) - 1e-9)


def _order_statistics(x: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of each row's median; infinite where n is too small for the level.

    Args:
        x: (rows, n) values, rising.
        level: confidence.
    """
    rows, n = x.shape
    if n < fewest_for(level):
        return np.full(rows, -math.inf), np.full(rows, math.inf)
    place = _place(n, level)
    return x[:, place], x[:, n - 1 - place]


@lru_cache(maxsize=256)  # figures ask for few different n
def _place(n: int, level: float) -> int:
    """Return the place from each end of the narrowest interval of order statistics that covers.

    That from place r to place n − 1 − r covers the median with probability 1 − 2 P(B ≤ r) for B
    binomial with n draws of ½.
    """
    from scipy.special import bdtr

    places = [r for r in range(1, n // 2) if 1 - 2 * bdtr(r, n, 0.5) >= level]
    return max(places, default=0)


def _quantile(level: float, degrees: int) -> float:
    """Return Student's t of a two-sided interval: the (1 + level)/2 quantile."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + level / 2))
