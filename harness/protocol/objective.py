"""The objective: the one number that a trial of the search is judged by.

It is computed alike at the end and at a rung, so that a pruner compares numbers of one kind. Only
validation or training metrics come here (``Search.objective``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.protocol.runs import MetricCurve, RunResult
from harness.spec.search import Search


def objective_at_end(search: Search, results: Sequence[RunResult]) -> float:
    """Return a trial's objective: the mean over its runs, one for each search seed.

    Args:
        search: the metric, and how a run's curve becomes one number.
        results: the trial's runs; a single one that diverged makes the mean infinitely bad.
    """
    values = []
    for result in results:
        closing_value = result.closing.get(search.objective)
        values.append(reduce_curve(search, _values(result.curve), closing_value, result.status))
    return _mean(values)


def objective_so_far(search: Search, curves: Sequence[MetricCurve]) -> float:
    """Return a trial's objective from its runs' curves up to a rung.

    Args:
        search: how a curve becomes one number.
        curves: one for each search seed; an empty one counts as infinitely bad.
    """
    return _mean([reduce_curve(search, _values(curve), None, "finished") for curve in curves])


def reduce_curve(
    search: Search, values: Sequence[float], closing_value: float | None, status: str
) -> float:
    """Return one run's objective.

    Args:
        search: says whether the last value, the best one or the mean counts, and which way.
        values: the metric at each evaluation.
        closing_value: the metric of the weights that training ended with. It goes before the last
            of ``values``, since early stopping ends a run with its best weights.
        status: how the run ended.

    Returns:
        The objective; infinitely bad for a run that diverged, failed, or has no values.
    """
    if status in ("diverged", "failed") or not values:
        return -math.inf if search.maximize else math.inf
    if search.reduce == "final":
        return values[-1] if closing_value is None else closing_value
    if search.reduce == "best":
        return max(values) if search.maximize else min(values)
    return _mean(values)


def _values(curve: MetricCurve) -> list[float]:
    return [value for _, value in curve]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
