"""``Study.from_frame``: runs that were trained elsewhere, judged as the harness judges its own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from harness.analysis.results import Results
from harness.core.errors import SpecError
from harness.protocol.imported.columns import Columns, find_columns
from harness.protocol.imported.files import read_rows
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
from harness.protocol.imported.tidy import tidy_runs
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


def from_frame(
    table: pd.DataFrame | str | Path,
    *,
    name: str | None = None,
    question: str = "",
    claims: Claims = (),
    metric: str | None = None,
    metrics: Sequence[str] | None = None,
    larger_is_better: Mapping[str, bool] | None = None,
    store: str | None = None,
    **columns: str | None,
) -> Results:
    """Record runs that were trained elsewhere as a study, and return its results.

    Args:
        table: a row for each run, or for each step of a run; long (columns ``metric`` and
            ``value``) or wide (a column for each metric). Or the path of a CSV or parquet file.
        name: of the study; a file's own by default.
        question: in a sentence; the report opens with it.
        claims: what is tested, said before the numbers were looked at; mappings as in YAML may name
            metrics as the table does.
        metric: what arms are ranked by.
        metrics: the columns of a wide table that are metrics; all that nothing else is said of by
            default.
        larger_is_better: of metrics that the harness does not know, whether more is better, such as
            ``{"bleu": True}``.
        store: MLflow tracking URI; by default ``MLFLOW_TRACKING_URI``, or ``mlflow.db`` in the
            working folder.
        columns: names of columns that are called otherwise: ``arm``, ``seed``, ``search``,
            ``step``, ``epoch``, ``samples``, ``metric_column``, ``value_column``.

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
    return judge_table(table, find_columns(table, _roles(columns), metrics), asked)


def _roles(columns: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return the columns that were told by their roles."""
    known = ("arm", "seed", "search", "step", "epoch", "samples", "metric_column", "value_column")
    for option in columns:
        if option not in known:
            raise SpecError(f"{option}: unknown option; columns are {', '.join(known)}")
    return {option.removesuffix("_column"): column for option, column in columns.items()}


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


def name_from(text: str) -> str:
    """Return a name that a study can have, made of any text.

    >>> name_from("team/lr sweep (2)")
    'team-lr sweep -2-'
    """
    return re.sub(r"[^\w .-]", "-", text).lstrip(" .-")[:80] or "imported"
