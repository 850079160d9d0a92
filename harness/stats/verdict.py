"""From evidence to a verdict on a claim.

:func:`superior` and :func:`equivalent` weigh one claim by its data; all claims of a study are then
corrected together (:mod:`harness.stats.sequential`), and :func:`judge` decides on the corrected p.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.hierarchy import Scope, Spread, as_table, mean_test, spread_of
from harness.stats.intervals import Interval
from harness.stats.success import Success, success_of

Decision = Literal["supported", "smaller than claimed", "opposite", "undecided", "first look"]
"""What became of a claim; a first look, at few runs, has no verdict."""


class Evidence(NamedTuple):
    """What a claim's data say, before claims are corrected for each other."""

    effect: Interval
    """Effect in the unit of the claim; positive favours it. It is that of the pairs of which both
    runs ended well; ±∞ only where there are none."""
    p: float
    """Two-sided: twice the smaller of the p-values for and against the claim's bound."""
    favours: bool
    """Whether the data lean to the side of the claim."""
    size: float = math.nan
    """Standardised effect against the bound that decides, where the test is a t-test."""
    p_opposite: float = math.nan
    """Two-sided p of an effect beyond zero on the other side, which tells "opposite" from "smaller
    than claimed"; NaN where it is the same as p."""
    spread: Spread | None = None
    """What the search and the seed have in the effect's spread; None for one search."""
    success: Success | None = None
    """How many runs ended well; None where all did."""


class Verdict(NamedTuple):
    """What became of a claim."""

    verdict: Decision
    effect: Interval
    """Effect in the unit of the claim; positive favours it."""
    p: float
    """Two-sided p-value, adjusted for the number of claims."""

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the word, the effect with its interval, and p."""
        mean, low, high = self.effect
        return f"<b>{self.verdict}</b>: {mean:.4g} [{low:.4g}, {high:.4g}], p = {self.p:.3g}"


class _ValueTest(NamedTuple):
    """A test of the mean difference against a bound, diverged runs counted in."""

    p: float
    above: bool
    """Whether the mean lies above the bound."""
    size: float


def superior(
    a_KS: ArrayLike,
    b_KS: ArrayLike,
    margin: float = 0.0,
    level: float = 0.95,
    *,
    scope: Scope = "winner",
    resolution: float = 0.0,
) -> Evidence:
    """Weigh "a is larger than b by more than ``margin``" by a t-test of d = a − b against it.

    With a negative margin it weighs "a is no worse than b by more than that". The test is
    :func:`~harness.stats.hierarchy.mean_test`. Where runs diverged there are two tests, each at
    half the risk: one of how many runs ended well (:func:`~harness.stats.success.success_of`), and
    one of the values, in which a pair with one diverged run counts as the largest difference seen,
    and which never decides for the arm that diverged more often.

    Args:
        a_KS: (K, S) numbers of the arm claimed to be ahead, more is better, of K searches with S
            seeds each; (S,) of one search. NaN for a missing run, infinite for one that diverged.
        b_KS: those of the other arm for the same searches and seeds.
        margin: smallest lead that the claim asserts.
        level: confidence of the effect's interval.
        scope: whether it is said of the method or of these winners.
        resolution: the metric's smallest step; 0 for a continuous one.

    Returns:
        Effect a − b, and p against the margin.

    Raises:
        ValueError: the arms have different shapes.

    >>> superior([3.0, 4.1, 5.0, 6.0], [1.0, 2.0, 3.1, 4.2]).favours
    True
    """
    d = differences(a_KS, b_KS)
    lead = _lead(d)
    tested = _test(d, margin, lead, scope, resolution)
    beyond = _test(d, 0.0, lead, scope, resolution)
    evidence = Evidence(
        _effect(d, level, scope, resolution),
        tested.p,
        tested.above,
        tested.size,
        1.0 if beyond.above else beyond.p,
        spread_of(d, level),
    )
    return _with_success(evidence, success_of(a_KS, b_KS, scope), d)


def equivalent(
    a_KS: ArrayLike,
    b_KS: ArrayLike,
    margin: float,
    level: float = 0.95,
    *,
    scope: Scope = "winner",
    resolution: float = 0.0,
) -> Evidence:
    """Weigh "a and b differ by less than ``margin``" by two one-sided t-tests (Schuirmann 1987).

    Each is made at half of α. p is the larger of the tests' against d ≤ −m and d ≥ m where the mean
    lies inside, and that of the bound it lies beyond where it is outside. Diverged runs count as in
    :func:`superior`; arms of which one diverged more often are never called equal.

    Args:
        a_KS: (K, S) numbers of one arm, of K searches with S seeds each; (S,) of one search.
        b_KS: those of the other arm for the same searches and seeds.
        margin: largest difference m that counts as none.
        level: confidence of the effect's interval.
        scope: whether it is said of the method or of these winners.
        resolution: the metric's smallest step; 0 for a continuous one.

    Returns:
        Effect a − b and p; ``favours`` where the mean difference lies within the margin.

    Raises:
        ValueError: the arms have different shapes.

    >>> equivalent([1.0, 1.1, 0.9, 1.0], [1.0, 1.0, 1.0, 1.05], margin=0.5).favours
    True
    """
    d = differences(a_KS, b_KS)
    lead = _lead(d)
    low = _test(d, -margin, lead, scope, resolution)
    high = _test(d, margin, lead, scope, resolution)
    # both bounds must be excluded, the weaker of the two tests decides; outside one is crossed
    inside = low.above and not high.above and high.size != 0
    if inside:
        p, size = max(low.p, high.p), min(abs(low.size), abs(high.size))
        p = 1.0 if lead else p
    else:
        p, _, size = high if low.above else low
    effect = _effect(d, level, scope, resolution)
    evidence = Evidence(effect, p, inside, size, spread=spread_of(d, level))
    weighed = _with_success(evidence, success_of(a_KS, b_KS, scope), d)
    # one that ends well more often is not equal, whichever it is
    decided = weighed.success is not None and weighed.success.p < p
    return weighed._replace(favours=inside and not decided)


def differences(a_KS: ArrayLike, b_KS: ArrayLike) -> np.ndarray:
    """Return d = a − b, (K, S); NaN for a pair of which both runs diverged, or one is missing.

    Args:
        a_KS: (K, S) numbers of one arm; (S,) of one search.
        b_KS: those of the other arm for the same searches and seeds.

    Raises:
        ValueError: the arms have different shapes.
    """
    x, y = as_table(a_KS), as_table(b_KS)
    if x.shape != y.shape:
        raise ValueError(
            "expected as many values in both arms, paired by search and seed, "
            f"got {x.shape} and {y.shape}"
        )
    both = np.isinf(x) & (x == y)
    return np.where(both, np.nan, x - np.where(both, 0.0, y))


def judge(evidence: Evidence, adjusted: float, alpha: float = 0.05) -> Verdict:
    """Return what becomes of a claim: decided where the adjusted p is at most ``alpha``.

    A decided claim that the data do not favour is *opposite* where the effect lies beyond zero on
    the other side, by a test corrected by the same factor, and else *smaller than claimed*.

    Args:
        evidence: what the claim's data say.
        adjusted: its p, corrected for the other claims; NaN where there is none.
        alpha: risk of deciding where there is nothing to decide.

    Returns:
        The verdict with the effect as it is in the evidence; its interval is not corrected.

    >>> judge(Evidence(Interval(0.2, 0.1, 0.3), 0.01, True), 0.01).verdict
    'supported'
    >>> judge(Evidence(Interval(0.2, 0.1, 0.3), 0.01, False, p_opposite=1.0), 0.01).verdict
    'smaller than claimed'
    >>> judge(Evidence(Interval(0.2, -0.1, 0.5), 0.1, True), 0.2).verdict
    'undecided'
    """
    return Verdict(_decision(evidence, adjusted, alpha), evidence.effect, adjusted)


def _decision(evidence: Evidence, adjusted: float, alpha: float) -> Decision:
    """Return the word of a verdict."""
    if math.isnan(adjusted) or adjusted > alpha:
        return "undecided"
    if evidence.favours:
        return "supported"
    factor = adjusted / evidence.p if evidence.p > 0 else 1.0
    beyond = evidence.p if math.isnan(evidence.p_opposite) else evidence.p_opposite
    return "opposite" if beyond * factor <= alpha else "smaller than claimed"


def _lead(d: np.ndarray) -> int:
    """Return how many more pairs the second arm lost by diverging than the first."""
    return int(np.sum(d == math.inf) - np.sum(d == -math.inf))


def _test(d: np.ndarray, bound: float, lead: int, scope: Scope, resolution: float) -> _ValueTest:
    """Test the mean difference against a bound, an infinite one as the largest distance seen.

    Args:
        d: (K, S) differences.
        bound: what their mean is tested against.
        lead: how many more pairs the second arm lost by diverging.
        scope: what the mean is of.
        resolution: the metric's smallest step.
    """
    ended = np.isfinite(d)
    if not ended.any():
        return _ValueTest(1.0, lead > 0, math.nan)
    # ±max|d − bound| is symmetric about the bound: no side gains by how far others differ
    reach = float(np.abs(d[ended] - bound).max())
    replaced = np.where(np.isinf(d), np.sign(d) * reach + bound, d)
    test = mean_test(replaced, scope=scope, bound=bound, resolution=resolution)
    above = test.interval.mean > bound
    # values of an arm that ended well less often are those of its luckier runs
    shielded = lead != 0 and above != (lead > 0)
    size = test.size if np.isinf(d).sum() == 0 else math.nan
    return _ValueTest(1.0 if shielded else test.p, above, size)


def _effect(d: np.ndarray, level: float, scope: Scope, resolution: float) -> Interval:
    """Return the mean difference of the pairs that both ended well; ±∞ where there is none.

    Args:
        d: (K, S) differences.
        level: confidence.
        scope: what the mean is of.
        resolution: the metric's smallest step.
    """
    if np.isinf(d).any() and not np.isfinite(d).any():
        return Interval(math.copysign(math.inf, _lead(d)), -math.inf, math.inf)
    ended = np.where(np.isfinite(d), d, np.nan)
    return mean_test(ended, scope=scope, level=level, resolution=resolution).interval


def _with_success(evidence: Evidence, success: Success, d: np.ndarray) -> Evidence:
    """Return the evidence with the test of success, each of the two at half the risk.

    Args:
        evidence: of the values.
        success: how many runs ended well.
        d: (K, S) differences.
    """
    if success.mine == success.other == success.runs:
        return evidence
    p = min(1.0, 2 * min(evidence.p, success.p))
    opposite = 2 * evidence.p_opposite
    favours = evidence.favours
    if success.p < evidence.p:
        favours = success.mine > success.other
        opposite = p
    return evidence._replace(p=p, favours=favours, p_opposite=min(1.0, opposite), success=success)
