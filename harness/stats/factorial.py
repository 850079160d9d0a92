"""Main effects and interactions of a factorial study in which every cell ran with every seed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.blocks import Blocks, blocks_of
from harness.stats.hierarchy import FEWEST_RUNS, ROUNDING, Scope
from harness.stats.intervals import Interval
from harness.stats.paired import permutation

FLIPPED = 10
"""Blocks from which on signs are changed: 2¹⁰ ways make a smallest p of .002."""
LARGEST_F = 1e6
"""F above which its noncentral distribution is not computed; ω² is then 1 in its first digits."""


class Effect(NamedTuple):
    """What one factor, or several together beyond their single effects, do to the outcome."""

    factors: tuple[str, ...]
    """Their names; several are an interaction."""
    omega: Interval
    """Partial ω²: the share of the effect in its own and the error's variance, from 0 to 1."""
    f: float
    """The F statistic; NaN with fewer than two blocks."""
    df: tuple[float, float]
    """Degrees of freedom of the effect and of its error, corrected for unequal variances."""
    p: float
    """p-value of no effect."""


class _Statistic(NamedTuple):
    """An effect's F with what its distribution needs."""

    f: float
    df: tuple[float, float]
    epsilon: float
    """How equal the contrasts' variances are, from 1/q to 1: the correction of both df."""
    size: float
    """Blocks that the mean is worth, with one run in every cell each."""


def factorial_effects(
    outcomes: ArrayLike,
    factors: Sequence[str],
    order: int | None = None,
    level: float = 0.95,
    *,
    scope: Scope = "winner",
    resolution: float = 0.0,
) -> list[Effect]:
    """Split the outcome of a complete factorial study into effects, each tested by its contrasts.

    A set of factors with q degrees of freedom has q orthonormal contrasts between cells. Block i,
    one run in every cell, has their values z_i ∈ R^q, whose mean is 0 where there is no effect:
    F = n‖z̄‖²/q / MS with MS = Σ‖z_i − z̄‖²/(q (n − 1)), the F of a repeated-measures analysis of
    variance (Winer 1971).

    - From 10 blocks on, p is that of a sign-flip permutation, the share of ‖Σ ±z_i‖ that reach
      ‖Σ z_i‖ (Fisher 1935), whatever the cells' variances are.
    - With 4 to 9, p is that of F with both degrees of freedom times ε = tr(V)²/(q tr(V²)), with V
      the covariance of z (Box 1954; Greenhouse & Geisser 1959). In simulations of 2 × 2 to 3 × 4
      cells its level was .055 at most, with one cell of ten times the spread, where that of the
      plain F was .18; with equal spreads it is careful.
    - With fewer, p is 1.

    The effect's size is the partial ω² = σ²_A/(σ²_A + σ²): σ²_A is the mean square of the effect
    over cells, σ² the variance of one block's error in a cell. With λ = q(F − 1) the estimate is
    λ/(λ + nC) for C cells. The interval takes the λ for which F is at the quantiles of the
    noncentral F (Steiger 2004; Smithson 2003). It is central: its low end is above 0 where the p of
    F is below (1 − level)/2, and 0 for most data without an effect.

    Args:
        outcomes: (levels of the first factor, …, of the last, K, S), of K searches with S seeds
            each, or (levels, …, S) of one search. NaN for a run that is missing.
        factors: their names.
        order: factors taken together at most; all by default.
        level: confidence of the intervals.
        scope: whether it is said of the method: blocks are then searches, and means over seeds are
            their values; else blocks are seeds, and the error is that within searches.
        resolution: the metric's smallest step r; MS is at least r²/12, that of rounding, a run.

    Returns:
        Single factors first, then pairs, and so on. Where a run diverged nothing is known: an
        infinite ω² and p = 1.

    Raises:
        ValueError: the shape does not fit the names, or a factor has a single level.

    >>> cells = np.array([[[0.0, 0.1, 0.2, 0.1], [1.0, 1.2, 1.1, 1.2]],
    ...                   [[0.0, 0.2, 0.1, 0.0], [3.0, 3.1, 3.3, 3.2]]])
    >>> [(e.factors, round(e.omega.mean, 2)) for e in factorial_effects(cells, ["a", "b"])]
    [(('a',), 0.99), (('b',), 1.0), (('a', 'b'), 0.96)]
    """
    blocks = blocks_of(outcomes, len(factors), scope)
    if min(blocks.values.shape[1:]) < 2:
        raise ValueError(f"expected two levels or more of each factor, got {blocks.values.shape}")
    effects = []
    for size in range(1, (order or len(factors)) + 1):
        for axes in itertools.combinations(range(len(factors)), size):
            names = tuple(factors[i] for i in axes)
            effects.append(_effect(blocks, axes, names, level, resolution))
    return effects


def contrasts_of(shape: Sequence[int], axes: Sequence[int]) -> np.ndarray:
    """Return orthonormal contrasts (q, cells) that span the effect of some axes beyond fewer.

    Args:
        shape: levels of each factor.
        axes: the factors whose joint effect it is.

    >>> contrasts_of((2, 2), (0, 1)).round(2)
    array([[ 0.5, -0.5, -0.5,  0.5]])
    """
    from scipy.linalg import helmert

    whole = np.ones((1, 1))
    for i, levels in enumerate(shape):
        mean = np.full((1, levels), levels**-0.5)
        whole = np.kron(whole, helmert(levels) if i in axes else mean)
    return whole


def _effect(
    blocks: Blocks, axes: tuple[int, ...], names: tuple[str, ...], level: float, resolution: float
) -> Effect:
    """Return the effect of the factors on the given axes.

    Args:
        blocks: the repetitions.
        axes: the factors.
        names: theirs.
        level: confidence of ω².
        resolution: the metric's smallest step.
    """
    n, shape = len(blocks.values), blocks.values.shape[1:]
    contrasts_QC = contrasts_of(shape, axes)
    q, cells = contrasts_QC.shape
    none = (float(q), 0.0)
    if n == 0:
        return Effect(names, Interval(math.nan, math.nan, math.nan), math.nan, none, 1.0)
    if not np.isfinite(blocks.values).all():
        return Effect(names, Interval(math.inf, -math.inf, math.inf), math.nan, none, 1.0)
    z_NQ = blocks.values.reshape(n, cells) @ contrasts_QC.T
    # what rounding leaves of equal values is no spread
    small = ROUNDING * float(np.abs(blocks.values).max())
    z_NQ[np.abs(z_NQ) <= small] = 0.0
    found = _statistic(z_NQ, blocks.searches, resolution**2 / (12 * blocks.runs), small)
    if found is None:
        return Effect(names, Interval(0.0, 0.0, 1.0), math.nan, none, 1.0)
    omega = _omega(found, q, found.size * cells, level)
    return Effect(names, omega, found.f, found.df, _p_value(z_NQ, found))


def _statistic(
    z_NQ: np.ndarray, searches: np.ndarray, floor: float, small: float
) -> _Statistic | None:
    """Return F with its corrected degrees of freedom; None without any for the error.

    Args:
        z_NQ: (blocks, contrasts).
        searches: (n,) the search of each block; blocks of their own search make no error.
        floor: least mean square of the error.
        small: what counts as rounding.
    """
    n, q = z_NQ.shape
    _, place_N, counts_K = np.unique(searches, return_inverse=True, return_counts=True)
    if len(counts_K) == n:  # one block a search: searches are what is repeated
        place_N, counts_K = np.zeros(n, dtype=int), np.array([n])
    means_KQ = np.array([z_NQ[place_N == k].mean(axis=0) for k in range(len(counts_K))])
    degrees = n - len(counts_K)
    if degrees < 1:
        return None
    within_NQ = z_NQ - means_KQ[place_N]
    within_NQ[np.abs(within_NQ) <= 2 * small] = 0.0
    v_QQ = within_NQ.T @ within_NQ / degrees
    trace, squares = float(np.trace(v_QQ)), float((v_QQ**2).sum())
    epsilon = max(1 / q, trace**2 / (q * squares)) if squares > 0 else 1 / q
    # the mean of search means has the variance of one block over this many
    size = len(counts_K) ** 2 / float(np.sum(1 / counts_K))
    effect = size * float((means_KQ.mean(axis=0) ** 2).sum()) / q
    df = (q * epsilon, degrees * q * epsilon)
    return _Statistic(_ratio(effect, max(trace / q, floor)), df, epsilon, size)


def _p_value(z_NQ: np.ndarray, found: _Statistic) -> float:
    """Return p by changes of sign, or of the corrected F where there are few blocks."""
    from scipy.special import fdtrc

    n = len(z_NQ)
    if n < FEWEST_RUNS:
        return 1.0
    if n >= FLIPPED:
        return permutation(z_NQ)
    # n times the same: all signs alike, of 2ⁿ ways to choose them
    return float(fdtrc(*found.df, found.f)) if math.isfinite(found.f) else 2.0 ** (1 - n)


def _omega(found: _Statistic, q: int, runs: float, level: float) -> Interval:
    """Return partial ω² with its interval by the noncentral F.

    Args:
        found: the statistic.
        q: degrees of freedom of the effect, not corrected.
        runs: nC, runs of all blocks.
        level: confidence.
    """
    from scipy.special import ncfdtr

    if found.f > LARGEST_F:
        at = _omega(found._replace(f=LARGEST_F), q, runs, level)
        return Interval(1.0, at.low, 1.0)

    def share(noncentrality: float) -> float:
        return max(0.0, noncentrality / (noncentrality + runs))

    def at_quantile(quantile: float) -> float:
        # of the corrected F the noncentrality is ελ, of which λ is wanted
        solved = _falling_root(
            lambda nc: float(ncfdtr(*found.df, nc, found.f)) - quantile, found.f + 1
        )
        return solved / found.epsilon

    low, high = at_quantile((1 + level) / 2), at_quantile((1 - level) / 2)
    return Interval(share(q * (found.f - 1)) if found.f > 1 else 0.0, share(low), share(high))


def _falling_root(function: Callable[[float], float], step: float) -> float:
    """Return where a falling function of x ≥ 0 passes 0; 0 where it starts below.

    Args:
        function: the function.
        step: where to look first; doubled until the function is below 0.
    """
    from scipy.optimize import brentq

    if function(0.0) <= 0:
        return 0.0
    while function(step) > 0:
        step *= 2
    return float(brentq(function, 0.0, step, rtol=1e-9))


def _ratio(a: float, b: float) -> float:
    """Return a/b; ∞ for a/0, and 0 for 0/0."""
    # below 1e-300, which could make the quotient overflow, a number counts as 0
    if b <= 1e-300:
        return math.inf if a > 1e-300 else 0.0
    return a / b
