"""The table of good trials: on each hyperparameter, the range of those close to an arm's best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from harness.analysis.results import Results
from harness.report.figures.sensitivity import SearchedValue, TrialPoint, hyperparameter_panels

NEAR_BEST = 0.1
"""Share of the best objective that a trial may be away from it to count as good."""


class NearBest(NamedTuple):
    """Where the good trials of an arm lie on one hyperparameter."""

    arm: str
    name: str
    """Path of the hyperparameter in the recipe."""
    best: SearchedValue
    """Its value in the best trial."""
    low: SearchedValue
    high: SearchedValue
    """Lowest and highest value of the good trials; for values without an order, the best one."""
    trials: int
    """How many good trials there are."""


def find_near_best(results: Results) -> tuple[NearBest, ...]:
    """Return a row for each hyperparameter and arm; none where nothing was searched.

    Good trials z are those with |z − z*| ≤ 0.1 |z*| for the arm's best objective z*.
    """
    search = results.study.search
    maximize = bool(search and search.maximize)
    return tuple(
        _near_best(arm, panel.name, points, maximize)
        for panel in hyperparameter_panels(results.study, results.trials)
        for arm, points in panel.points.items()
    )


def _near_best(arm: str, name: str, points: Sequence[TrialPoint], maximize: bool) -> NearBest:
    pick = max if maximize else min  # of equal objectives the first trial is the best
    best = pick(points, key=lambda point: point.objective)
    margin = NEAR_BEST * abs(best.objective)
    good = [point.value for point in points if abs(point.objective - best.objective) <= margin]
    numbers = [value for value in good if isinstance(value, (int, float))]
    if len(numbers) < len(good):  # some are names, which have no order
        return NearBest(arm, name, best.value, best.value, best.value, len(good))
    return NearBest(arm, name, best.value, min(numbers), max(numbers), len(good))
