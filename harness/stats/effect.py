"""How large a difference is.

d, g and d_z are differences in units of the spread, so that they can be compared across metrics; δ
and P(a > b) use the order of the values alone, and so take diverged runs as they are.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike


def cohen_d(a: ArrayLike, b: ArrayLike) -> float:
    """Return d = (ā − b̄)/s for independent samples (Cohen 1988).

    s² = ((n−1)s_a² + (m−1)s_b²) / (n + m − 2) is the pooled variance.

    Args:
        a: (n,) finite values, two at least.
        b: (m,) finite values, two at least.

    Returns:
        d; ±∞ for a difference without any spread, 0 where there is neither.

    >>> round(cohen_d([2.0, 4.0, 6.0], [1.0, 3.0, 5.0]), 3)
    0.5
    """
    x, y = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    pooled = ((len(x) - 1) * x.var(ddof=1) + (len(y) - 1) * y.var(ddof=1)) / (len(x) + len(y) - 2)
    return _ratio(float(x.mean() - y.mean()), math.sqrt(pooled))


def hedges_g(a: ArrayLike, b: ArrayLike) -> float:
    """Return g = d·(1 − 3/(4(n + m) − 9)), Cohen's d less its bias in small samples (Hedges 1981).

    Args:
        a: (n,) finite values, two at least.
        b: (m,) finite values, two at least.
    """
    count = len(np.asarray(a)) + len(np.asarray(b))
    # the exact factor is a ratio of Γ functions, of which this is Hedges's approximation
    return cohen_d(a, b) * (1 - 3 / (4 * count - 9))


def paired_d(a: ArrayLike, b: ArrayLike) -> float:
    """Return d_z = d̄/s_d of the differences d = a − b: what a paired test sees (Lakens 2013).

    Args:
        a: (n,) one number a seed.
        b: (n,) the other arm's numbers for the same seeds.

    Returns:
        d_z; ±∞ where all differences are the same and not 0, NaN for a single pair.

    >>> round(paired_d([1.0, 2.0, 3.0], [0.0, 2.0, 1.0]), 3)
    1.0
    """
    d = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    return _ratio(float(d.mean()), float(d.std(ddof=1)) if len(d) > 1 else math.nan)


def cliffs_delta(a: ArrayLike, b: ArrayLike) -> float:
    """Return δ = P(a > b) − P(a < b) over all pairs of an a and a b (Cliff 1993).

    Args:
        a: (n,) runs, or (n, tasks).
        b: (m,) runs, or (m, tasks).

    Returns:
        From −1, every b is larger, to 1, every a is.
    """
    return 2 * probability_of_improvement(a, b) - 1


def probability_of_improvement(a: ArrayLike, b: ArrayLike) -> float:
    """Return P(a > b) + ½P(a = b) over all pairs of runs, the mean over tasks.

    Agarwal et al. 2021; for one task it is Mann & Whitney's U/(nm), 1947.

    Args:
        a: (n,) runs, or (n, tasks).
        b: (m,) runs, or (m, tasks).

    Returns:
        From 0, every b is larger, to 1, every a is; ½ for no difference.

    >>> x, y = [[1, 2], [2, 2], [1, 1], [2, 1]], [[1, 1], [2, 2], [3, 3]]
    >>> round(probability_of_improvement(x, y), 6)
    0.333333
    """
    x, y = (np.asarray(v, dtype=float).reshape(len(np.asarray(v)), -1) for v in (a, b))
    # (n, m, tasks): the mean over all is the mean over tasks, which have as many pairs each
    wins = x[:, None] > y[None]
    ties = x[:, None] == y[None]
    return float((wins + ties / 2).mean())


def _ratio(difference: float, deviation: float) -> float:
    """Return the ratio; ±∞ for a difference without any spread, 0 for none."""
    if deviation == 0:
        return 0.0 if difference == 0 else math.copysign(math.inf, difference)
    return difference / deviation
