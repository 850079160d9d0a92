"""Evidence that an arm's median is above, or below, a value."""

from __future__ import annotations

import numpy as np

from harness import stats
from harness.analysis.claims.evidence import Weighed, evidence_on
from harness.analysis.claims.wording import Words
from harness.analysis.results import Results
from harness.analysis.values import values_of
from harness.spec.claims import Above, Below
from harness.spec.looks import Look
from harness.stats import Interval


@evidence_on.register
def evidence_on_above(claim: Above, results: Results, look: Look, level: float) -> Weighed:
    """Test median > value."""
    return _weigh_bound(claim, results, look, level, maximize=True)


@evidence_on.register
def evidence_on_below(claim: Below, results: Results, look: Look, level: float) -> Weighed:
    """Test median < value."""
    return _weigh_bound(claim, results, look, level, maximize=False)


def _weigh_bound(
    claim: Above | Below, results: Results, look: Look, level: float, maximize: bool
) -> Weighed:
    """Count on which side of the value searches, or runs, lie (:func:`harness.stats.located`).

    Args:
        claim: names the arm, the metric and the value.
        results: the study's tables.
        look: the runs to go by.
        level: coverage of the median's interval.
        maximize: whether the claim is that they lie above.

    Returns:
        Evidence whose effect is the median itself, in the metric's unit and not turned round: that
        is what a reader compares with the bound. The test's direction is in ``favours``.
    """
    # A diverged run gets the value that is worst for the claim, whichever way the metric is better:
    # −∞ for "above", +∞ for "below".
    values_KS = values_of(results, claim.arm, claim.on, look, maximize=maximize)
    scope = results.study.scope_of(claim)
    sign = 1 if maximize else -1
    evidence = stats.located(sign * values_KS, sign * claim.value, level, scope=scope)
    middle, low, high = (sign * bound for bound in evidence.effect)
    median = Interval(middle, min(low, high), max(low, high))
    repeats = sign * stats.repeated(values_KS, scope)
    lie, what = int(np.sum(repeats > sign * claim.value)), _counted(scope)
    words, found = Words.of(results, claim), evidence._replace(effect=median)
    counted = f"{lie} of {len(repeats)} {what} lie {claim.kind} {words.given(claim.value)}"
    return Weighed(found, f"Median {words.metric}: {words.effect(found)}; {counted}.")


def _counted(scope: stats.Scope) -> str:
    """Return what the test counts."""
    return "searches" if scope == "method" else "runs"
