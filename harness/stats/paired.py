"""Comparisons of two arms paired by seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.intervals import Interval, mean_interval


class Comparison(NamedTuple):
    """The mean difference a − b over pairs, its interval, and the two-sided p-value of no difference."""

    difference: Interval
    p: float


def compare_paired(a: ArrayLike, b: ArrayLike, level: float = 0.95) -> Comparison:
    """Compare two arms by the paired t-test: t = d̄ / (s_d/√n) for the differences d = a − b.

    Args:
        a: (n,) one number a seed.
        b: (n,) the other arm's numbers for the same seeds.
        level: confidence of the interval.

    Returns:
        Interval of the mean difference and p; p is 1 with fewer than two pairs or none that are finite.
        Pairs in which both are infinite count as equal.

    Raises:
        ValueError: the arms have different numbers of values.
    """
    x, y = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if x.shape != y.shape:
        raise ValueError(f"expected as many values in both arms, paired by seed, got {len(x)} and {len(y)}")
    d = np.array([0.0 if i == j else i - j for i, j in zip(x, y, strict=True)])
    interval = mean_interval(d, level)
    return Comparison(interval, _p_value(d))


def _p_value(d: np.ndarray) -> float:
    from scipy.special import stdtr

    if len(d) < 2 or not np.isfinite(d).all():
        return 1.0
    deviation = float(d.std(ddof=1))
    if deviation == 0:
        return 1.0 if d[0] == 0 else 0.0
    t = abs(float(d.mean())) / (deviation / math.sqrt(len(d)))
    return float(2 * stdtr(len(d) - 1, -t))


def holm(p: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values: p₍ᵢ₎ ← max over j ≤ i of min(1, (m − j + 1) p₍ⱼ₎), in the order given (Holm 1979).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p)), key=lambda i: p[i])
    adjusted, largest = [0.0] * len(p), 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - rank) * p[i]))
        adjusted[i] = largest
    return adjusted
