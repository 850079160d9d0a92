"""Evidence that two arms are equal: the mean advantage over paired seeds, within the margin on both
sides."""

from __future__ import annotations

from harness import stats
from harness.analysis.claims.evidence import SeedNumbers, Weighed, evidence_on
from harness.analysis.claims.paired import paired_values
from harness.analysis.ranking import show
from harness.analysis.results import Results
from harness.spec.claims import Equal


@evidence_on.register
def evidence_on_equal(claim: Equal, results: Results, seeds: SeedNumbers, level: float) -> Weighed:
    """Test |mean(mine − other)| < margin by two one-sided tests (Schuirmann 1987).

    Args:
        claim: names the arms, the metric and the margin.
        results: the study's tables.
        seeds: the seeds to go by.
        level: coverage of the effect's interval.

    Returns:
        Evidence whose effect is mean(mine − other), which favours the claim by being small and not
        by its sign.
    """
    mine, other = paired_values(results, claim, seeds)
    evidence = stats.equivalent(mine, other, claim.margin, level)
    advantage = show(evidence.effect)
    return Weighed(
        evidence, f"Mean advantage in {claim.on}: {advantage}, to stay within ±{claim.margin:g}."
    )
