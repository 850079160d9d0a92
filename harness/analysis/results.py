"""A study's results as tidy pandas tables, read back from MLflow.

>>> from harness import results                      # doctest: +SKIP
>>> found = results.load("optimizers")               # doctest: +SKIP
>>> found.runs.groupby("arm")["test/loss"].mean()    # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from harness.core.registry import entry
from harness.spec.study import Study
from harness.tracking import Reader, RunCurves, TrainingRun

PLACE = ("run_id", "arm", "stage", "trial", "seed")
"""Columns that say where a run stands in the study."""


def load(study: str, uri: str | None = None) -> Results:
    """Return the results of a study by its name.

    Args:
        study: name of the study; a quick form has "-quick" after it.
        uri: MLflow tracking URI; by default ``MLFLOW_TRACKING_URI``, or ``mlflow.db`` in the working folder.

    Raises:
        StoreError: there is no such study, or it has not been run to its end.
    """
    reader = Reader.of(study, uri)
    return Results(reader, *reader.files())


class Results:
    """The tables of one study.

    Attributes:
        spec: the study as it was run, in plain form.
        winners: each arm's frozen recipe by arm: ``trial``, ``levels`` and ``recipe``.
        importances: share of each searched hyperparameter in reaching good trials, by arm (PED-ANOVA).
        clock: seconds of one update of each arm's frozen recipe alone, with what was measured beside, by arm.
        environment: commit, packages and hardware it was run with.
        runs: one row a run: ``run_id``, ``arm``, ``stage``, ``trial``, ``seed``, ``status``, ``key``, a column
            ``level.<factor>`` a factor, every setting (``optimizer.lr``, …), and every closing value (``valid/loss``,
            ``test/loss``, ``cost/seconds``, …). A run that diverged has no closing values.
        trials: one row a trial: ``arm``, ``trial``, ``status``, ``value`` (its objective) and the values searched.
        curves: one row an evaluation of a run: ``run_id``, ``arm``, ``stage``, ``trial``, ``seed``, ``step``, ``epoch``,
            ``samples`` and a column a metric.
    """

    def __init__(
        self,
        reader: Reader,
        spec: dict[str, Any],
        index: dict[str, Any],
        environment: dict[str, Any],
    ) -> None:
        self.reader, self.spec, self.environment = reader, spec, environment
        self.clock: dict[str, Any] = index.get("clock", {})
        self.winners: dict[str, Any] = index["winners"]
        self.importances: dict[str, dict[str, float]] = index["importances"]
        self.runs = _runs(index["runs"], {run.run_id: run for run in reader.runs()})
        self.trials = _trials(index["trials"])

    @cached_property
    def study(self) -> Study:
        """The study as a spec."""
        return Study.model_validate(self.spec)

    @cached_property
    def confirmed(self) -> pd.DataFrame:
        """The runs of the confirm stage."""
        return self.runs[self.runs["stage"] == "confirm"]

    @cached_property
    def by_arm(self) -> dict[str, pd.DataFrame]:
        """The runs of the confirm stage by arm, each indexed by seed."""
        return {
            str(arm): rows.set_index("seed").sort_index()
            for arm, rows in self.confirmed.groupby("arm", sort=False)
        }

    @property
    def searched(self) -> pd.DataFrame:
        """The runs of the search stage."""
        return self.runs[self.runs["stage"] == "search"]

    @cached_property
    def confirmed_curves(self) -> pd.DataFrame:
        """The curves of the confirm stage, with seconds where the clock has been read."""
        curves = self.curves_of(self.confirmed)
        pace = {arm: read["seconds"] for arm, read in self.clock.items()}
        curves["seconds"] = curves["step"] * curves["arm"].map(pace).astype(float)
        return curves

    @cached_property
    def curves(self) -> pd.DataFrame:
        """The curves of all runs."""
        return self.curves_of(self.runs)

    def curves_of(self, runs: pd.DataFrame, metrics: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the curves of some rows of ``runs``."""
        named = [*metrics, "epoch", "samples"] if metrics else None
        found = self.reader.curves(runs["run_id"], named)
        if not any(found.values()):
            return pd.DataFrame(columns=[*PLACE, "step", "epoch", "samples"])
        curves = _curve_table(found)
        measured = curves.dropna(subset=["epoch"])
        return runs[list(PLACE)].merge(measured, on="run_id", how="inner")

    def link(self, run_id: str) -> str:
        """Return where MLflow's UI shows a run: on the tracking server, or where ``harness ui`` serves it."""
        return self.reader.run_url(run_id)

    @property
    def figures(self) -> Any:
        """The report's figures as Plotly figures, such as ``results.figures.loss_curves()``; they lie a layer above."""
        return entry("results.figures")(self)

    def arrays(self, arm: str) -> dict[str, np.ndarray]:
        """Return the arrays that probes measured last, by name, of the arm's confirm runs: (seeds, …), by seed."""
        mine = self.by_arm[arm]
        having = mine[mine["arrays"] & ~mine["status"].isin(["diverged", "failed"])]
        found = [self.reader.arrays(str(run_id)) for run_id in having["run_id"]]
        names = [
            name for name in (found[0] if found else {}) if all(name in arrays for arrays in found)
        ]
        return {name: np.array([arrays[name] for arrays in found]) for name in names}


def _runs(index: Sequence[dict[str, Any]], recorded: dict[str, TrainingRun]) -> pd.DataFrame:
    rows = []
    for place in index:
        run = recorded.get(place["run_id"])
        params = run.params if run else {}
        own = {k: v for k, v in params.items() if k not in ("arm", "stage", "seed")}
        closing = run.closing if run else {}
        ended = {} if place["status"] in ("diverged", "failed") else closing
        costs = {k: v for k, v in closing.items() if k.startswith("cost/")}
        tags = {"detail": run.detail if run else "", "arrays": run is not None and run.has_arrays}
        rows.append({**place, **tags, **_numbers(own), **ended, **costs})
    return pd.DataFrame(rows)


def _numbers(params: dict[str, str]) -> dict[str, Any]:
    return {name: _number(text) for name, text in params.items()}


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return {"true": True, "false": False}.get(text, text)


def _trials(index: Sequence[dict[str, Any]]) -> pd.DataFrame:
    plain = [
        {**{k: v for k, v in trial.items() if k != "values"}, **trial["values"]} for trial in index
    ]
    return pd.DataFrame(plain, columns=None if plain else ["arm", "trial", "status", "value"])


def _curve_table(found: Mapping[str, RunCurves]) -> pd.DataFrame:
    """Return one row a run and step, and a column a metric."""
    names = sorted({name for points in found.values() for name in points})
    steps: list[np.ndarray] = []
    columns: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for points in found.values():
        own = {name: np.array(pairs, dtype=float).reshape(-1, 2) for name, pairs in points.items()}
        at = (
            np.unique(np.concatenate([pairs[:, 0] for pairs in own.values()]))
            if own
            else np.empty(0)
        )
        steps.append(at.astype(np.int64))
        for name in names:
            column = np.full(len(at), np.nan)
            if name in own:
                column[np.searchsorted(at, own[name][:, 0])] = own[name][:, 1]
            columns[name].append(column)
    run_ids = np.repeat(np.array([*found], dtype=object), [len(at) for at in steps])
    return pd.DataFrame(
        {
            "run_id": run_ids,
            "step": np.concatenate(steps),
            **{name: np.concatenate(parts) for name, parts in columns.items()},
        }
    )
