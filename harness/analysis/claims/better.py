"""Evidence that an arm ends with a better value: the mean advantage over paired runs, above the
margin."""

from __future__ import annotations

from harness import stats
from harness.analysis.claims.evidence import Weighed, evidence_on
from harness.analysis.claims.paired import pair_arms
from harness.analysis.claims.wording import Words
from harness.analysis.results import Results
from harness.spec.claims import Better
from harness.spec.looks import Look


@evidence_on.register
def evidence_on_better(claim: Better, results: Results, look: Look, level: float) -> Weighed:
    """Test mean(mine − other) > margin by a paired t-test, values turned so that more is better.

    Args:
        claim: names the arms, the metric and the margin.
        results: the study's tables.
        look: the runs to go by.
        level: coverage of the effect's interval.

    Returns:
        Evidence whose effect is mean(mine − other) itself, without the margin.
    """
    evidence = pair_arms(results, claim, look).weigh(stats.superior, claim.margin, level)
    words = Words.of(results, claim)
    return Weighed(evidence, f"Mean advantage in {words.metric}: {words.effect(evidence)}.")
