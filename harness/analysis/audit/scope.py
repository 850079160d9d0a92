"""Checks of whom the verdicts speak of: the method, or the winners of a search or few."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from harness.analysis.audit.finding import Finding, first_of
from harness.analysis.audit.winners import EDGE, place_in
from harness.analysis.results import Results
from harness.analysis.values import values_of
from harness.spec.arms import Arm, build_arms
from harness.spec.space import Space
from harness.stats.design import ENOUGH_SEARCHES


def few_searches(results: Results) -> Iterator[Finding]:
    """Find studies that speak of methods by few searches, or of the winners of a single one."""
    study, searches = results.study, len(results.look.searches)
    if not study.tuned or study.first_look:
        return
    if searches == 1:
        yield Finding(
            "one search",
            "every arm was tuned once: verdicts are of these frozen recipes, and another search "
            "may freeze others",
            "set search.searches=5 to speak of the methods",
        )
    of_methods = study.scope == "method" or any(
        study.scope_of(claim) == "method" for claim in study.claims
    )
    if of_methods and 1 < searches < ENOUGH_SEARCHES:
        yield Finding(
            "few searches",
            f"verdicts on methods rest on {searches} searches, whose spread is hardly known",
            f"set search.searches={ENOUGH_SEARCHES} or more",
        )


def tied_winners(results: Results) -> Iterator[Finding]:
    """Find winning trials that were ahead of quite another one by less than a seed makes.

    Another seed would freeze another recipe, and so would another machine, whose sums are rounded
    otherwise. Where verdicts are of methods, several searches show what that does.
    """
    study, search = results.study, results.study.search
    if search is None or search.reduce != "final" or study.scope == "method":
        return
    tied = [arm.name for arm in build_arms(study) if _is_tied(results, arm, search.objective)]
    if tied:
        yield Finding(
            "tied winners",
            f"the winner led another recipe by less than a seed's spread in {first_of(tied)}",
            "set search.searches=5 to average over winners, or search.repeats=3 to choose them by "
            "more than one seed",
        )


def _is_tied(results: Results, arm: Arm, objective: str) -> bool:
    """Return whether an arm's winner, in any search, leads another recipe by less than noise."""
    search, spaces = results.study.search, arm.recipe.spaces()
    spread = _seed_spread(values_of(results, arm.name, objective))
    if search is None or not spaces or not np.isfinite(spread) or not len(results.trials):
        return False
    # a difference of two means of so many training seeds
    noise = spread * (2 / search.repeats) ** 0.5
    trials = results.trials[results.trials["arm"] == arm.name].dropna(subset=["value"])
    for _, own in trials.groupby("search"):
        order = own.sort_values("value", ascending=not search.maximize, kind="stable")
        best = order.iloc[0]
        near = order[(order["value"] - best["value"]).abs() < noise]
        if any(_far_apart(spaces, best, near.iloc[i]) for i in range(1, len(near))):
            return True
    return False


def _seed_spread(values_KS: np.ndarray) -> float:
    """Return the standard deviation within searches; NaN for a single run of each, and where one
    did not end well."""
    if values_KS.shape[1] < 2 or np.isinf(values_KS).any():
        return float("nan")
    return float(np.sqrt(values_KS.var(axis=1, ddof=1).mean()))


def _far_apart(spaces: dict[str, Space], one: pd.Series, other: pd.Series) -> bool:
    """Return whether two trials differ in a hyperparameter by more than searches can tell."""
    for path, space in spaces.items():
        if path not in one or path not in other:
            continue
        places = place_in(space, one[path]), place_in(space, other[path])
        if places[0] is None or places[1] is None:
            if one[path] != other[path]:
                return True
        elif abs(places[0] - places[1]) > EDGE:
            return True
    return False
