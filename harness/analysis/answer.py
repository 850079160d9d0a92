"""The answer to a study's question: a ranking with intervals, and a verdict on each claim.

The report's first lines, the comparison of studies and what ``harness run`` prints at its end are
all made of this.
"""

from __future__ import annotations

from typing import NamedTuple

from harness.analysis.claims import Tested, judge_claims
from harness.analysis.headline import headline
from harness.analysis.ranking import Place, choose_metric, rank, summarize
from harness.analysis.results import Results
from harness.analysis.rivals import why_no_rivals
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
    """The ranking in words, or why there is none."""
    headline: str
    """What answers the study's question, in a sentence or two."""
    ranked: bool
    """Whether the arms are rivals; else they stand in the study's order, and none is best."""


def answer_study(results: Results) -> Answer:
    """Rank the arms on the study's metric and judge its claims.

    Args:
        results: of a study that has been run to its end.

    Returns:
        The ranking, a verdict on each claim, and both in sentences.
    """
    study = results.study
    metric = choose_metric(results)
    maximize = larger_is_better(metric, study.recipe.declared)
    ranking = rank(results, metric, maximize)
    apart = why_no_rivals(results.arms, metric)
    if apart:
        places = {arm.name: i for i, arm in enumerate(results.arms)}
        ranking = tuple(sorted(ranking, key=lambda place: places[place.arm]))
        sentence = f"The arms are not ranked: {apart}."
    else:
        sentence = summarize(metric, ranking, results.look, study.first_look, study.recipe.declared)
    claims = judge_claims(results)
    told = headline(study, claims, sentence)
    return Answer(metric, maximize, ranking, claims, sentence, told, not apart)
