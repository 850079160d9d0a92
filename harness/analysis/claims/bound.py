"""Evidence that an arm's mean is above, or below, a value."""

from __future__ import annotations

import numpy as np

from harness import stats
from harness.analysis.claims.evidence import Weighed, evidence_on
from harness.analysis.ranking import show
from harness.analysis.results import Results
from harness.analysis.values import resolution_of, values_of
from harness.spec.claims import Above, Below
from harness.spec.looks import Look
from harness.stats import Interval


@evidence_on.register
def evidence_on_above(claim: Above, results: Results, look: Look, level: float) -> Weighed:
    """Test mean > value."""
    return _weigh_bound(claim, results, look, level, sign=1)


@evidence_on.register
def evidence_on_below(claim: Below, results: Results, look: Look, level: float) -> Weighed:
    """Test mean < value."""
    return _weigh_bound(claim, results, look, level, sign=-1)


def _weigh_bound(
    claim: Above | Below, results: Results, look: Look, level: float, sign: int
) -> Weighed:
    """Test mean(sign · values) > sign · value; a run that diverged counts against the claim.

    Args:
        claim: names the arm, the metric and the value.
        results: the study's tables.
        look: the runs to go by.
        level: coverage of the mean's interval.
        sign: 1 for above, −1 for below.

    Returns:
        Evidence whose effect is the mean itself, in the metric's unit and not turned round: that is
        what a reader compares with the bound. The test's direction is in ``favours``.
    """
    # A diverged run gets the value that is worst for the claim, whichever way the metric is better:
    # −∞ (or the metric's least value) for "above", +∞ for "below".
    values_KS = values_of(results, claim.arm, claim.on, look, maximize=sign > 0)
    # a paired test against a constant is the one-sample t-test
    evidence = stats.superior(
        sign * values_KS,
        np.full(values_KS.shape, sign * claim.value),
        0.0,
        level,
        scope=results.study.scope_of(claim),
        resolution=resolution_of([values_KS]),
    )
    mean = _unturned(evidence.effect, claim.value, sign)
    return Weighed(evidence._replace(effect=mean), f"Mean {claim.on}: {show(mean)}.")


def _unturned(advantage: Interval, value: float, sign: int) -> Interval:
    """Return the interval of the mean itself, given that of sign · (mean − value)."""
    low, high = sorted((value + sign * advantage.low, value + sign * advantage.high))
    return Interval(value + sign * advantage.mean, low, high)
