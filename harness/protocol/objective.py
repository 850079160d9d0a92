"""The objective: the one number that a trial of the search is judged by.

It is computed alike at the end and at a rung, so that a pruner compares numbers of one kind. Only
validation or training metrics come here (``Search.objective``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.protocol.runs import Ended, MetricCurve, RunResult, SoFar
from harness.spec.search import Search


def objective_at_end(search: Search, results: Sequence[RunResult]) -> float:
    """Return a trial's objective: the mean over its runs, one for each search seed.

    Args:
        search: the metric, and how a run's curve becomes one number.
        results: the trial's runs; a single one that diverged makes the mean infinitely bad.
    """
    return _mean([_at_end(search, result.curve, result) for result in results])


def objective_so_far(search: Search, runs: Sequence[SoFar]) -> float:
    """Return a trial's objective at a rung.

    Args:
        search: how a curve becomes one number.
        runs: one for each search seed; one that has ended counts as at the end, one without an
            evaluation as infinitely bad.
    """
    return _mean(
        [
            reduce_curve(search, _values(run.curve), None, "finished")
            if run.ended is None
            else _at_end(search, run.curve, run.ended)
            for run in runs
        ]
    )


def _at_end(search: Search, curve: MetricCurve, ended: Ended | RunResult) -> float:
    """Return the objective of a run that has ended."""
    closing_value = ended.closing.get(search.objective)
    values = _values(curve)
    # a run that closed without the objective: at its end the metric was not defined, whatever it
    # had been before
    if ended.closing and closing_value is None and search.reduce == "final":
        values = []
    return reduce_curve(search, values, closing_value, ended.status)


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
