"""Which run may have been meant by an id that no run has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.errors import did_you_mean

if TYPE_CHECKING:  # MLflow is imported after it is configured
    from mlflow import MlflowClient
    from mlflow.entities import Run

NEWEST_RUNS = 1000
"""Runs that are looked at: a store may have ten thousands, and a mistyped id is mostly of a recent
one."""
SHORTEST_BEGINNING = 4
"""Characters that the beginning of an id needs to have: fewer would fit some run by chance."""


def near_run(client: MlflowClient, given: str) -> str:
    """Return the end of an error message about a run that is not there.

    Args:
        client: of the store.
        given: what stands where a run's id was expected: a part of one, a misspelt one, or a name.

    Returns:
        The id and name of the run that was meant, if it can be told; else where ids are found.
    """
    experiments = [each.experiment_id for each in client.search_experiments()]
    runs = list(client.search_runs(experiments, max_results=NEWEST_RUNS)) if experiments else []
    for fits in (_begins, _is_called):
        if found := [run for run in runs if fits(run, given)]:
            return _question(found)
    if hint := did_you_mean(
        given, [run.info.run_id for run in runs if len(given) > SHORTEST_BEGINNING]
    ):
        return hint
    return "the report's table of runs and MLflow's UI have the ids of runs"


def _begins(run: Run, given: str) -> bool:
    return len(given) >= SHORTEST_BEGINNING and run.info.run_id.startswith(given.lower())


def _is_called(run: Run, given: str) -> bool:
    return str(run.info.run_name).casefold() == given.casefold()


def _question(runs: list[Run]) -> str:
    first = runs[0].info
    more = f", or another of {len(runs)} that it fits" if len(runs) > 1 else ""
    return f"did you mean {first.run_id!r} ({first.run_name}){more}?"
