"""Ranks over data sets or seeds: Friedman's test, Nemenyi's critical difference and its groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


def ranks_of(x: ArrayLike) -> np.ndarray:
    """Return the places along the last axis, from 1 for the smallest; equal ones share their mean.

    Args:
        x: (..., n), no NaN.

    Returns:
        (..., n).

    >>> ranks_of([3.0, 1.0, 3.0]).tolist()
    [2.5, 1.0, 2.5]
    """
    # SciPy's takes most of a second to import, which is longer than it takes for all of a study's
    mine = np.asarray(x)[..., :, None]
    others = np.asarray(x)[..., None, :]
    return np.asarray((mine > others).sum(axis=-1) + ((mine == others).sum(axis=-1) + 1) / 2)


def average_ranks(scores: ArrayLike, maximize: bool = False) -> np.ndarray:
    """Return each competitor's mean rank over the blocks, 1 the best.

    Equal scores share the mean of their places.

    Args:
        scores: (blocks, competitors); a block is a data set or a seed.
        maximize: whether larger scores are better.

    Returns:
        (competitors,).

    >>> average_ranks([[1.0, 2.0, 2.0], [3.0, 1.0, 2.0]]).tolist()
    [2.0, 1.75, 2.25]
    """
    # ranks count from the smallest score
    x = np.asarray(scores, dtype=float)
    return np.asarray(ranks_of(-x if maximize else x).mean(axis=0))


class Friedman(NamedTuple):
    """Friedman's χ² and its p; Iman and Davenport's F and its p, which is less conservative."""

    chi2: float
    """Friedman's χ², with k − 1 degrees of freedom in the limit of many blocks."""
    p_chi2: float
    """p-value by χ²."""
    f: float
    """Iman and Davenport's F; infinite where all blocks agree on the order."""
    p: float
    """p-value by F."""


def friedman(scores: ArrayLike) -> Friedman:
    """Test whether all competitors have the same mean rank (Friedman 1937; Iman & Davenport 1980).

    χ² = (k−1) Σⱼ (Rⱼ − n(k+1)/2)² / (Σ rᵢⱼ² − nk(k+1)²/4) with the ranks r and their sums R over
    blocks, which allows for ties; F = (n−1)χ² / (n(k−1) − χ²).

    Args:
        scores: (n blocks, k competitors); whether more is better does not matter.

    Raises:
        ValueError: fewer than two blocks or competitors.

    >>> same_order = friedman([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.1, 2.1, 3.1]])
    >>> same_order.chi2, same_order.f
    (6.0, inf)
    """
    from scipy.special import chdtrc, fdtrc

    x = np.asarray(scores, dtype=float)
    if x.ndim != 2 or min(x.shape) < 2:
        raise ValueError(
            f"expected scores (blocks, competitors) with two of each at least, got shape {x.shape}"
        )
    n, k = x.shape
    ranks = ranks_of(x)
    spread = float((ranks**2).sum()) - n * k * (k + 1) ** 2 / 4
    between = float(((ranks.sum(axis=0) - n * (k + 1) / 2) ** 2).sum())
    # no spread: all scores of every block are tied
    chi2 = (k - 1) * between / spread if spread else 0.0
    rest = n * (k - 1) - chi2
    # nothing left: all blocks agree on the order
    f = (n - 1) * chi2 / rest if rest > 0 else math.inf
    p = float(fdtrc(k - 1, (k - 1) * (n - 1), f)) if rest > 0 else 0.0
    return Friedman(chi2, float(chdtrc(k - 1, chi2)), f, p)


def nemenyi_q(competitors: int, alpha: float = 0.05) -> float:
    """Return q_α, the studentized range's quantile for infinitely many degrees of freedom, over √2.

    Args:
        competitors: how many are compared.
        alpha: level of the test.

    >>> round(nemenyi_q(2), 3), round(nemenyi_q(10), 3)
    (1.96, 3.164)
    """
    from scipy.stats import studentized_range

    return float(studentized_range.ppf(1 - alpha, competitors, np.inf)) / math.sqrt(2)


def critical_difference(competitors: int, blocks: int, alpha: float = 0.05) -> float:
    """Return CD = q_α √(k(k+1)/6n): mean ranks further apart differ (Nemenyi 1963; Demšar 2006).

    Args:
        competitors: how many are compared, k.
        blocks: data sets or seeds that the ranks are over, n.
        alpha: level of the test.

    >>> round(critical_difference(4, 14), 2), round(critical_difference(4, 14, 0.10), 2)
    (1.25, 1.12)
    """
    return nemenyi_q(competitors, alpha) * math.sqrt(competitors * (competitors + 1) / (6 * blocks))


def cliques(ranks: Sequence[float], distance: float) -> list[tuple[int, ...]]:
    """Return the largest groups whose mean ranks lie within ``distance`` of each other.

    They are the bars of a critical-difference diagram (Demšar 2006).

    Args:
        ranks: (k,) mean ranks.
        distance: the critical difference, in units of mean ranks.

    Returns:
        Positions in ``ranks``, best first; groups of one and groups inside others are left out.

    >>> cliques([1.0, 2.0, 2.5, 4.0], 1.5)
    [(0, 1, 2), (2, 3)]
    """
    order = sorted(range(len(ranks)), key=lambda i: ranks[i])
    groups: list[tuple[int, ...]] = []
    for start, first in enumerate(order):
        # in order of rank, so that a group is all that lies within the distance of its first
        group = tuple(i for i in order[start:] if ranks[i] - ranks[first] <= distance)
        if len(group) > 1 and not any(set(group) <= set(other) for other in groups):
            groups.append(group)
    return groups
