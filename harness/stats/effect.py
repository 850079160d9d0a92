"""How large a difference is: standardised differences, probability of improvement, and the seeds it takes to see one."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike


def cohen_d(a: ArrayLike, b: ArrayLike) -> float:
    """Return d = (ā − b̄)/s with the pooled deviation s, for independent samples (Cohen 1988)."""
    x, y = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    pooled = ((len(x) - 1) * x.var(ddof=1) + (len(y) - 1) * y.var(ddof=1)) / (len(x) + len(y) - 2)
    return _ratio(float(x.mean() - y.mean()), math.sqrt(pooled))


def hedges_g(a: ArrayLike, b: ArrayLike) -> float:
    """Return d·(1 − 3/(4(n + m) − 9)): Cohen's d without its bias in small samples (Hedges 1981)."""
    count = len(np.asarray(a)) + len(np.asarray(b))
    return cohen_d(a, b) * (1 - 3 / (4 * count - 9))


def paired_d(a: ArrayLike, b: ArrayLike) -> float:
    """Return d_z = d̄/s_d of the differences d = a − b over pairs: what a paired test sees (Lakens 2013).

    >>> round(paired_d([1.0, 2.0, 3.0], [0.0, 2.0, 1.0]), 3)
    1.0
    """
    d = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    return _ratio(float(d.mean()), float(d.std(ddof=1)) if len(d) > 1 else math.nan)


def cliffs_delta(a: ArrayLike, b: ArrayLike) -> float:
    """Return P(a > b) − P(a < b) over all pairs of an a and a b (Cliff 1993)."""
    return 2 * probability_of_improvement(a, b) - 1


def probability_of_improvement(a: ArrayLike, b: ArrayLike) -> float:
    """Return P(a > b) + ½P(a = b) over all pairs of runs, the mean over tasks (Agarwal et al. 2021; Mann & Whitney 1947).

    Args:
        a: (n,) runs, or (n, tasks).
        b: (m,) runs, or (m, tasks).

    >>> round(probability_of_improvement([[1, 2], [2, 2], [1, 1], [2, 1]], [[1, 1], [2, 2], [3, 3]]), 6)
    0.333333
    """
    x, y = (np.asarray(v, dtype=float).reshape(len(np.asarray(v)), -1) for v in (a, b))
    wins = x[:, None] > y[None]
    ties = x[:, None] == y[None]
    return float((wins + ties / 2).mean())


def seeds_needed(
    effect: float, alpha: float = 0.05, power: float = 0.8, most: int = 10_000
) -> int | None:
    """Return the pairs that a two-sided paired t-test needs to see a standardised effect d_z with the given power.

    The power is that of the noncentral t distribution with n − 1 degrees of freedom and noncentrality d_z√n; its
    smaller tail is left out.

    Args:
        effect: d_z, as :func:`paired_d` gives it.
        alpha: level of the test.
        power: probability of seeing the effect.
        most: give up beyond so many.

    Returns:
        The number, or None where it is larger than ``most``.

    >>> seeds_needed(0.5), seeds_needed(1.0), seeds_needed(0.0)
    (34, 10, None)
    """
    from scipy.special import nctdtr, stdtrit

    size = abs(effect)
    if not math.isfinite(size):
        return 2 if size == math.inf else None
    low, high = 2, most

    def seen(n: int) -> bool:
        return float(1 - nctdtr(n - 1, size * math.sqrt(n), stdtrit(n - 1, 1 - alpha / 2))) >= power

    if size == 0 or not seen(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if seen(middle) else (middle + 1, high)
    return low


def _ratio(difference: float, deviation: float) -> float:
    if deviation == 0:
        return 0.0 if difference == 0 else math.copysign(math.inf, difference)
    return difference / deviation
