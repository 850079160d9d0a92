"""Which share of what one arm suffers from another takes away, such as a generalization gap."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.hierarchy import Scope, as_table, mean_test
from harness.stats.intervals import Interval
from harness.stats.verdict import Evidence, superior

FARTHEST = 1e9
"""Share beyond which an interval's end counts as infinite."""


class ShareTaken(NamedTuple):
    """What is known of the share taken away, and of what there was to take."""

    evidence: Evidence
    """Its effect is the share (base − cured)/base: 1 takes all, 0 nothing, less makes it worse."""
    base: Interval
    """Mean of the arm without the cure."""
    defined: bool
    """Whether there is anything to take away: whether the base is surely above 0."""


def share_taken(
    base_KS: ArrayLike,
    cured_KS: ArrayLike,
    share: float = 0.0,
    level: float = 0.95,
    *,
    scope: Scope = "winner",
    resolution: float = 0.0,
) -> ShareTaken:
    """Weigh "more than the share s of the base is taken away": (1 − s)·b − c > 0, and b > 0.

    A share of nothing is none: both must hold, and p is the larger of the two tests' (Berger 1982).
    The share's interval is Fieller's (1954): all θ whose contrast (1 − θ)·b − c the same test does
    not tell from 0. So it excludes s just where that test decides.

    Args:
        base_KS: (K, S) values b of the arm without the cure, less is better, of K searches with S
            seeds each; (S,) of one search. NaN for a missing run, infinite for one that diverged.
        cured_KS: those c of the arm with it, for the same searches and seeds.
        share: part s of the base that must go at least, from 0 to 1.
        level: confidence of the share's interval, and of the base being above 0.
        scope: whether it is said of the method or of these winners.
        resolution: the metric's smallest step; 0 for a continuous one.

    Returns:
        Evidence on the share, of which nothing is known (NaN from −∞ to ∞, and p = 1) unless the
        base is surely above 0; and the base. A claim that does not hold is opposite where the cured
        arm has more than the base, and else smaller than claimed.

    Raises:
        ValueError: the arms have different shapes.

    >>> found = share_taken([2.0, 2.2, 1.9, 2.1], [1.0, 1.2, 0.9, 1.0])
    >>> [round(v, 2) for v in found.evidence.effect], found.evidence.favours
    ([0.5, 0.45, 0.56], True)
    """
    b, c = as_table(base_KS), as_table(cured_KS)
    there = _more(np.zeros_like(b), b, level, scope, resolution)
    # of a base that diverged throughout there is no interval; the test of success speaks for it
    sure = there.effect.low > 0 or (there.effect.mean == math.inf and there.p <= 1 - level)
    if not (sure and there.favours):
        recorded = not math.isnan(there.effect.mean)
        unknown = Interval(math.nan, -math.inf, math.inf) if recorded else there.effect
        return ShareTaken(Evidence(unknown, 1.0, favours=False), there.effect, defined=False)
    tested = _more(c, (1 - share) * b, level, scope, resolution)
    worse = _more(c, b, level, scope, resolution)
    evidence = tested._replace(
        effect=_fieller(b, c, level, scope, resolution),
        p=max(tested.p, there.p),
        p_opposite=1.0 if worse.favours else max(worse.p, there.p),
    )
    return ShareTaken(evidence, there.effect, defined=True)


def _more(
    less: np.ndarray, more: np.ndarray, level: float, scope: Scope, resolution: float
) -> Evidence:
    """Weigh "more − less > 0" where less is better, so that a diverged run has +∞.

    Args:
        less: (K, S) values of the arm claimed to be ahead.
        more: (K, S) those of the other.
        level: confidence.
        scope: what is spoken of.
        resolution: the metric's smallest step.
    """
    return superior(-less, -more, 0.0, level, scope=scope, resolution=resolution)


def _fieller(
    b: np.ndarray, c: np.ndarray, level: float, scope: Scope, resolution: float
) -> Interval:
    """Return the share taken, by the pairs that both ended well, with Fieller's interval.

    Args:
        b: (K, S) values of the base.
        c: (K, S) values of the cured arm.
        level: confidence.
        scope: what is spoken of.
        resolution: the metric's smallest step.
    """
    ended = np.isfinite(b) & np.isfinite(c)
    if not ended.any():
        # all of an infinite base is gone; or an infinite one is there in the place of a finite
        known = ~np.isnan(b) & ~np.isnan(c)
        lost = np.isinf(b[known]).sum() - np.isinf(c[known]).sum()
        return Interval(1.0 if lost > 0 else -math.inf, -math.inf, math.inf)
    b, c = np.where(ended, b, np.nan), np.where(ended, c, np.nan)

    def contrast(theta: float) -> Interval:
        given = (1 - theta) * b - c
        return mean_test(given, scope=scope, level=level, resolution=resolution).interval

    estimate = contrast(0.0).mean / mean_test(b, scope=scope).interval.mean
    low = _crossing(lambda theta: contrast(theta).low, estimate, -1.0)
    high = _crossing(lambda theta: contrast(theta).high, estimate, 1.0)
    return Interval(estimate, low, high)


def _crossing(function: Callable[[float], float], start: float, way: float) -> float:
    """Return where a function changes sign on one side of ``start``; ±∞ if nowhere near.

    Args:
        function: falls through 0 at the place.
        start: where it is not yet 0.
        way: −1 to look below, 1 above.
    """
    from scipy.optimize import brentq

    if way * function(start) <= 0:  # without any spread the estimate is all there is
        return start
    step = 1e-3
    while way * function(start + way * step) > 0:
        step *= 2
        if step > FARTHEST:
            return way * math.inf
    return float(brentq(function, *sorted((start, start + way * step)), xtol=1e-12, rtol=1e-10))
