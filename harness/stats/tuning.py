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

    Returns:
        The mean; −∞ where any trial diverged, for all n may diverge. :func:`median_best` says more
        of such a search.

    >>> expected_max([1.0, 2.0, 3.0], 1), round(expected_max([1.0, 2.0, 3.0], 2), 4)
    (2.0, 2.4444)
    """
    v = np.sort(np.asarray(values, dtype=float))
    # a weight can round to 0 for a large budget, and 0·∞ is no number
    if v[0] == -math.inf:
        return -math.inf
    weights = np.diff((np.arange(len(v) + 1) / len(v)) ** budget)
    return float(np.sum(v * weights))


def median_best(
    values: ArrayLike,
    budgets: Sequence[int],
    maximize: bool,
    rng: np.random.Generator,
    resamples: int = 500,
) -> list[Interval]:
    """Return the median of the best of n trials for each n, with 95 % bootstrap intervals.

    The best of n is v₍ᵢ₎ or worse with probability (i/N)ⁿ, over the N values from worst to best.
    Its median is the first with (i/N)ⁿ ≥ ½: a search of n trials is as likely to do better as not.
    A trial that diverged is worse than every other. It has no value to enter a mean by, which
    would be infinite whenever all n could diverge, but it has a place in this order: where more
    than half of all searches of n trials diverge throughout, so does the median.

    Args:
        values: (N,) objectives; infinite or NaN for trials that diverged or failed.
        budgets: numbers of trials n.
        maximize: whether larger is better.
        rng: generator of the resamples of trials.
        resamples: number of resamples.

    Returns:
        The median for each budget, with the 2.5 and 97.5 % quantiles over the resamples (no mean of
        two neighbours); −∞ where it diverged, and ∞ where less is better.

    >>> rng = np.random.default_rng(0)
    >>> [i.mean for i in median_best([0.5, 0.7, math.inf, math.inf], [1, 2, 3], False, rng)]
    [inf, 0.7, 0.5]
    """
    sign = 1 if maximize else -1
    v = np.asarray(values, dtype=float) * sign
    v = np.sort(np.where(np.isfinite(v), v, -math.inf))
    count = len(v)
    # a relative 1e-12 less: (i/N)ⁿ of just ½ may be rounded below it
    places = [
        int(np.argmax((np.arange(1, count + 1) / count) ** n >= 0.5 - 1e-12)) for n in budgets
    ]
    # R resamples of the N trials, each in rising order
    draws_RN = np.sort([resample(v, rng) for _ in range(resamples)], axis=1)
    tails_2B = np.array(
        [
            np.quantile(draws_RN[:, places], 0.025, axis=0, method="inverted_cdf"),
            np.quantile(draws_RN[:, places], 0.975, axis=0, method="inverted_cdf"),
        ]
    )
    # turned back into the direction of the values, the two ends may have changed places
    ends_B2 = np.sort(sign * tails_2B, axis=0).T
    return [
        Interval(float(sign * v[place]), float(low), float(high))
        for place, (low, high) in zip(places, ends_B2, strict=True)
    ]
