"""One number for many: mean, median and interquartile mean.

They are statistics for :func:`~harness.stats.bootstrap.bootstrap`: a plain float of any array.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def mean(values: ArrayLike) -> float:
    """Return the arithmetic mean of all values, whatever their shape.

    A single infinite value (a diverged run) makes it infinite.
    """
    return float(np.mean(np.asarray(values, dtype=float)))


def median(values: ArrayLike) -> float:
    """Return the middle of all values, whatever their shape; of an even number the mean of two.

    An infinite value (a diverged run) moves the median by one place only.

    >>> median([1.0, 2.0, float("inf")])
    2.0
    """
    return float(np.median(np.asarray(values, dtype=float)))


def iqm(values: ArrayLike) -> float:
    """Return the interquartile mean: the mean of what is left without a quarter at each end.

    ⌊n/4⌋ values are cut off at each end, of all values taken together (Agarwal et al. 2021, who
    count them so in their library rliable).

    Args:
        values: any shape; all numbers count alike. Infinite ones are cut off, up to a quarter at
            each end.

    >>> iqm([[1, 2], [2, 2], [1, 1], [2, 1]]), iqm([[1, 1], [2, 2], [3, 3]])
    (1.5, 2.0)
    """
    x = np.sort(np.asarray(values, dtype=float), axis=None)
    cut = len(x) // 4
    return float(x[cut : len(x) - cut].mean())
