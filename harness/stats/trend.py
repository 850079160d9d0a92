"""Whether an outcome goes one way along ordered levels, such as learning rates or batch sizes.

Ranks within each seed are compared, so that the size of the steps does not matter.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.intervals import Interval, mean_interval
from harness.stats.paired import compare_paired, holm


class Trend(NamedTuple):
    """The trend over levels, and the one step against it that is surest."""

    tau: Interval
    """Kendall's τ between level and outcome: mean over seeds; 1 is a rise at every step."""
    p: float
    """Two-sided, of no trend (Page's test)."""
    reversal: tuple[int, float] | None
    """The step (from this level to the next) that most surely goes against the trend, with its
    adjusted p; None if no step's mean does."""


def monotone_trend(outcomes: ArrayLike) -> Trend:
    """Test for a trend over ordered levels, seeds as blocks (Page 1963).

    Page's L = Σⱼ j·Rⱼ with the rank sums Rⱼ is normal in the limit:
    z = (L − nk(k+1)²/4) / √(nk²(k+1)²(k−1)/144). A step against the trend is tested by the paired
    t-test, Holm-corrected over all k − 1 steps.

    Args:
        outcomes: (n seeds, k levels in their order); infinite ones are ranked as others are.

    Returns:
        The trend, and the step against it that is surest.

    Raises:
        ValueError: fewer than three levels.

    >>> outcomes = [[1.0, 2.0, 3.0], [1.1, 2.2, 2.9], [0.9, 2.1, 3.3], [1.0, 2.0, 3.1]]
    >>> trend = monotone_trend(outcomes)
    >>> trend.tau.mean, round(trend.p, 4), trend.reversal
    (1.0, 0.0047, None)
    """
    from scipy.special import ndtr
    from scipy.stats import kendalltau, rankdata

    x = np.asarray(outcomes, dtype=float)
    if x.ndim != 2 or x.shape[1] < 3:
        raise ValueError(
            f"expected outcomes (seeds, levels) of three levels at least, got shape {x.shape}"
        )
    n, k = x.shape
    levels = np.arange(1, k + 1)
    page = float((rankdata(x, axis=1).sum(axis=0) * levels).sum())
    z = (page - n * k * (k + 1) ** 2 / 4) / math.sqrt(n * k**2 * (k + 1) ** 2 * (k - 1) / 144)
    # τ of a seed whose outcomes are all the same is undefined and counts as none
    taus = [float(np.nan_to_num(kendalltau(levels, row).statistic)) for row in x]
    return Trend(mean_interval(taus), float(2 * ndtr(-abs(z))), _reversal(x, math.copysign(1, z)))


def _reversal(x: np.ndarray, way: float) -> tuple[int, float] | None:
    """Return the step whose mean goes against the trend with the smallest adjusted p.

    Args:
        x: (n seeds, k levels).
        way: 1 for a rising trend, −1 for a falling one.

    Returns:
        (level that the step starts from, adjusted p); None if no step's mean goes against it.
    """
    steps = [compare_paired(x[:, j + 1], x[:, j]) for j in range(x.shape[1] - 1)]
    # corrected for all steps, since which one is reported is chosen by the data
    adjusted = holm([step.p for step in steps])
    against = [
        (j, p)
        for j, (step, p) in enumerate(zip(steps, adjusted, strict=True))
        if way * step.difference.mean < 0
    ]
    return min(against, key=lambda step: step[1], default=None)
