"""``Study.from_wandb``: what Weights & Biases exports, judged as a study; without its package.

Three kinds of files are understood: the CSV of a chart (a column ``<run> - <metric>`` for each
run), the CSV of the table of runs (a row for each run, with its config and last values), and the
history of single runs (``run.history()`` as JSON, CSV or parquet), a file for each run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from harness.analysis.results import Results
from harness.core.errors import SpecError
from harness.protocol.imported.columns import find_columns
from harness.protocol.imported.files import read_rows
from harness.protocol.imported.frame import Asked, judge_table, name_from
from harness.protocol.imported.options import named_options
from harness.protocol.imported.question import Claims

PATTERN = r"(?P<arm>.+?)[\s_-]+(?:seed|s)?[\s_=-]*(?P<seed>\d+)"
"""Names such as ``Adam-seed3``, ``Adam_3`` and ``Adam s=3``."""
_OF_A_CHART = re.compile(r"(?P<run>.+) - (?P<metric>.+)")
_BOUNDS = ("__MIN", "__MAX")
_ITS_OWN = {
    "name", "state", "notes", "user", "tags", "created", "runtime", "sweep", "id", "group",
    "job type", "updated", "end time", "hostname", "github", "description", "commit",
    "usedefaultlogging", "relative time (process)", "relative time (wall)", "wall time",
}  # fmt: skip
"""Columns of the table of runs that are of no config and no metric, in small letters."""


@named_options
def from_wandb(
    source: str | Path | Sequence[str | Path],
    *,
    arm: str | None = None,
    seed: str | None = None,
    search: str | None = None,
    pattern: str = PATTERN,
    name: str | None = None,
    question: str = "",
    claims: Claims = (),
    metric: str | None = None,
    metrics: Sequence[str] | None = None,
    larger_is_better: Mapping[str, bool] | None = None,
    store: str | None = None,
) -> Results:
    """Record runs that Weights & Biases exported as a study, and return its results.

    Args:
        source: a file, a folder of files, or several files; each holds a chart, the table of runs,
            or the history of the run that it is named after.
        arm: column that says which arm a run is of; by default its name says so.
        seed: column that tells an arm's runs apart; by default its name does.
        search: column that says which search tuned the run's settings, if any does.
        pattern: regular expression of runs' names with groups ``arm`` and ``seed``; ``Adam-seed3``
            and the like by default.
        name: of the study; the source's by default.
        question: in a sentence; the report opens with it.
        claims: what is tested.
        metric: what arms are ranked by.
        metrics: names of those that are read, as the files have them; by default all numbers that
            nothing else is said of.
        larger_is_better: of metrics that the harness does not know, whether more is better.
        store: MLflow tracking URI of the store that the study is recorded in.

    Raises:
        SpecError: a file can't be read, or its runs can't be told apart.
        StoreError: the store can't be reached or written.
    """
    files = _files(source)
    tables = [_long_enough(read_rows(file), file) for file in files]
    table = pd.concat(tables, ignore_index=True)
    if arm is None or seed is None:
        table = _named(table, pattern, arm, seed)
    told = {"arm": arm or "arm", "seed": seed or "seed", "search": search}
    table = table.drop(columns=["run"], errors="ignore")
    columns = find_columns(table, told, metrics)
    first = files[0] if len(files) == 1 else files[0].parent
    asked = Asked(
        name_from(name or first.stem),
        f"Weights & Biases, {first}",
        question,
        claims,
        metric,
        store,
        larger_is_better,
    )
    return judge_table(table, columns, asked)


def _files(source: str | Path | Sequence[str | Path]) -> list[Path]:
    """Return the files of a source, a folder's in the order of their names."""
    if not isinstance(source, (str, Path)):
        return [Path(file) for file in source]
    path = Path(source)
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.is_file())
    if not files:
        raise SpecError(f"{path}: expected files exported from Weights & Biases, got none")
    return files


def _long_enough(table: pd.DataFrame, file: Path) -> pd.DataFrame:
    """Return an export as a table with a column ``run``: long for charts, wide for the rest."""
    table = table.set_axis([str(column) for column in table.columns], axis=1)
    if any(_OF_A_CHART.fullmatch(column) for column in table.columns):
        return _chart(table)
    names = {column.lower(): column for column in table.columns}
    if "name" in names and "state" in names:
        own = [column for low, column in names.items() if low in _ITS_OWN]
        return table.drop(columns=own).assign(run=table[names["name"]])
    if "_step" not in table:
        raise SpecError(
            f"{file}: expected a chart (columns '<run> - <metric>'), the table of runs (columns "
            "Name and State) or a run's history (a column _step), got none of them"
        )
    history = table.rename(columns={"_step": "step"})
    own = [column for column in history.columns if column.startswith("_")]
    return history.drop(columns=own).assign(run=file.stem)


def _chart(table: pd.DataFrame) -> pd.DataFrame:
    """Return a chart's curves as a long table; its first column is the step."""
    step, parts = table.columns[0], []
    for column in table.columns[1:]:
        found = _OF_A_CHART.fullmatch(column)
        if found is None or column.endswith(_BOUNDS):
            continue
        values = table[column]
        own = {"step": table[step], "run": found["run"], "metric": found["metric"], "value": values}
        # a chart has a row for each step of any run
        parts.append(pd.DataFrame(own)[values.notna()])
    return pd.concat(parts, ignore_index=True)


def _named(table: pd.DataFrame, pattern: str, arm: str | None, seed: str | None) -> pd.DataFrame:
    """Return the table with arm and seed as the runs' names say, where no column is told."""
    names = [str(run) for run in table["run"].unique()] if "run" in table else []
    found = {run: re.fullmatch(pattern, run) for run in names}
    for run, match in found.items():
        if match is None:
            raise SpecError(
                f"run {run!r}: expected a name with arm and seed, such as Adam-seed3; name the "
                "columns that have them (arm=…, seed=…), or say how names are built (pattern=…)"
            )
    told = {"arm": arm, "seed": seed}
    for role in (role for role, column in told.items() if column is None):
        said = {run: match[role] for run, match in found.items() if match is not None}
        values = table["run"].astype(str).map(said)
        table = table.assign(**{role: values.astype(int) if values.str.isdigit().all() else values})
    return table
