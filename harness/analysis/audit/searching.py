"""Checks of the search: its budget, its pruning, and whether it was long enough."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from harness.analysis.audit.finding import Finding, first_of
from harness.analysis.results import Results
from harness.spec.arms import build_arms

SETTLED_FROM = 4
"""Trials of an arm from which on half of them are asked for their leader, too."""


def unequal_budgets(results: Results) -> Iterator[Finding]:
    """Find arms that were tuned with fewer trials, or over more hyperparameters, than others.

    The better tuned arm may win for that alone. A grid's trials end with its points, and an arm
    without spaces has no trials.
    """
    counts = trials_by_arm(results)
    tuned = {arm: count for arm, count in counts.items() if count}
    if len(set(tuned.values())) > 1:
        listed = ", ".join(f"{arm}: {count}" for arm, count in tuned.items())
        yield Finding(
            "unequal budgets",
            f"trials by arm: {listed}",
            "give a grid as many points as there are trials",
        )
    untuned = [arm for arm, count in counts.items() if not count]
    if untuned and tuned:
        most = max(tuned.values())
        yield Finding(
            "unequal budgets",
            f"not tuned at all: {first_of(untuned)}, while {len(tuned)} arms had {most} trials",
            "tune every arm, or read their comparison as one of defaults against tuned settings",
        )
    sizes = [len(arm.recipe.spaces()) for arm in build_arms(results.study)]
    searched = [size for size in sizes if size]
    if len(set(searched)) > 1:
        yield Finding(
            "unequal budgets",
            f"arms have from {min(searched)} to {max(searched)} hyperparameters to tune "
            "with the same number of trials",
            "raise search.trials until the winner no longer changes with the budget",
        )


def trials_by_arm(results: Results) -> dict[str, int]:
    """Return how many trials each arm had in a search, the one with the fewest, in the arms' order;
    0 for those that were not tuned."""
    arms = build_arms(results.study)
    if not len(results.trials):
        return {arm.name: 0 for arm in arms}
    counts = results.trials.groupby(["arm", "search"]).size().groupby("arm").min()
    return {arm.name: int(counts.get(arm.name, 0)) for arm in arms}


def pruned_trials(results: Results) -> Iterator[Finding]:
    """Find trials that the pruner ended, which might have overtaken others later."""
    trials = results.trials
    pruned = trials[trials["status"] == "pruned"]
    if len(pruned):
        by_arm = ", ".join(f"{arm}: {count}" for arm, count in pruned.groupby("arm").size().items())
        yield Finding(
            "pruned trials",
            f"trials ended early: {by_arm}",
            "pruning favours settings that learn fast at first; check the winners with pruner none",
        )


def unsettled_ranking(results: Results) -> Iterator[Finding]:
    """Find a search whose leading arm changed in its second half: with more trials it may change
    again."""
    search = results.study.search
    counts = [count for count in trials_by_arm(results).values() if count]
    if search is None or len(counts) < 2 or min(counts) < SETTLED_FROM:
        return
    # by the arm with the fewest trials, so that all are compared at the same budget
    half = _leader(results.trials, min(counts) / 2, search.maximize)
    full = _leader(results.trials, min(counts), search.maximize)
    if half and half != full:
        yield Finding(
            "ranking not settled",
            f"after half of the trials {half} led on {search.objective}, after all of them {full}",
            "raise search.trials, or search.repeats so that a trial is judged over several seeds",
        )


def _leader(trials: pd.DataFrame, count: float, maximize: bool) -> str:
    """Return the arm whose best trial is best among the first ``count`` of each search, by the mean
    over searches; empty where none of them has a value.

    Args:
        trials: ``results.trials``; objectives that are missing are passed over.
        count: how many; a half counts as a whole trial more.
        maximize: whether larger objectives are better.
    """
    values = trials[trials["trial"] < count].groupby(["arm", "search"])["value"]
    best = (values.max() if maximize else values.min()).dropna().groupby("arm").mean()
    if best.empty:
        return ""
    return str(best.idxmax() if maximize else best.idxmin())
