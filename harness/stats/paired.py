"""Comparisons of two arms paired by seed, and Holm's correction for many of them.

Both arms ran with the same seeds, hence the same initial weights and batches wherever their recipes
allow it: the differences seed by seed spread less than the runs.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.intervals import Interval
from harness.stats.ranks import ranks_of
from harness.stats.verdict import superior

EXACT = 14
"""Pairs up to which a permutation test goes through all sign changes: 2¹⁴ of them are 16,384."""


class PairedComparison(NamedTuple):
    """What pairs say of the difference a − b."""

    difference: Interval
    """Mean difference with its interval."""
    p: float
    """Two-sided p-value of no difference."""


def compare_paired(a: ArrayLike, b: ArrayLike, level: float = 0.95) -> PairedComparison:
    """Compare two arms pair by pair, as :func:`~harness.stats.verdict.superior` does.

    Args:
        a: (n,) one number a seed, or (searches, seeds); infinite for a run that diverged.
        b: the other arm's numbers for the same seeds.
        level: confidence of the interval.

    Returns:
        Interval of the mean difference and p, 1 with fewer than four pairs.

    Raises:
        ValueError: the arms have different shapes.

    >>> compared = compare_paired([3.0, 4.0, 6.0, 7.0], [1.0, 2.0, 3.0, 4.0])
    >>> round(compared.difference.mean, 3), round(compared.p, 4)
    (2.5, 0.0032)
    """
    evidence = superior(a, b, 0.0, level)
    return PairedComparison(evidence.effect, evidence.p)


def wilcoxon(d: ArrayLike) -> float:
    """Return the two-sided p of the signed-rank test that d is symmetric about 0 (Wilcoxon 1945).

    Zeros are left out and ties share their ranks. All sign changes are gone through up to 14
    pairs, and sampled beyond.

    Args:
        d: (n,) differences; infinite ones have the largest ranks.

    Returns:
        p; 1 where all differences are 0.

    >>> round(wilcoxon([1.0, 2.0, 3.0, 4.0, float("inf")]), 4)
    0.0625
    """
    x = np.asarray(d, dtype=float)
    x = x[x != 0]
    # the signed-rank test is the permutation test of signed ranks
    return permutation(np.sign(x) * ranks_of(np.abs(x))) if len(x) else 1.0


def permutation(
    d: ArrayLike, rng: np.random.Generator | None = None, resamples: int = 20_000
) -> float:
    """Return the two-sided p of the paired permutation test (Fisher 1935).

    It is the share of sign changes whose |Σ ±d| is at least |Σ d|. All 2ⁿ are gone through up to
    14 pairs; beyond, ``resamples`` of them are drawn and the given one is counted in, so that the
    test keeps its level (Phipson & Smyth 2010).

    Args:
        d: (n,) finite differences; or (n, q), several of each pair, which change signs together
            and whose sum's Euclidean length is compared.
        rng: generator of the draws; by default always the same one.
        resamples: sign changes drawn.

    Returns:
        p; 2/2ⁿ at least where all sign changes are gone through.

    >>> permutation([1.0, 2.0, 3.0, 4.0])
    0.125
    """
    x = np.asarray(d, dtype=float).reshape(len(np.asarray(d)), -1)
    n = len(x)
    # a relative 1e-12 less: the same sum, rounded in another order, must count as equal
    seen = float(np.linalg.norm(x.sum(axis=0))) * (1 - 1e-12)
    if n <= EXACT:
        return float((np.linalg.norm(_all_signs(n) @ x, axis=1) >= seen).mean())
    signs = _drawn_signs(n, resamples) if rng is None else _draw_signs(n, resamples, rng)
    return float((np.sum(np.linalg.norm(signs @ x, axis=1) >= seen) + 1) / (resamples + 1))


@lru_cache(maxsize=EXACT + 1)  # one for each number of pairs
def _all_signs(n: int) -> np.ndarray:
    """Return all 2ⁿ choices of n signs, (2ⁿ, n), the first all positive."""
    signs = np.array(list(itertools.product((1.0, -1.0), repeat=n))).reshape(2**n, n)
    signs.flags.writeable = False  # it is everybody's
    return signs


def _draw_signs(n: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Return random choices of n signs, (resamples, n)."""
    return rng.integers(0, 2, (resamples, n)) * 2.0 - 1.0


@lru_cache(maxsize=4)  # several tests of a study have as many pairs
def _drawn_signs(n: int, resamples: int) -> np.ndarray:
    """Return the choices that are drawn by default, always the same ones."""
    signs = _draw_signs(n, resamples, np.random.default_rng(0))
    signs.flags.writeable = False
    return signs


def holm(p: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values, which bound the risk of any wrong rejection (Holm 1979).

    The i-th smallest of m becomes max over j ≤ i of min(1, (m − j + 1) p₍ⱼ₎).

    Args:
        p: (m,) p-values.

    Returns:
        (m,) adjusted ones, in the order given.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p)), key=lambda i: p[i])
    adjusted, largest = [0.0] * len(p), 0.0
    for rank, i in enumerate(order):
        # rank counts from 0: m − j + 1 = m − rank; the running maximum keeps the order of the p
        largest = max(largest, min(1.0, (len(p) - rank) * p[i]))
        adjusted[i] = largest
    return adjusted
