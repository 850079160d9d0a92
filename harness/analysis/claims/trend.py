"""Evidence that a metric tends to rise or fall along the levels of a factor."""

from __future__ import annotations

from harness import stats
from harness.analysis.claims.by_level import values_by_level
from harness.analysis.claims.evidence import Weighed, evidence_on
from harness.analysis.claims.monotone import level_means
from harness.analysis.claims.wording import Words
from harness.analysis.results import Results
from harness.analysis.values import resolution_of
from harness.spec.claims import Trend
from harness.spec.looks import Look


@evidence_on.register
def evidence_on_trend(claim: Trend, results: Results, look: Look, level: float) -> Weighed:
    """Test the order of the levels by their ranks (:func:`harness.stats.page_trend`).

    Args:
        claim: names the factor, the metric and the direction.
        results: the study's tables.
        look: the runs to go by.
        level: coverage of the effect's interval.

    Returns:
        Evidence whose effect is the mean rank correlation of level and metric, from −1 to 1, turned
        so that 1 is the claimed order throughout.
    """
    values_LKS = values_by_level(results, claim, look)
    evidence = stats.page_trend(
        values_LKS,
        claim.rising,
        level,
        scope=results.study.scope_of(claim),
        resolution=resolution_of([values_LKS]),
    )
    words = Words.of(results, claim)
    correlation = f"mean rank correlation {words.effect(evidence)} in the claimed direction"
    return Weighed(evidence, f"{level_means(values_LKS, words.values)}; {correlation}.")
