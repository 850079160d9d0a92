"""Intervals that hold together: how far each arm is from the best one."""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.hierarchy import Scope
from harness.stats.intervals import Interval
from harness.stats.verdict import superior


def differences_from_best(
    values_AKS: ArrayLike,
    best: int,
    *,
    scope: Scope = "winner",
    resolution: float = 0.0,
    level: float = 0.95,
) -> list[Interval]:
    """Return the mean differences arm − best of all arms, with intervals that all hold at once.

    x̄ᵢ − x̄_b ± t_{1 − α/2m} se_{ib}, for m = A(A − 1)/2: which arm is the best is chosen by
    the same data, so that any of the pairs may be asked for (Bonferroni; Dunn 1961). Each pair has
    an error of its own, as paired differences do, in the place of the one that Tukey's intervals
    pool.

    Args:
        values_AKS: (A, K, S) numbers of each arm, of K searches with S seeds each, or (A, S) of one
            search. NaN for a missing run; a pair of which a run diverged is left out.
        best: place of the best arm.
        scope: whether the means are those of the methods or of these winners.
        resolution: the metric's smallest step; 0 for a continuous one.
        level: probability that all of them cover.

    Returns:
        (A,) differences, in the unit of the values; of the best from itself it is 0.

    Raises:
        ValueError: ``best`` is no arm's place.

    >>> arms = [[3.0, 4.1, 5.0, 6.0], [1.0, 2.0, 3.1, 4.2], [0.9, 2.0, 2.8, 4.4]]
    >>> [[round(bound, 2) for bound in interval] for interval in differences_from_best(arms, 0)]
    [[0.0, 0.0, 0.0], [-1.95, -2.26, -1.64], [-2.0, -2.66, -1.34]]
    """
    x_AKS = np.asarray(values_AKS, dtype=float)
    arms = len(x_AKS)
    if not 0 <= best < arms:
        raise ValueError(f"expected the place of one of {arms} arms, from 0, got {best}")
    # the best arm alone has nothing to hold together with
    single = 1 - (1 - level) / max(1, comb(arms, 2))
    return [
        Interval(0.0, 0.0, 0.0)
        if arm == best
        else superior(
            x_AKS[arm], x_AKS[best], 0.0, single, scope=scope, resolution=resolution
        ).effect
        for arm in range(arms)
    ]
