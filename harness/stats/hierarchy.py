"""The mean of runs that lie in searches: of all searches there could be, or of these alone.

The paired difference of search k and seed j is d_kj = μ + a_k + e_kj. Every search freezes a winner
of its own, which adds a_k to all of its runs. Whoever speaks of a *method* speaks of μ, and only
another search shows another a_k; whoever speaks of the *winners* takes the a_k as they are.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.intervals import Interval
from harness.stats.reml import fit_reml

Scope = Literal["method", "winner"]
"""What is spoken of: the method, tuned by any search, or the recipes that these searches froze."""
FEWEST_RUNS = 4
"""Runs below which no test gives a verdict: of three, chance too often makes a small spread."""
ROUNDING = 1e-12
"""Share of the largest value below which a deviation is rounding."""


class Spread(NamedTuple):
    """Where the spread of d_kj = μ + a_k + e_kj comes from."""

    searches: float
    """Variance of a_k, 0 at least."""
    seeds: float
    """Variance of e_kj."""
    share: Interval
    """Intraclass correlation: the share that the search has in the spread, from 0 to 1."""


class MeanTest(NamedTuple):
    """A mean, and a test of it against a bound."""

    interval: Interval
    """The mean with its interval."""
    p: float
    """Two-sided p-value of a mean equal to the bound."""
    degrees: float
    """Degrees of freedom; 0 where the values give no spread."""
    size: float
    """Distance from the bound in standard deviations of what is repeated: searches or runs."""


class _Estimate(NamedTuple):
    """A mean, with what its t-test needs."""

    mean: float
    variance: float
    """Of the mean; NaN where there are no degrees of freedom."""
    degrees: float
    repeats: int
    """What was repeated: searches for a method, runs for winners."""


def mean_test(
    values_KS: ArrayLike,
    *,
    scope: Scope = "winner",
    bound: float = 0.0,
    level: float = 0.95,
    resolution: float = 0.0,
) -> MeanTest:
    """Test the mean of K searches of S runs each against a bound: t = (x̄ − bound)/se.

    - *method*: x̄ and its error are those of the K search means, with K − 1 degrees of freedom: the
      test of a balanced mixed model (Scheffé 1959, 7.2). Where runs are missing the model is fitted
      (:func:`~harness.stats.reml.fit_reml`).
    - *winner*: the mean of the search means, with the variance within searches pooled, se² =
      s² Σ 1/n_k / K², and Σ(n_k − 1) degrees of freedom. One search is Student's t-test (1908).

    Values in steps of r are rounded: their differences have at least the variance r²/6 of two
    rounding errors (Sheppard 1898), so that se² is at least r²/(6n) for n runs. Values without any
    spread have no t: the p of their signs, 2/2ⁿ, stands in its place, with n searches or runs.

    Args:
        values_KS: (K, S), or (S,) of one search; NaN for a run that is missing.
        scope: what the mean is of.
        bound: what it is tested against.
        level: confidence of the interval.
        resolution: the metric's smallest step r; 0 for a continuous one.

    Returns:
        The mean with its interval, p, degrees of freedom and size. p is 1 for fewer than 4 runs. An
        infinite value leaves an infinite mean that nothing bounds, and both infinities leave none.

    >>> mean_test([[1.0, 1.2], [0.7, 0.9], [1.3, 1.5]], scope="method").degrees
    2
    >>> round(mean_test([1.0, 1.2, 0.7, 0.9], bound=0.5).p, 4)
    0.0228
    """
    x = as_table(values_KS)
    known = ~np.isnan(x)
    x = x[known.any(axis=1)]  # a search without any run says nothing
    if x.size == 0:
        return MeanTest(Interval(math.nan, math.nan, math.nan), 1.0, 0, math.nan)
    runs = int(known.sum())
    if np.isinf(x).any():
        with np.errstate(invalid="ignore"):  # ∞ − ∞ is NaN, as it should be
            mean = float(np.nansum(x))
        return MeanTest(Interval(mean, -math.inf, math.inf), 1.0, 0, math.nan)
    mean, variance, degrees, repeats = _method(x) if scope == "method" else _winner(x)
    if degrees <= 0:
        return MeanTest(Interval(mean, -math.inf, math.inf), 1.0, 0, math.nan)
    error = math.sqrt(max(variance, resolution**2 / (6 * runs)))
    small = ROUNDING * max(float(np.nanmax(np.abs(x))), abs(bound))
    half = _quantile(level, degrees) * error
    p = _p_value(mean - bound, error, degrees, repeats, small) if runs >= FEWEST_RUNS else 1.0
    size = _size(mean - bound, error * math.sqrt(repeats), small)
    return MeanTest(Interval(mean, mean - half, mean + half), p, degrees, size)


def spread_of(values_KS: ArrayLike, level: float = 0.95) -> Spread | None:
    """Return how much of the spread is made by the search, and how much by the seed.

    σ²_seed = MS_within and σ²_search = (MS_between − MS_within)/n₀ of a one-way analysis of
    variance, with n₀ = (N − Σn_k²/N)/(K − 1) runs a search. With F = MS_between/MS_within, the
    share ρ = σ²_search/(σ²_search + σ²_seed) lies between (F/F_u − 1)/(F/F_u + n₀ − 1) and
    (F/F_l − 1)/(F/F_l + n₀ − 1), for the quantiles F_l and F_u of F with K − 1 and N − K degrees
    of freedom (Searle 1971, 9.9). What is below 0 counts as 0.

    Args:
        values_KS: (K, S) finite values; NaN for a run that is missing.
        level: confidence of the share's interval.

    Returns:
        The two variances and the share; None for one search or one run a search, which can't tell
        them apart.

    >>> spread = spread_of([[1.0, 1.2], [0.4, 0.6], [1.9, 2.1]])
    >>> round(spread.searches, 3), round(spread.seeds, 3), round(spread.share.mean, 3)
    (0.56, 0.02, 0.966)
    """
    x = as_table(values_KS)
    x = np.where(np.isfinite(x), x, np.nan)
    x = x[~np.isnan(x).all(axis=1)]
    counts = np.sum(~np.isnan(x), axis=1)
    searches, runs = len(x), int(counts.sum())
    if searches < 2 or runs <= searches:
        return None
    means = np.nanmean(x, axis=1)
    between = float(np.sum(counts * (means - np.nanmean(x)) ** 2)) / (searches - 1)
    within = float(np.nansum((x - means[:, None]) ** 2)) / (runs - searches)
    each = (runs - float(np.sum(counts**2)) / runs) / (searches - 1)
    return Spread(
        max(0.0, (between - within) / each),
        within,
        _share(between, within, (searches - 1, runs - searches), each, level),
    )


def as_table(values: ArrayLike) -> np.ndarray:
    """Return values as (searches, runs); one row of them is one search.

    Raises:
        ValueError: there are more than two axes.
    """
    x = np.atleast_2d(np.asarray(values, dtype=float))
    if x.ndim != 2:
        raise ValueError(f"expected values (searches, seeds) or (seeds,), got shape {x.shape}")
    return x


def _winner(x: np.ndarray) -> _Estimate:
    """Return the mean of the searches' means, whose errors are those of their own runs alone."""
    counts = np.sum(~np.isnan(x), axis=1)
    means = np.nanmean(x, axis=1)
    searches, runs = len(x), int(counts.sum())
    if runs == searches:
        return _Estimate(float(means.mean()), math.nan, 0, runs)
    pooled = float(np.nansum((x - means[:, None]) ** 2)) / (runs - searches)
    variance = pooled * float(np.sum(1 / counts)) / searches**2
    return _Estimate(float(means.mean()), variance, runs - searches, runs)


def _method(x: np.ndarray) -> _Estimate:
    """Return the mean over searches, whose errors are the search's and the seed's together."""
    counts = np.sum(~np.isnan(x), axis=1)
    means = np.nanmean(x, axis=1)
    searches = len(x)
    if searches < 2:
        return _Estimate(float(means.mean()), math.nan, 0, searches)
    if np.all(counts == counts[0]):
        variance = float(means.var(ddof=1)) / searches
        return _Estimate(float(means.mean()), variance, searches - 1, searches)
    fit = fit_reml([row[~np.isnan(row)] for row in x])
    return _Estimate(fit.mean, fit.variance, fit.degrees, searches)


def _p_value(distance: float, error: float, degrees: float, repeats: int, small: float) -> float:
    """Return the two-sided p of no distance; of equal values that of their signs.

    Args:
        distance: of the mean from the bound.
        error: standard error of the mean.
        degrees: degrees of freedom.
        repeats: searches or runs.
        small: what counts as rounding.
    """
    from scipy.special import stdtr

    if abs(distance) <= small:
        return 1.0
    if error <= small:
        # n times the same: all signs alike, of 2ⁿ ways to choose them
        return float(min(1.0, 2.0 ** (1 - repeats)))
    return float(2 * stdtr(degrees, -abs(distance) / error))


def _size(distance: float, deviation: float, small: float) -> float:
    """Return distance/deviation; ±∞ without any deviation, 0 without a distance either."""
    if abs(distance) <= small:
        return 0.0
    return distance / deviation if deviation > small else math.copysign(math.inf, distance)


def _share(
    between: float, within: float, degrees: tuple[int, int], each: float, level: float
) -> Interval:
    """Return the intraclass correlation with its interval (Searle 1971).

    Args:
        between: mean square of the searches.
        within: mean square of the runs within searches.
        degrees: of the two mean squares.
        each: runs a search, n₀.
        level: confidence.
    """
    from scipy.special import fdtri

    def share(ratio: float) -> float:
        return max(0.0, (ratio - 1) / (ratio + each - 1))

    if within == 0:
        # no spread within searches: all of it is between them, if there is any
        whole = float(between > 0)
        return Interval(whole, whole, whole) if between else Interval(0.0, 0.0, 1.0)
    ratio = between / within
    lower, upper = fdtri(*degrees, [(1 - level) / 2, (1 + level) / 2])
    return Interval(share(ratio), share(ratio / upper), share(ratio / lower))


def _quantile(level: float, degrees: float) -> float:
    """Return Student's t of a two-sided interval: the (1 + level)/2 quantile."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + level / 2))
