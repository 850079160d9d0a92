"""The answer to a study's question: a ranking with intervals, and a verdict on each claim.

The report's first lines, the comparison of studies and what ``harness run`` prints at its end are
all made of this.
"""

from __future__ import annotations

from typing import NamedTuple

from harness.analysis.claims import Tested, judge_claims
from harness.analysis.ranking import Place, choose_metric, rank, summarize
from harness.analysis.results import Results
from harness.core.metric_names import larger_is_better


class Answer(NamedTuple):
    """The answer in full."""

    metric: str
    """What the arms are ranked by."""
    maximize: bool
    """Whether more of it is better."""
    ranking: tuple[Place, ...]
    """Best first."""
    claims: tuple[Tested, ...]
    """In the order in which the study declares them."""
    sentence: str
    """The ranking in words."""


def answer_study(results: Results) -> Answer:
    """Rank the arms on the study's metric and judge its claims.

    Args:
        results: of a study that has been run to its end.

    Returns:
        The ranking, a verdict on each claim, and the ranking in a sentence.
    """
    metric = choose_metric(results)
    maximize = larger_is_better(metric, results.study.recipe.declared)
    ranking = rank(results, metric, maximize)
    return Answer(
        metric,
        maximize,
        ranking,
        judge_claims(results),
        summarize(metric, ranking, results.look, results.study.first_look),
    )
