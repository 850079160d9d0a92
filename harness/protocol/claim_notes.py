"""Claims that a study's runs can't decide, whatever they turn out to be: said before it trains."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis.looks import plan_levels
from harness.spec.claims.bound import Bound
from harness.spec.study import Study
from harness.stats import fewest_for


def claim_notes(study: Study) -> Iterator[str]:
    """Yield what should be known of a study's claims, in sentences.

    Claims about one arm's value are tested by counting. All n searches (or runs, for winners) on
    one side give p = 2/2ⁿ, corrected for all claims of their kind (Holm): too few of them never
    come below the risk that the last look takes.

    Args:
        study: a first look has no verdicts, and so no notes.
    """
    bounds = [claim for claim in study.claims if isinstance(claim, Bound)]
    if study.first_look or not bounds:
        return
    searches, seeds = study.looks[-1].shape
    of_methods = study.scope_of(bounds[0]) == "method"
    have = searches if of_methods else searches * seeds
    needed = fewest_for(1 - plan_levels(study, ())[-1] / len(bounds))
    if have < needed:
        field, what = ("search.searches", "searches") if of_methods else ("seeds", "runs")
        yield (
            f"claims that one arm is above or below a value: {len(bounds)} of them need {needed} "
            f"{what} to be decided, since {what} are counted; {have} leave them undecided. Raise "
            f"{field}, or claim a difference between arms"
        )
