"""``Study.from_frame``: runs that were trained elsewhere, judged as the harness judges its own."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from harness.analysis.results import Results
from harness.core.errors import SpecError
from harness.core.metric_names import why_impossible
from harness.protocol.imported.columns import Columns, find_columns
from harness.protocol.imported.files import read_rows
from harness.protocol.imported.options import named_options
from harness.protocol.imported.pairing import place_runs
from harness.protocol.imported.question import (
    Claims,
    build_question,
    check_question,
    choose_judged,
    directions,
    metrics_of_runs,
    plain_claim,
)
from harness.protocol.imported.store import fingerprint_of, store_study
from harness.protocol.imported.tidy import ForeignRun, tidy_runs
from harness.spec.imported import Imported


class Asked(NamedTuple):
    """What is asked of imported runs, wherever they come from."""

    name: str
    """Of the study."""
    source: str
    """What the runs are read from, in words."""
    question: str = ""
    """In a sentence; the report opens with it."""
    claims: Claims = ()
    """What is tested."""
    metric: str | None = None
    """What arms are ranked by."""
    store: str | None = None
    """MLflow tracking URI of the store that they are recorded in."""
    larger_is_better: Mapping[str, bool] | None = None
    """Of metrics that the harness does not know, whether more is better."""


@named_options
def from_frame(
    table: pd.DataFrame | str | Path,
    *,
    arm: str | None = None,
    seed: str | None = None,
    search: str | None = None,
    step: str | None = None,
    epoch: str | None = None,
    samples: str | None = None,
    metric_column: str | None = None,
    value_column: str | None = None,
    name: str | None = None,
    question: str = "",
    claims: Claims = (),
    metric: str | None = None,
    metrics: Sequence[str] | None = None,
    larger_is_better: Mapping[str, bool] | None = None,
    store: str | None = None,
) -> Results:
    """Record runs that were trained elsewhere as a study, and return its results.

    Args:
        table: a row for each run, or for each step of a run; long (columns ``metric`` and
            ``value``) or wide (a column for each metric). Or the path of a CSV, TSV, parquet, JSON
            or JSON-lines file.
        arm: column that says which arm a run is of; by default the one called ``arm``, and so with
            the others.
        seed: column that tells an arm's runs apart; where there is none, each row is a run.
        search: column that says which search tuned the run's settings, if any does.
        step: column with the updates made.
        epoch: column with the passes over the training set made.
        samples: column with the training samples seen.
        metric_column: of a long table, the column with the metrics' names.
        value_column: of a long table, the column with their values.
        name: of the study; a file's own by default.
        question: in a sentence; the report opens with it.
        claims: what is tested, said before the numbers were looked at; mappings as in YAML may name
            metrics as the table does.
        metric: what arms are ranked by.
        metrics: names of those that are read, as the table has them; by default all, of a wide
            table all columns that nothing else is said of.
        larger_is_better: of metrics that the harness does not know, whether more is better, such as
            ``{"bleu": True}``.
        store: MLflow tracking URI; by default ``MLFLOW_TRACKING_URI``, or ``mlflow.db`` in the
            working folder.

    Returns:
        The study's results: ``verdicts()``, ``report(folder)`` and its tables.

    Raises:
        SpecError: the table can't be read as runs, or a claim does not fit it.
        StoreError: the store can't be reached or written.
    """
    source = "a table in memory"
    if not isinstance(table, pd.DataFrame):
        name, source, table = name or name_from(Path(table).stem), str(table), read_rows(table)
    if name is None:
        raise SpecError("name: expected a name for the study, got none")
    asked = Asked(name, source, question, claims, metric, store, larger_is_better)
    table = table.set_axis([str(column) for column in table.columns], axis=1)
    told = {"arm": arm, "seed": seed, "search": search, "step": step, "epoch": epoch}
    told |= {"samples": samples, "metric": metric_column, "value": value_column}
    return judge_table(table, find_columns(table, told, metrics), asked)


def judge_table(
    table: pd.DataFrame, columns: Columns, asked: Asked, notes: Sequence[str] = ()
) -> Results:
    """Record the runs of a table as a study, and return its results.

    Args:
        table: long or wide.
        columns: what its columns say.
        asked: what is asked of the runs.
        notes: what a reader should know of how the table came about.

    Raises:
        SpecError: the table can't be read as runs, or a claim does not fit it.
        StoreError: the store can't be reached or written.
    """
    tidy = tidy_runs(table, columns)
    claims = [plain_claim(claim) for claim in asked.claims]
    recorded = metrics_of_runs(tidy.runs)
    judged = choose_judged(asked.metric, claims, recorded)
    _check_possible(tidy.runs)
    said = directions(asked.larger_is_better or {}, tidy.names, recorded)
    # a sentence that names no metric is about what arms are ranked by
    claims = [{"on": judged, **claim} for claim in claims]
    placed = place_runs(tidy.runs)
    imported = Imported(
        source=asked.source,
        fingerprint=fingerprint_of(tidy.runs),
        searches=placed.searches,
        paired=placed.paired,
        names={column: own for column, own in tidy.names.items() if column != own},
        notes=(*notes, *tidy.notes),
    )
    arms = list(dict.fromkeys(run.arm for run in tidy.runs))
    steps = max((step for run in tidy.runs for step in run.positions), default=0)
    study = build_question(
        asked.name,
        asked.question,
        arms,
        placed.seeds,
        judged,
        claims,
        imported,
        max(1, steps),
        said,
    )
    whole = len(tidy.runs) == len(arms) * study.looks[-1].runs
    check_question(study, tidy.runs, whole)
    return store_study(study, tidy.runs, placed.places, asked.store)


def _check_possible(runs: Sequence[ForeignRun]) -> None:
    """Refuse values that their metrics can't have, such as accuracies in percent.

    Raises:
        SpecError: there is one.
    """
    for run in runs:
        curves = ((name, value) for name, own in run.curves.items() for value in own.values())
        for name, value in (*run.closing.items(), *curves):
            said = why_impossible(name, value) if math.isfinite(value) else ""
            if said:
                raise SpecError(f"arm {run.arm!r}, seed {run.seed}: {said}")


def name_from(text: str) -> str:
    """Return a name that a study can have, made of any text.

    >>> name_from("team/lr sweep (2)")
    'team-lr sweep -2-'
    """
    return re.sub(r"[^\w .-]", "-", text).lstrip(" .-")[:80] or "imported"
