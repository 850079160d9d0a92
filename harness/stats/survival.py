"""Times to a target of which some are censored: Kaplan–Meier curves and restricted means.

A run that ended without reaching the target is censored: all that is known is that its time is
longer. Leaving it out, or counting its end as its time, would favour the arm that fails more often.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from harness.stats.intervals import Interval
from harness.stats.target import Reached


class Survival(NamedTuple):
    """S(t), the share of runs that have not reached the target by t; constant between the times."""

    times: np.ndarray
    """(m,) times, from 0."""
    share: np.ndarray
    """(m,) S from each time on."""
    low: np.ndarray
    """(m,) lower bound of the pointwise interval."""
    high: np.ndarray
    """(m,) upper bound of the pointwise interval."""


def kaplan_meier(reached: Sequence[Reached], level: float = 0.95) -> Survival:
    """Return S(t) = Π (1 − dᵢ/nᵢ) over the times tᵢ ≤ t, and its interval (Kaplan & Meier 1958).

    dᵢ of the nᵢ runs under observation arrive at tᵢ. The interval is S^exp(±z√G / log S), with
    Greenwood's G = Σ dᵢ/(nᵢ(nᵢ − dᵢ)): symmetric on the log(−log S) scale, so that it stays between
    0 and 1 (Kalbfleisch & Prentice 2002).

    Args:
        reached: one run each; in the units of their times.
        level: confidence of the interval.

    Returns:
        The curve, from (0, 1) on, with a row for each time at which a run arrives.

    >>> curve = kaplan_meier([Reached(1, False), Reached(2, True), Reached(3, False)])
    >>> curve.times.tolist(), [round(float(s), 3) for s in curve.share]
    ([0.0, 1.0, 3.0], [1.0, 0.667, 0.0])
    """
    from scipy.special import ndtri

    z = float(ndtri(0.5 + level / 2))
    # running values of S = Π (1 − d/n) and of G = Σ d/(n(n − d))
    share, greenwood, rows = 1.0, 0.0, [(0.0, 1.0, 1.0, 1.0)]
    for time in sorted({r.time for r in reached if not r.censored}):
        at_risk, arrived = _counts(reached, time)
        share *= 1 - arrived / at_risk
        # infinite once all have arrived
        greenwood += arrived / (at_risk * (at_risk - arrived)) if at_risk > arrived else math.inf
        rows.append((time, share, *_band(share, greenwood, z)))
    return Survival(*np.array(rows).T)


def _counts(reached: Sequence[Reached], time: float) -> tuple[int, int]:
    """Return the runs that neither arrived nor ended before a time, and those that arrive then."""
    at_risk = sum(r.time >= time for r in reached)
    arrived = sum(r.time == time and not r.censored for r in reached)
    return at_risk, arrived


def _band(share: float, greenwood: float, z: float) -> tuple[float, float]:
    """Return the interval of S; no width where S is 0 or 1, whose logarithms are not finite.

    Args:
        share: S.
        greenwood: Greenwood's sum G.
        z: quantile of N(0, 1).
    """
    if not 0 < share < 1 or not math.isfinite(greenwood):
        return share, share
    # S^exp(±z√G / |log S|): below 1, the larger exponent gives the lower bound
    half = z * math.sqrt(greenwood) / abs(math.log(share))
    return share ** math.exp(half), share ** math.exp(-half)


def restricted_mean(reached: Sequence[Reached], horizon: float, level: float = 0.95) -> Interval:
    """Return the mean time until the target or the horizon, whichever is first, as an interval.

    It is ∫₀^h S(t) dt (Royston & Parmar 2013). Its variance is Σ Aᵢ² dᵢ/(nᵢ(nᵢ − dᵢ)), with Aᵢ the
    area under S from tᵢ to h (Irwin 1949), times n/(n − 1): without censoring it is that of a mean.

    Args:
        reached: one run each; a censored run was observed until its time.
        horizon: the longest time that counts, up to which every censored run was observed.
        level: confidence.

    Returns:
        The interval, in the units of the times; infinitely wide for one run.

    >>> times = [Reached(2.0, False), Reached(4.0, False), Reached(9.0, True)]
    >>> round(restricted_mean(times, horizon=9.0).mean, 3)
    5.0
    """
    from scipy.special import stdtrit

    curve = kaplan_meier(reached)
    inside = curve.times < horizon
    bounds, share = np.append(curve.times[inside], horizon), curve.share[inside]
    # S is constant between the times: the integral is a sum of rectangles
    areas = np.diff(bounds) * share
    # areas from each time to the horizon
    after = np.append(np.cumsum(areas[::-1])[::-1], 0.0)
    variance = 0.0
    for area, time in zip(after[1:], bounds[1:-1], strict=False):
        at_risk, arrived = _counts(reached, time)
        # once all have arrived the area after it is 0, and so is its term: not 0/0
        if at_risk > arrived:
            variance += area**2 * arrived / (at_risk * (at_risk - arrived))
    n, mean = len(reached), float(areas.sum())
    if n < 2:
        return Interval(mean, -math.inf, math.inf)
    half = float(stdtrit(n - 1, 0.5 + level / 2)) * math.sqrt(variance * n / (n - 1))
    return Interval(mean, mean - half, mean + half)
