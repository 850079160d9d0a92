"""One number a seed: closing values, and numbers derived of them or of the curves."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from harness.analysis.results import Results
from harness.spec.claims import larger_is_better


def values_of(
    results: Results,
    arm: str,
    metric: str,
    seeds: Sequence[int] | None = None,
    maximize: bool | None = None,
) -> tuple[float, ...]:
    """Return an arm's values of a metric, by seed; a run that diverged or failed counts as the worst there is.

    Args:
        results: the study's tables.
        arm: name of the arm.
        metric: a closing value (``test/loss``), a gap (``gap/loss``), ``order/valid``, or ``start/``, ``lowest/``,
            ``highest/`` or ``mean/`` before the name of a curve.
        seeds: the seeds in the order wanted; all of the confirm stage by default.
        maximize: whether larger is better, which says what the worst is; by default as for the metric by itself.
    """
    mine = results.by_arm[arm]
    bad = mine["status"].isin(["diverged", "failed"])
    column = closing(results, metric, mine).where(~bad, _worst(metric, maximize))
    wanted = list(mine.index) if seeds is None else list(seeds)
    return tuple(float(v) if pd.notna(v) else math.nan for v in column.reindex(wanted))


def _worst(metric: str, maximize: bool | None) -> float:
    if larger_is_better(metric) and maximize is not False:
        return 0.0
    return -math.inf if maximize else math.inf


def closing(results: Results, metric: str, mine: pd.DataFrame) -> pd.Series:
    """Return the metric of the given runs, which are indexed by seed."""
    kind, _, name = metric.partition("/")
    if metric in mine:
        return mine[metric]
    if kind == "gap":
        sign = -1 if name == "accuracy" else 1
        return sign * (
            closing(results, f"test/{name}", mine) - closing(results, f"train/{name}", mine)
        )
    if kind in OVER_CURVE:
        return _over_curve(results, OVER_CURVE[kind], [name], mine)
    if kind == "order":
        return _over_curve(results, _rank_correlation, [f"{name}/loss", f"{name}/accuracy"], mine)
    return pd.Series(math.nan, index=mine.index)


OVER_CURVE: dict[str, Callable[[pd.DataFrame], float]] = {
    "start": lambda curve: float(curve.to_numpy()[0, 0]),
    "lowest": lambda curve: float(curve.iloc[:, 0].min()),
    "highest": lambda curve: float(curve.iloc[:, 0].max()),
    "mean": lambda curve: float(curve.iloc[:, 0].mean()),
}


def _over_curve(
    results: Results, reduce: Callable[[pd.DataFrame], float], names: list[str], mine: pd.DataFrame
) -> pd.Series:
    curves = results.confirmed_curves
    if not set(names) <= set(curves.columns):
        return pd.Series(math.nan, index=mine.index)
    own = curves[curves["run_id"].isin(mine["run_id"])].sort_values("step").dropna(subset=names)
    found = {str(run_id): reduce(rows[names]) for run_id, rows in own.groupby("run_id")}
    return mine["run_id"].map(found)


def _rank_correlation(curve: pd.DataFrame) -> float:
    """Return Spearman's ρ of two columns; 0 where one of them never changes."""
    if len(curve) < 3 or (curve.nunique() < 2).any():
        return 0.0
    return float(np.corrcoef(curve.rank().to_numpy().T)[0, 1])
