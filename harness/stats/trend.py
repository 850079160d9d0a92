"""Whether an outcome tends one way along ordered levels, such as learning rates or batch sizes.

Ranks within each block are compared, so that the size of the steps does not matter, nor that each
of them goes the same way: for that there is :mod:`harness.stats.monotone`.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.blocks import blocks_of
from harness.stats.hierarchy import FEWEST_RUNS, ROUNDING, Scope, mean_test
from harness.stats.intervals import Interval
from harness.stats.ranks import ranks_of
from harness.stats.verdict import Evidence

EXACT_LEVELS, EXACT_BLOCKS = 10, 40
"""Levels and blocks up to which all orders are counted; beyond, L is normal to three digits."""


def page_trend(
    outcomes: ArrayLike,
    rising: bool = True,
    level: float = 0.95,
    *,
    scope: Scope = "winner",
    resolution: float = 0.0,
) -> Evidence:
    """Weigh "the outcome tends to rise along the levels" by Page's test (1963).

    With the rank r_ij of level j in block i, Page's L = Σ_ij j·r_ij. Where levels make no
    difference, all orders of a block's ranks are equally likely: up to 10 levels and 40 blocks
    their distribution is counted out, tied ranks included; beyond, L is normal with mean
    nk(k + 1)²/4 and variance Σ_i Σ_j (j − j̄)² Σ_j (r_ij − r̄)²/(k − 1). Levels of equal means that
    spread unequally do make a difference to it: with one at an end that spreads ten times as much
    as three others, 7 % of studies of 8 blocks show a trend at p ≤ .05.

    Args:
        outcomes: (levels in their order, K, S), of K searches with S seeds each, or (levels, S) of
            one search. NaN for a run that is missing; infinite ones are ranked as others are.
        rising: whether a rise is claimed, or a fall.
        level: confidence of the effect's interval.
        scope: whether it is said of the method: blocks are then searches, and means over seeds are
            ranked; else blocks are seeds.
        resolution: the metric's smallest step: what differs by much less is tied.

    Returns:
        Evidence whose effect is the mean over blocks of Spearman's ρ between level and outcome,
        which is what L measures, with a t-interval; 1 is the claimed order in every block. p is
        twice the smaller tail, and 1 for fewer than 4 runs.

    Raises:
        ValueError: fewer than three levels.

    >>> outcomes = [[1.0, 1.1, 0.9, 1.0], [2.0, 2.2, 2.1, 2.0], [3.0, 2.9, 3.3, 3.1]]
    >>> trend = page_trend(outcomes)
    >>> trend.effect.mean, round(trend.p, 4), trend.favours
    (1.0, 0.0015, True)
    """
    blocks = blocks_of(outcomes, 1, scope)
    n, k = blocks.values.shape
    if k < 3:
        raise ValueError(f"expected outcomes of three levels at least, got {k}")
    if n == 0:
        return Evidence(Interval(math.nan, math.nan, math.nan), 1.0, favours=False)
    ranks_NK = ranks_of(_tied(blocks.values if rising else -blocks.values, resolution))
    page_N = ranks_NK @ np.arange(1, k + 1)
    # ρ = 12 (L_i − k(k+1)²/4)/(k³ − k), in steps of that for one of L
    scale = 12 / (k**3 - k)
    rho_N = (page_N - k * (k + 1) ** 2 / 4) * scale
    mean, low, high = mean_test(rho_N, level=level, resolution=scale).interval
    effect = Interval(mean, max(-1.0, low), min(1.0, high))
    p = _page_p(ranks_NK, float(page_N.sum())) if n * blocks.runs >= FEWEST_RUNS else 1.0
    return Evidence(effect, p, favours=mean > 0)


def _tied(values: np.ndarray, resolution: float) -> np.ndarray:
    """Return values of which those that rounding alone tells apart are the same.

    Args:
        values: any shape.
        resolution: the metric's smallest step; a millionth of it is rounding.
    """
    finite = values[np.isfinite(values)]
    unit = max(resolution * 1e-6, ROUNDING * float(np.abs(finite).max(initial=0.0)))
    return np.asarray(np.round(values / unit)) if unit > 0 else values


def _page_p(ranks_NK: np.ndarray, page: float) -> float:
    """Return the two-sided p of Page's L.

    Args:
        ranks_NK: (blocks, levels), tied ones at their mean.
        page: L.
    """
    from scipy.special import ndtr

    n, k = ranks_NK.shape
    if k <= EXACT_LEVELS and n <= EXACT_BLOCKS:
        # twice the ranks are whole numbers: so is twice L
        at, law = round(2 * page), np.ones(1)
        for row in ranks_NK:
            law = np.convolve(law, _orders(tuple(sorted(round(2 * r) for r in row))))
        return float(min(1.0, 2 * min(law[at:].sum(), law[: at + 1].sum())))
    places = np.arange(1, k + 1) - (k + 1) / 2
    spread = float(((ranks_NK - (k + 1) / 2) ** 2).sum()) * float((places**2).sum()) / (k - 1)
    distance = abs(page - n * k * (k + 1) ** 2 / 4)
    return float(2 * ndtr(-distance / math.sqrt(spread))) if spread > 0 else 1.0


@lru_cache(maxsize=256)  # blocks without ties share one
def _orders(doubled: tuple[int, ...]) -> np.ndarray:
    """Return P(Σ_j j·r_π(j) = s) for s = 0, 1, …, over all k! orders π of a block's ranks.

    It goes through sets of ranks: the last place of a set of j takes any of its ranks.

    Args:
        doubled: (k,) twice the ranks, whole numbers.
    """
    k = len(doubled)
    length = k * sum(doubled) + 1
    ways = np.zeros((2**k, length))
    ways[0, 0] = 1.0
    for chosen in range(1, 2**k):
        inside = [i for i in range(k) if chosen >> i & 1]
        for i in inside:
            step = len(inside) * doubled[i]
            ways[chosen, step:] += ways[chosen ^ 1 << i, : length - step]
    return np.asarray(ways[-1] / math.factorial(k))
