"""``Study.from_mlflow``: runs that any program logged to MLflow, judged as a study."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from harness.analysis.results import Results
from harness.core.errors import SpecError, nearest
from harness.protocol.imported.columns import Columns
from harness.protocol.imported.frame import Asked, judge_table, name_from
from harness.protocol.imported.options import named_options
from harness.protocol.imported.question import Claims
from harness.tracking.foreign import LoggedRun, read_experiment


@named_options
def from_mlflow(
    experiment: str,
    *,
    uri: str | None = None,
    arm: str = "params.optimizer",
    seed: str | None = "params.seed",
    search: str | None = None,
    name: str | None = None,
    question: str = "",
    claims: Claims = (),
    metric: str | None = None,
    metrics: Sequence[str] | None = None,
    larger_is_better: Mapping[str, bool] | None = None,
    store: str | None = None,
) -> Results:
    """Record the runs of an MLflow experiment as a study of its own, and return its results.

    Runs that failed or were killed count as diverged; those that still run are left out.

    Args:
        experiment: its name; nothing is written to it.
        uri: MLflow tracking URI that has it; by default ``MLFLOW_TRACKING_URI``, or ``mlflow.db``
            in the working folder.
        arm: what says which arm a run is of: ``params.<name>`` or ``tags.<name>``.
        seed: what tells an arm's runs apart; None where nothing does and each run is one.
        search: what says which search tuned the run's settings, if anything does.
        name: of the study; "<experiment> judged" by default.
        question: in a sentence; the report opens with it.
        claims: what is tested.
        metric: what arms are ranked by.
        metrics: names of those that are read, as MLflow has them; all by default.
        larger_is_better: of metrics that the harness does not know, whether more is better.
        store: MLflow tracking URI of the store that the study is recorded in; by default as for
            ``uri``.

    Raises:
        SpecError: there is no such experiment, or its runs can't be read as arms and seeds.
        StoreError: a store can't be reached or written.
    """
    runs = read_experiment(experiment, uri)
    going = [run for run in runs if run.status in ("RUNNING", "SCHEDULED")]
    ended = [run for run in runs if run not in going]
    having = [run for run in ended if arm in run.fields]
    if not having:
        known = sorted({name for run in ended for name in run.fields})
        raise SpecError(f"arm: no run of {experiment!r} has {arm!r}: {nearest(arm, known)}")
    notes = []
    if going:
        notes.append(f"{len(going)} runs that had not ended are left out")
    if len(having) < len(ended):
        notes.append(f"{len(ended) - len(having)} runs without {arm} are left out")
    bad = [run for run in having if run.status != "FINISHED"]
    if bad:
        notes.append(f"{len(bad)} runs that failed or were killed count as diverged")
    names = _metrics_of(having, experiment, metrics)
    table = pd.DataFrame([row for run in having for row in _rows(run, arm, seed, search, names)])
    if not len(table):
        raise SpecError(f"expected runs with metrics in {experiment!r}, got none")
    asked = Asked(
        name_from(name or f"{experiment} judged"),
        f"MLflow experiment {experiment}",
        question,
        claims,
        metric,
        store,
        larger_is_better,
    )
    searched = "search" if search else None
    columns = Columns("arm", "seed", searched, "step", None, None, "metric", "value", ())
    return judge_table(table, columns, asked, notes)


def _metrics_of(
    runs: Sequence[LoggedRun], experiment: str, wanted: Sequence[str] | None
) -> Sequence[str]:
    """Return the names of the metrics that are read: those wanted, or all."""
    recorded = sorted({name for run in runs for name in run.curves})
    for name in wanted or ():
        if name not in recorded:
            raise SpecError(
                f"metrics: no run of {experiment!r} has {name!r}: {nearest(name, recorded)}"
            )
    return wanted or recorded


def _rows(
    run: LoggedRun, arm: str, seed: str | None, search: str | None, names: Sequence[str]
) -> list[dict[str, Any]]:
    """Return a run's rows of a long table."""
    own_seed = run.run_id if seed is None else _field(run, "seed", seed)
    place = {"arm": run.fields[arm], "seed": own_seed}
    if search is not None:
        place["search"] = _field(run, "search", search)
    rows = []
    for name in names:
        curve = run.curves.get(name, [])
        # of several values at a step the last one counts; a single one at step 0 has no step
        points: Mapping[float, float] = {step: value for step, value in curve}
        if [*points] == [0]:
            points = {math.nan: points[0]}
        if run.status != "FINISHED":
            points = {**points, math.nan: math.inf}  # NaN would be a cell that is empty
        rows += [
            {**place, "step": step, "metric": name, "value": value}
            for step, value in points.items()
        ]
    return rows


def _field(run: LoggedRun, role: str, name: str) -> str | int:
    """Return what a run has by a name; whole numbers as such."""
    if name not in run.fields:
        raise SpecError(
            f"{role}: run {run.run_id[:8]} has no {name!r}: {nearest(name, run.fields)}"
        )
    text = run.fields[name]
    return int(text) if text.isdigit() else text
