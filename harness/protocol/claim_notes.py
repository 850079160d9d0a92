"""What a study's runs can't decide, whatever they turn out to be: said before it trains."""

from __future__ import annotations

import json
from collections.abc import Iterator

from harness.analysis.looks import plan_levels
from harness.spec.arms import build_arms
from harness.spec.claims.bound import Bound
from harness.spec.study import Study
from harness.stats import fewest_for
from harness.stats.hierarchy import FEWEST_RUNS


def too_few_runs(study: Study) -> str:
    """Return that a study's runs decide nothing, where they are too few for any test; else
    nothing."""
    last = study.looks[-1]
    if last.runs >= FEWEST_RUNS:
        return ""
    field = "searches" if study.scope == "method" else "seeds"
    return f"{last}: fewer than {FEWEST_RUNS} repetitions decide nothing; raise {field}"


def equal_arms(study: Study) -> Iterator[str]:
    """Yield a note for arms of one recipe, which may be meant: an A/A comparison."""
    alike: dict[str, list[str]] = {}
    for arm in build_arms(study):
        alike.setdefault(json.dumps(arm.recipe.dump(), sort_keys=True), []).append(arm.name)
    for names in alike.values():
        if len(names) > 1:
            yield (
                f"arms {', '.join(map(repr, names))} are one recipe: whatever tells them apart is "
                "chance (A/A); if that is not what is asked, change all but one"
            )


def claim_notes(study: Study) -> Iterator[str]:
    """Yield what should be known of a study's claims, in sentences.

    Fewer runs than any test takes decide nothing. Claims about one arm's value are tested by
    counting. All n searches (or runs, for winners) on
    one side give p = 2/2ⁿ, corrected for all claims of their kind (Holm): too few of them never
    come below the risk that the last look takes.

    Args:
        study: a first look has no verdicts, and so no notes.
    """
    bounds = [claim for claim in study.claims if isinstance(claim, Bound)]
    if study.first_look or not study.claims:
        return
    if few := too_few_runs(study):
        yield few
        return
    if not bounds:
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
