"""Evidence that an arm ends with a better value: the mean advantage over paired seeds, above the
margin."""

from __future__ import annotations

from harness import stats
from harness.analysis.claims.evidence import SeedNumbers, Weighed, evidence_on
from harness.analysis.claims.paired import paired_values
from harness.analysis.ranking import show
from harness.analysis.results import Results
from harness.spec.claims import Better


@evidence_on.register
def evidence_on_better(
    claim: Better, results: Results, seeds: SeedNumbers, level: float
) -> Weighed:
    """Test mean(mine − other) > margin by a paired t-test, values turned so that more is better.

    Args:
        claim: names the arms, the metric and the margin.
        results: the study's tables.
        seeds: the seeds to go by.
        level: coverage of the effect's interval.

    Returns:
        Evidence whose effect is mean(mine − other) itself, without the margin.
    """
    mine, other = paired_values(results, claim, seeds)
    evidence = stats.superior(mine, other, claim.margin, level)
    advantage = show(evidence.effect)
    return Weighed(
        evidence, f"Mean advantage in {claim.on}: {advantage} over {len(mine)} paired seeds."
    )
