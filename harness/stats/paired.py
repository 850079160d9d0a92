"""Comparisons of two arms paired by seed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.intervals import Interval, mean_interval

EXACT = 14
"""Pairs up to which a permutation test goes through all sign changes."""


class Comparison(NamedTuple):
    """The mean difference a − b over pairs, its interval, and the two-sided p-value of no difference."""

    difference: Interval
    p: float


def differences(a: ArrayLike, b: ArrayLike) -> np.ndarray:
    """Return d = a − b over pairs; two equal infinite values (both diverged) differ by 0.

    Raises:
        ValueError: the arms have different numbers of values.
    """
    x, y = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if x.shape != y.shape:
        raise ValueError(
            f"expected as many values in both arms, paired by seed, got {len(x)} and {len(y)}"
        )
    return np.array([0.0 if i == j else i - j for i, j in zip(x, y, strict=True)])


def compare_paired(a: ArrayLike, b: ArrayLike, level: float = 0.95) -> Comparison:
    """Compare two arms by the paired t-test: t = d̄ / (s_d/√n) for the differences d = a − b (Student 1908).

    Where a run diverged its difference is infinite and has no mean; then p is that of Wilcoxon's signed-rank test, to
    which an infinite difference is just the largest.

    Args:
        a: (n,) one number a seed.
        b: (n,) the other arm's numbers for the same seeds.
        level: confidence of the interval.

    Returns:
        Interval of the mean difference and p; p is 1 with fewer than two pairs, and where a value is missing (NaN).

    Raises:
        ValueError: the arms have different numbers of values.
    """
    d = differences(a, b)
    return Comparison(mean_interval(d, level), _p_value(d))


def _p_value(d: np.ndarray) -> float:
    from scipy.special import stdtr

    if len(d) < 2 or np.isnan(d).any():
        return 1.0
    if not np.isfinite(d).all():
        return wilcoxon(d)
    deviation = float(d.std(ddof=1))
    if deviation == 0:
        return 1.0 if d[0] == 0 else 0.0
    t = abs(float(d.mean())) / (deviation / math.sqrt(len(d)))
    return float(2 * stdtr(len(d) - 1, -t))


def wilcoxon(d: ArrayLike) -> float:
    """Return the two-sided p of the signed-rank test for differences symmetric about 0 (Wilcoxon 1945).

    Zeros are left out and ties share their ranks; all sign changes are gone through up to 14 pairs, and sampled beyond.

    Args:
        d: (n,) differences, infinite ones among them.

    >>> round(wilcoxon([1.0, 2.0, 3.0, 4.0, float("inf")]), 4)
    0.0625
    """
    from scipy.stats import rankdata

    x = np.asarray(d, dtype=float)
    x = x[x != 0]
    return permutation(np.sign(x) * rankdata(np.abs(x))) if len(x) else 1.0


def permutation(
    d: ArrayLike, rng: np.random.Generator | None = None, resamples: int = 20_000
) -> float:
    """Return the two-sided p of the paired permutation test: the share of sign changes whose |Σ ±d| is as large.

    All 2ⁿ sign changes are gone through up to 14 pairs; beyond, ``resamples`` of them are drawn, the given one counted in,
    so that the test keeps its level (Fisher 1935; Phipson & Smyth 2010).

    Args:
        d: (n,) finite differences.
        rng: generator of the draws; by default always the same one.
        resamples: sign changes drawn.

    >>> permutation([1.0, 2.0, 3.0, 4.0])
    0.125
    """
    x = np.asarray(d, dtype=float)
    seen = abs(float(x.sum())) * (1 - 1e-12)
    if len(x) <= EXACT:
        signs = np.array(list(itertools.product((1, -1), repeat=len(x))))
        return float((np.abs(signs @ x) >= seen).mean())
    drawn = (rng or np.random.default_rng(0)).integers(0, 2, (resamples, len(x))) * 2 - 1
    return float((np.sum(np.abs(drawn @ x) >= seen) + 1) / (resamples + 1))


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
