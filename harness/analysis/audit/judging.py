"""Checks of what arms are judged by, against what they were tuned for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from harness.analysis.audit.finding import Finding, first_of
from harness.analysis.ranking import choose_metric
from harness.analysis.results import Results
from harness.core.metric_names import recorded_sources
from harness.core.metric_table import DERIVED
from harness.spec.arms import Arm, build_arms
from harness.spec.claims import Claim
from harness.spec.search import Search


class _Judged(NamedTuple):
    """What some arms are compared by."""

    arms: tuple[str, ...]
    """Names of the arms."""
    metric: str
    by: str
    """In words."""
    timed: bool
    """Whether it is the time to a value of the metric that is judged."""


def tuned_for_another(results: Results) -> Iterator[Finding]:
    """Find tuned arms that are judged by another quantity than they were tuned for.

    The best rate for the last validation loss need not be the best for accuracy, or for reaching a
    target soon: an arm may lose for what it was not tuned for.
    """
    search = results.study.search
    if search is None or not results.study.tuned:
        return
    others = [
        judged.by for judged in _judged(results, tuned=True) if not _is_objective(judged, search)
    ]
    if others:
        how = {"final": "last", "best": "best", "mean": "mean"}[search.reduce]
        yield Finding(
            "tuned for another",
            f"arms were tuned for their {how} {search.objective} and are judged by "
            f"{first_of(list(dict.fromkeys(others)))}",
            "tune for what is judged (search.objective, search.reduce), or read the verdict as one "
            f"on arms tuned for {search.objective}",
        )


def judged_where_tuned(results: Results) -> Iterator[Finding]:
    """Find tuned arms that are judged on the part of the data that tuned them.

    Winners are chosen by how well they do on just these samples: their values there are too good,
    and more so for arms with more to choose from.
    """
    search = results.study.search
    if search is None or not results.study.tuned:
        return
    part = search.objective.partition("/")[0]
    on = [
        judged.by
        for judged in _judged(results, tuned=True)
        if any(source.startswith(f"{part}/") for source in recorded_sources(judged.metric))
    ]
    if on:
        yield Finding(
            "judged where tuned",
            f"judged on the {part} part, on which the winners were chosen: "
            f"{first_of(list(dict.fromkeys(on)))}",
            "judge on test data, which the search has not seen",
        )


def stopped_against_whole(results: Results) -> Iterator[Finding]:
    """Find arms that end at their best evaluation and are compared with others at their last.

    Early stopping keeps the weights of the best evaluation. On the data that it watches that is the
    minimum of a noisy curve, which is too good; on others it is a choice that the rest had not.
    """
    arms = build_arms(results.study)
    stopping = {arm.name for arm in arms if _stops_early(arm)}
    mixed = [
        judged.by
        for judged in _judged(results)
        if not judged.timed and stopping & set(judged.arms) and set(judged.arms) - stopping
    ]
    if mixed:
        yield Finding(
            "early-stopped against whole",
            f"{first_of(sorted(stopping))} ended at the best evaluation, others at the last, "
            f"compared by {first_of(list(dict.fromkeys(mixed)))}",
            "give all arms the same EarlyStopping, or read its choice as a part of the arm; judge "
            "on test data",
        )


def _judged(results: Results, tuned: bool = False) -> Iterator[_Judged]:
    """Yield what the claims and the ranking compare arms by.

    Args:
        results: the study's tables.
        tuned: leave out what compares arms of which none is tuned.
    """
    arms = build_arms(results.study)
    every = tuple(arm.name for arm in arms)
    judged = [_of_claim(claim, claim.arms or every) for claim in results.study.claims]
    if len(every) > 1:
        metric = choose_metric(results)
        judged.append(_Judged(every, metric, f"{metric} (the ranking)", timed=False))
    searched = {arm.name for arm in arms if arm.recipe.spaces()}
    yield from (own for own in judged if not tuned or searched & set(own.arms))


def _of_claim(claim: Claim, arms: tuple[str, ...]) -> _Judged:
    """Return what a claim compares arms by."""
    goal = claim.goal
    if goal is None:
        return _Judged(arms, claim.on, claim.on, timed=False)
    return _Judged(arms, goal.metric, f"{goal.unit} to {goal.metric} {goal.target:g}", timed=True)


def _is_objective(judged: _Judged, search: Search) -> bool:
    """Return whether what is judged is what was tuned for, on whichever part of the data."""
    word, _, rest = judged.metric.partition("/")
    derived = word if word in DERIVED and rest else "final"
    quantity = (rest if derived != "final" else judged.metric).partition("/")[2]
    best = "highest" if search.maximize else "lowest"
    tuned_by = {"final": "final", "best": best, "mean": "mean"}[search.reduce]
    same = quantity == search.objective.partition("/")[2]
    return not judged.timed and same and derived == tuned_by


def _stops_early(arm: Arm) -> bool:
    """Return whether an arm's runs end at their best evaluation."""
    return any(part.name == "EarlyStopping" for part in arm.recipe.regularizers)
