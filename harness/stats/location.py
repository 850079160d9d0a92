"""Where the middle of one arm's runs lies: the sign test, whatever their distribution.

What tuned arms end with is skewed by the odd bad search, and few searches seldom show one: a
t-test of the mean of one arm errs in up to a fifth of all studies where it claims a twentieth
(``python -m benchmarks.calibration``). No test of a mean can hold its level for every distribution
(Bahadur & Savage 1956); that of a median does.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.hierarchy import Scope, as_table, spread_of
from harness.stats.intervals import Interval, median_interval
from harness.stats.verdict import Evidence


def located(
    values_KS: ArrayLike, bound: float, level: float = 0.95, *, scope: Scope = "winner"
) -> Evidence:
    """Weigh "the median lies above ``bound``" by the exact sign test (Arbuthnott 1710).

    With u of n values above the bound, v below it and B binomial with n draws of ½,
    p = min(1, 2 min(P(B ≥ u), P(B ≥ v))). Values on the bound count for neither side. All n on one
    side give 2/2ⁿ: fewer than 6 decide nothing at 5 %.

    Args:
        values_KS: (K, S) numbers of K searches with S seeds each; (S,) of one search. NaN for a
            run that is missing; one that diverged has the infinity that speaks against the claim.
        bound: what the median is compared with.
        level: confidence of the median's interval.
        scope: *method* counts searches, each by the median of its runs; *winner* counts runs.

    Returns:
        The median with its interval, and p; NaN throughout where there is no value.

    >>> evidence = located([0.91, 0.93, 0.92, 0.95, 0.94, 0.9, 0.96, 0.93], 0.85)
    >>> evidence.favours, round(evidence.p, 4)
    (True, 0.0078)
    """
    repeats = repeated(values_KS, scope)
    if len(repeats) == 0:
        return Evidence(Interval(math.nan, math.nan, math.nan), 1.0, False)
    over, under = int(np.sum(repeats > bound)), int(np.sum(repeats < bound))
    p = min(1.0, 2 * min(_tail(over, len(repeats)), _tail(under, len(repeats))))
    table = as_table(values_KS)
    spread = spread_of(table) if np.isfinite(table).all() else None
    return Evidence(median_interval(repeats, level), p, over > under, spread=spread)


def repeated(values_KS: ArrayLike, scope: Scope) -> np.ndarray:
    """Return what is repeated: the median of each search for a *method*, else every run.

    Args:
        values_KS: (K, S) numbers; NaN for a run that is missing.
        scope: what is spoken of.
    """
    x = as_table(values_KS)
    x = x[~np.isnan(x).all(axis=1)]
    return np.asarray(np.nanmedian(x, axis=1)) if scope == "method" else x[~np.isnan(x)]


def _tail(count: int, draws: int) -> float:
    """Return P(B ≥ count) for B binomial with draws of ½."""
    from scipy.special import bdtrc  # scipy.stats.binom takes a hundred times as long

    return float(bdtrc(count - 1, draws, 0.5)) if count else 1.0
