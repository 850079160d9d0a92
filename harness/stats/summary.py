"""One number for many: mean, median and interquartile mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def mean(values: ArrayLike) -> float:
    """Return the arithmetic mean of (n,) values."""
    return float(np.mean(np.asarray(values, dtype=float)))


def median(values: ArrayLike) -> float:
    """Return the middle of (n,) values; an infinite value (a diverged run) moves it by one place only."""
    return float(np.median(np.asarray(values, dtype=float)))


def iqm(values: ArrayLike) -> float:
    """Return the interquartile mean: the mean of what is left when a quarter is cut off at each end.

    ⌊n/4⌋ values go at each end, of all values taken together (Agarwal et al. 2021, as rliable counts them).

    Args:
        values: any shape; all numbers count alike.

    >>> iqm([[1, 2], [2, 2], [1, 1], [2, 1]]), iqm([[1, 1], [2, 2], [3, 3]])
    (1.5, 2.0)
    """
    x = np.sort(np.asarray(values, dtype=float), axis=None)
    cut = len(x) // 4
    return float(x[cut : len(x) - cut].mean())
