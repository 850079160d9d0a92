"""From evidence to a verdict on a claim."""

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
    """Whether the data lean to the claim."""
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
    """Weigh "a is larger than b by more than ``margin``"; with a negative margin, "a is no worse than b by more than it".

    Args:
        a: (n,) numbers of the arm claimed to be ahead, more is better, one a seed.
        b: (n,) numbers of the other arm for the same seeds.
        margin: least lead that the claim wants.
        level: confidence of the effect's interval.

    >>> superior([3.0, 4.1, 5.0], [1.0, 2.0, 3.1]).favours
    True
    """
    d = differences(a, b)
    found = compare_paired(d, np.full(len(d), margin), level)
    mean, low, high = found.difference
    size = paired_d(d, np.full(len(d), margin)) if len(d) > 1 and np.isfinite(d).all() else math.nan
    return Evidence(
        Interval(mean + margin, low + margin, high + margin), found.p, bool(mean > 0), size
    )


def equivalent(a: ArrayLike, b: ArrayLike, margin: float, level: float = 0.95) -> Evidence:
    """Weigh "a and b differ by less than ``margin``" by two one-sided t-tests, each at half of α (Schuirmann 1987).

    p is the larger of the tests' against d ≤ −m and d ≥ m where the mean lies inside, and that of d = ±m where it
    lies outside. The effect is the difference a − b itself.

    >>> equivalent([1.0, 1.1, 0.9, 1.0], [1.0, 1.0, 1.0, 1.05], margin=0.5).favours
    True
    """
    d = differences(a, b)
    above, below = (compare_paired(d, np.full(len(d), edge), level) for edge in (-margin, margin))
    inside = above.difference.mean > 0 > below.difference.mean
    p = max(above.p, below.p) if inside else (above.p if above.difference.mean <= 0 else below.p)
    return Evidence(compare_paired(a, b, level).difference, p, inside)


def judge(evidence: Evidence, adjusted: float, alpha: float = 0.05) -> Verdict:
    """Return supported or refuted where the adjusted p is at most ``alpha``, else undecided.

    Args:
        evidence: what the claim's data say.
        adjusted: its p, corrected for the other claims.
        alpha: risk of deciding where there is nothing to decide.

    >>> judge(Evidence(Interval(0.2, 0.1, 0.3), 0.01, True), 0.01).verdict
    'supported'
    >>> judge(Evidence(Interval(0.2, -0.1, 0.5), 0.1, True), 0.2).verdict
    'undecided'
    """
    if math.isnan(adjusted) or adjusted > alpha:
        return Verdict("undecided", evidence.effect, adjusted)
    return Verdict("supported" if evidence.favours else "refuted", evidence.effect, adjusted)
