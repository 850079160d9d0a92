"""Ranks over several data sets or seeds: Friedman's test, Nemenyi's critical difference, groups not told apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


def average_ranks(scores: ArrayLike, maximize: bool = False) -> np.ndarray:
    """Return each competitor's mean rank, 1 the best, equal scores sharing the mean of their places.

    Args:
        scores: (blocks, competitors); a block is a data set or a seed.
        maximize: whether larger scores are better.

    >>> average_ranks([[1.0, 2.0, 2.0], [3.0, 1.0, 2.0]]).tolist()
    [2.0, 1.75, 2.25]
    """
    from scipy.stats import rankdata

    x = np.asarray(scores, dtype=float)
    return np.asarray(rankdata(-x if maximize else x, axis=1).mean(axis=0))


class Friedman(NamedTuple):
    """Friedman's χ² with its p, and Iman and Davenport's F with its p, which is less conservative."""

    chi2: float
    p_chi2: float
    f: float
    p: float


def friedman(scores: ArrayLike) -> Friedman:
    """Test whether all competitors have the same mean rank (Friedman 1937; Iman & Davenport 1980; ties corrected).

    χ² = (k−1) Σⱼ (Rⱼ − n(k+1)/2)² / (Σ rᵢⱼ² − nk(k+1)²/4), F = (n−1)χ² / (n(k−1) − χ²).

    Args:
        scores: (n blocks, k competitors).

    Raises:
        ValueError: fewer than two blocks or competitors.
    """
    from scipy.special import chdtrc, fdtrc
    from scipy.stats import rankdata

    x = np.asarray(scores, dtype=float)
    if x.ndim != 2 or min(x.shape) < 2:
        raise ValueError(
            f"expected scores (blocks, competitors) with two of each at least, got shape {x.shape}"
        )
    n, k = x.shape
    ranks = rankdata(x, axis=1)
    spread = float((ranks**2).sum()) - n * k * (k + 1) ** 2 / 4
    chi2 = (
        (k - 1) * float(((ranks.sum(axis=0) - n * (k + 1) / 2) ** 2).sum()) / spread
        if spread
        else 0.0
    )
    rest = n * (k - 1) - chi2
    f = (n - 1) * chi2 / rest if rest > 0 else math.inf
    return Friedman(
        chi2,
        float(chdtrc(k - 1, chi2)),
        f,
        float(fdtrc(k - 1, (k - 1) * (n - 1), f)) if rest > 0 else 0.0,
    )


def nemenyi_q(competitors: int, alpha: float = 0.05) -> float:
    """Return q_α: the studentized range's quantile for infinitely many degrees of freedom, over √2.

    >>> round(nemenyi_q(2), 3), round(nemenyi_q(10), 3)
    (1.96, 3.164)
    """
    from scipy.stats import studentized_range

    return float(studentized_range.ppf(1 - alpha, competitors, np.inf)) / math.sqrt(2)


def critical_difference(competitors: int, blocks: int, alpha: float = 0.05) -> float:
    """Return CD = q_α √(k(k+1)/6N): mean ranks further apart differ (Nemenyi 1963; Demšar 2006).

    >>> round(critical_difference(4, 14), 2), round(critical_difference(4, 14, 0.10), 2)
    (1.25, 1.12)
    """
    return nemenyi_q(competitors, alpha) * math.sqrt(competitors * (competitors + 1) / (6 * blocks))


def cliques(ranks: Sequence[float], distance: float) -> list[tuple[int, ...]]:
    """Return the largest groups whose mean ranks lie within ``distance``: the bars of a critical-difference diagram.

    Args:
        ranks: (k,) mean ranks.
        distance: the critical difference.

    Returns:
        Positions in ``ranks``, best first; groups of one and groups inside others are left out.

    >>> cliques([1.0, 2.0, 2.5, 4.0], 1.5)
    [(0, 1, 2), (2, 3)]
    """
    order = sorted(range(len(ranks)), key=lambda i: ranks[i])
    found: list[tuple[int, ...]] = []
    for start, first in enumerate(order):
        group = tuple(i for i in order[start:] if ranks[i] - ranks[first] <= distance)
        if len(group) > 1 and not any(set(group) <= set(other) for other in found):
            found.append(group)
    return found
