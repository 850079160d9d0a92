"""From evidence to a verdict on a claim.

:func:`superior` and :func:`equivalent` weigh one claim by its data; all claims of a study are then
corrected together (:mod:`harness.stats.sequential`), and :func:`judge` decides on the corrected p.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.effect import paired_d
from harness.stats.intervals import Interval
from harness.stats.paired import compare_paired, differences

Decision = Literal["supported", "refuted", "undecided"]


class Evidence(NamedTuple):
    """What a claim's data say, before claims are corrected for each other."""

    effect: Interval
    """Effect in the unit of the claim; positive favours it."""
    p: float
    """Two-sided: twice the smaller of the p-values for and against."""
    favours: bool
    """Whether the effect, as measured, is on the side of the claim."""
    size: float = math.nan
    """Standardised effect d_z against the bound that decides, where the test is a paired t-test."""


class Verdict(NamedTuple):
    """What became of a claim."""

    verdict: Decision
    effect: Interval
    """Effect in the unit of the claim; positive favours it."""
    p: float
    """Two-sided p-value, adjusted for the number of claims."""


def superior(a: ArrayLike, b: ArrayLike, margin: float = 0.0, level: float = 0.95) -> Evidence:
    """Weigh "a is larger than b by more than ``margin``" by a paired t-test of a − b against it.

    With a negative margin it weighs "a is no worse than b by more than that".

    Args:
        a: (n,) numbers of the arm claimed to be ahead, more is better, one a seed.
        b: (n,) numbers of the other arm for the same seeds.
        margin: smallest lead that the claim asserts.
        level: confidence of the effect's interval.

    Returns:
        Effect a − b, and p against the margin. A diverged run makes d_z NaN, and the p is that of
        ranks.

    Raises:
        ValueError: the arms have different numbers of values.

    >>> superior([3.0, 4.1, 5.0], [1.0, 2.0, 3.1]).favours
    True
    """
    # the paired t-test of a − b against the margin, written as a pair of arms: d and a constant
    d = differences(a, b)
    bound = np.full(len(d), margin)
    compared = compare_paired(d, bound, level)
    mean, low, high = compared.difference
    size = paired_d(d, bound) if len(d) > 1 and np.isfinite(d).all() else math.nan
    # the effect is a − b itself: the interval of a − b − margin, moved back
    effect = Interval(mean + margin, low + margin, high + margin)
    return Evidence(effect, compared.p, bool(mean > 0), size)


def equivalent(a: ArrayLike, b: ArrayLike, margin: float, level: float = 0.95) -> Evidence:
    """Weigh "a and b differ by less than ``margin``" by two one-sided t-tests (Schuirmann 1987).

    Each is made at half of α. p is the larger of the tests' against d ≤ −m and d ≥ m where the mean
    lies inside, and that of the bound it lies beyond where it is outside. The effect is the
    difference a − b itself.

    Args:
        a: (n,) numbers of one arm, one a seed.
        b: (n,) numbers of the other arm for the same seeds.
        margin: largest difference m that counts as none.
        level: confidence of the effect's interval.

    Returns:
        Effect a − b and p; ``favours`` where the mean difference lies within the margin.

    Raises:
        ValueError: the arms have different numbers of values.

    >>> equivalent([1.0, 1.1, 0.9, 1.0], [1.0, 1.0, 1.0, 1.05], margin=0.5).favours
    True
    """
    d = differences(a, b)
    above = compare_paired(d, np.full(len(d), -margin), level)
    below = compare_paired(d, np.full(len(d), margin), level)
    # both means are of d, moved by the margin: inside where d̄ + m > 0 > d̄ − m
    inside = above.difference.mean > 0 > below.difference.mean
    effect = compare_paired(a, b, level).difference
    if inside:
        # both bounds must be excluded: the weaker of the two tests decides
        return Evidence(effect, max(above.p, below.p), True)
    crossed = above if above.difference.mean <= 0 else below
    return Evidence(effect, crossed.p, False)


def judge(evidence: Evidence, adjusted: float, alpha: float = 0.05) -> Verdict:
    """Return supported or refuted where the adjusted p is at most ``alpha``, else undecided.

    Args:
        evidence: what the claim's data say.
        adjusted: its p, corrected for the other claims; NaN where there is none.
        alpha: risk of deciding where there is nothing to decide.

    Returns:
        The verdict with the effect as it is in the evidence; its interval is not corrected.

    >>> judge(Evidence(Interval(0.2, 0.1, 0.3), 0.01, True), 0.01).verdict
    'supported'
    >>> judge(Evidence(Interval(0.2, -0.1, 0.5), 0.1, True), 0.2).verdict
    'undecided'
    """
    if math.isnan(adjusted) or adjusted > alpha:
        return Verdict("undecided", evidence.effect, adjusted)
    return Verdict("supported" if evidence.favours else "refuted", evidence.effect, adjusted)
