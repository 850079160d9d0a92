"""The best of n trials, as a function of n.

It answers what a smaller budget would have found, from the trials of a larger one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.bootstrap import resample
from harness.stats.intervals import Interval


def expected_max(values: ArrayLike, budget: int) -> float:
    """Return the expected largest of ``budget`` trials drawn as the N given ones were.

    E[max] = Σᵢ v₍ᵢ₎ · ((i/N)ⁿ − ((i−1)/N)ⁿ) over the values in rising order: the mean over all
    n-samples with replacement (Dodge et al. 2019). Exact for random search; for samplers that learn
    from earlier trials it answers another question.

    Args:
        values: (N,) objectives, more is better; −∞ for a trial that diverged.
        budget: number of trials n, 1 at least; it may be more than N.

    >>> expected_max([1.0, 2.0, 3.0], 1), round(expected_max([1.0, 2.0, 3.0], 2), 4)
    (2.0, 2.4444)
    """
    v = np.sort(np.asarray(values, dtype=float))
    weights = np.diff((np.arange(len(v) + 1) / len(v)) ** budget)
    # a weight can round to 0 for a large budget, and 0·∞ is no number
    counts = weights > 0
    return float(np.sum(v[counts] * weights[counts]))


def expected_best(
    values: ArrayLike,
    budgets: Sequence[int],
    maximize: bool,
    rng: np.random.Generator,
    resamples: int = 500,
) -> list[Interval]:
    """Return the expected best of n trials for each n, with 95 % percentile bootstrap intervals.

    Args:
        values: (N,) objectives; infinite ones (diverged trials) count as the worst finite one.
        budgets: numbers of trials n.
        maximize: whether larger is better.
        rng: generator of the resamples of trials.
        resamples: number of resamples.

    Returns:
        An interval for each budget; NaN where no trial is finite.
    """
    sign = 1 if maximize else -1
    v = np.asarray(values, dtype=float) * sign
    if not np.isfinite(v).any():
        return [Interval(math.nan, math.nan, math.nan) for _ in budgets]
    # a resample may have diverged trials alone, and an infinite best has no quantiles to draw
    v = np.where(np.isfinite(v), v, v[np.isfinite(v)].min())
    # R resamples of the N trials, each in rising order; the estimator is linear in the sorted
    # values, so that all resamples and budgets are one product of matrices
    draws_RN = np.sort([resample(v, rng) for _ in range(resamples)], axis=1)
    steps = np.arange(len(v) + 1) / len(v)
    weights_NB = np.diff([steps**budget for budget in budgets], axis=1).T
    tails_2B = np.quantile(draws_RN @ weights_NB, [0.025, 0.975], axis=0)
    # turned back into the direction of the values, the two ends may have changed places
    ends_B2 = np.sort(sign * tails_2B, axis=0).T
    return [
        Interval(sign * expected_max(v, budget), float(low), float(high))
        for budget, (low, high) in zip(budgets, ends_B2, strict=True)
    ]
