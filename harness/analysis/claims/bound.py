"""Evidence that an arm's mean is above, or below, a value."""

from __future__ import annotations

import numpy as np

from harness import stats
from harness.analysis.claims.evidence import SeedNumbers, Weighed, evidence_on
from harness.analysis.ranking import show
from harness.analysis.results import Results
from harness.analysis.values import values_of
from harness.spec.claims import Above, Below


@evidence_on.register
def evidence_on_above(claim: Above, results: Results, seeds: SeedNumbers, level: float) -> Weighed:
    """Test mean > value."""
    return _weigh_bound(claim, results, seeds, level, sign=1)


@evidence_on.register
def evidence_on_below(claim: Below, results: Results, seeds: SeedNumbers, level: float) -> Weighed:
    """Test mean < value."""
    return _weigh_bound(claim, results, seeds, level, sign=-1)


def _weigh_bound(
    claim: Above | Below, results: Results, seeds: SeedNumbers, level: float, sign: int
) -> Weighed:
    """Test mean(sign · values) > sign · value; a run that diverged counts against the claim."""
    values = np.array(values_of(results, claim.arm, claim.on, seeds, maximize=sign > 0))
    bound = np.full(len(values), claim.value)
    evidence = stats.superior(sign * values, sign * bound, 0.0, level)
    mean = stats.mean_interval(values, level)
    return Weighed(
        evidence._replace(effect=mean),
        f"Mean {claim.on}: {show(mean)} over {len(values)} seeds.",
    )
