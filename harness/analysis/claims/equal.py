"""Evidence that two arms are equal: the mean advantage over paired runs, within the margin on both
sides."""

from __future__ import annotations

from harness import stats
from harness.analysis.claims.evidence import Weighed, evidence_on
from harness.analysis.claims.paired import pair_arms
from harness.analysis.claims.wording import Words
from harness.analysis.results import Results
from harness.spec.claims import Equal
from harness.spec.looks import Look


@evidence_on.register
def evidence_on_equal(claim: Equal, results: Results, look: Look, level: float) -> Weighed:
    """Test |mean(mine − other)| < margin by two one-sided tests (Schuirmann 1987).

    Args:
        claim: names the arms, the metric and the margin.
        results: the study's tables.
        look: the runs to go by.
        level: coverage of the effect's interval.

    Returns:
        Evidence whose effect is mean(mine − other), which favours the claim by being small and not
        by its sign.
    """
    evidence = pair_arms(results, claim, look).weigh(stats.equivalent, claim.margin, level)
    words = Words.of(results, claim)
    advantage = f"Mean advantage in {words.metric}: {words.effect(evidence)}"
    return Weighed(evidence, f"{advantage}, to stay within ±{words.given(claim.margin)}.")
