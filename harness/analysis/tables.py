"""What a store has of a study's runs, trials and curves, as pandas tables."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.core.lazy import Lazy
from harness.core.study_record import RunEntry, TrialEntry
from harness.tracking import RunCurves, TrainingRun

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = Lazy("pandas")  # a study begins without its tables

Setting = float | bool | str
"""A recipe's setting as it is read from MLflow's text: numbers are floats, whole ones too."""


def run_table(entries: Sequence[RunEntry], recorded: Mapping[str, TrainingRun]) -> pd.DataFrame:
    """Return one row a run: its place, its settings and its closing values, both by name: a store
    gives them in any order, and a run that was sent in two pieces in another one.

    Args:
        entries: the runs that answer the study, which say which rows there are, and in what order.
        recorded: what the store has, by run id; runs of earlier forms of the study among them.
    """
    rows = [_run_row(run_entry, recorded.get(run_entry.run_id)) for run_entry in entries]
    return pd.DataFrame(rows)


def closing_names(
    entries: Sequence[RunEntry], recorded: Mapping[str, TrainingRun]
) -> tuple[str, ...]:
    """Return the names of the closing values that any of some runs has."""
    runs = (recorded.get(run_entry.run_id) for run_entry in entries)
    return tuple(sorted({name for run in runs if run for name in run.closing}))


def _run_row(run_entry: RunEntry, run: TrainingRun | None) -> dict[str, object]:
    """Return a run's row; one that the store lost has its place alone."""
    place = run_entry.to_plain()
    if run is None:
        return {**place, "detail": "", "arrays": False}
    # MLflow's parameters name seed, stage and arm too, as text: the record's own values stay
    settings = {name: _parsed(text) for name, text in run.params.items() if name not in place}
    closing = run.closing
    if run_entry.status in ("diverged", "failed"):  # what it closed with would be read as a result
        closing = {name: v for name, v in closing.items() if name.startswith("cost/")}
    known = {"detail": run.detail, "arrays": run.has_arrays}
    return {**place, **known, **dict(sorted(settings.items())), **dict(sorted(closing.items()))}


def _parsed(text: str) -> Setting:
    """Return the value that MLflow keeps as text.

    >>> _parsed("0.1"), _parsed("true"), _parsed("Adam")
    (0.1, True, 'Adam')
    """
    try:
        return float(text)
    except ValueError:
        return {"true": True, "false": False}.get(text, text)


def trial_table(entries: Sequence[TrialEntry]) -> pd.DataFrame:
    """Return one row a trial, with a column for each value searched.

    A value that a column of a table can't tell from others, None or a list or mapping, stands as
    its JSON text: ``null`` is a value that was tried, NaN one that the arm did not search.
    """
    if not entries:
        return pd.DataFrame(columns=["arm", "search", "trial", "status", "value"])
    rows = []
    for trial in entries:
        place = {"arm": trial.arm, "search": trial.search, "trial": trial.trial}
        values = {path: _in_table(value) for path, value in trial.values.items()}
        rows.append({**place, "status": trial.status, "value": trial.value, **values})
    return pd.DataFrame(rows)


def _in_table(value: object) -> object:
    return value if isinstance(value, (str, int, float)) else json.dumps(value)


def curve_table(by_run: Mapping[str, RunCurves]) -> pd.DataFrame:
    """Return one row a run and step, and a column a metric; NaN where it was not measured at the
    step.

    Built column by column in NumPy, without a table of single points in between: a large study has
    millions of them.
    """
    names = sorted({name for curves in by_run.values() for name in curves})
    steps: list[np.ndarray] = []
    columns: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for curves in by_run.values():
        # (points, 2): step and value of each point
        points = {name: np.array(c, dtype=float).reshape(-1, 2) for name, c in curves.items()}
        own_steps = _all_steps(points.values())
        steps.append(own_steps.astype(np.int64))
        for name in names:
            column = np.full(len(own_steps), np.nan)
            if name in points:
                # own_steps holds each of the metric's steps, so that the search finds its place
                column[np.searchsorted(own_steps, points[name][:, 0])] = points[name][:, 1]
            columns[name].append(column)
    run_ids = np.repeat(np.array([*by_run], dtype=object), [len(own) for own in steps])
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    return pd.DataFrame({"run_id": run_ids, "step": np.concatenate(steps), **joined})


def _all_steps(points: Collection[np.ndarray]) -> np.ndarray:
    """Return the steps (S,) at which a run measured anything, rising; each once.

    Args:
        points: (points, 2) for each metric, steps in the first column.
    """
    return np.unique(np.concatenate([own[:, 0] for own in points])) if points else np.empty(0)
