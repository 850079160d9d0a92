"""Means over an arm's runs: of every closing value with its interval, and of every curve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from harness.analysis.bounds import cut_to_bounds
from harness.analysis.ranking import mean_of
from harness.analysis.results import PLACE, Results
from harness.core.metric_names import describe
from harness.stats import Interval

_NO_METRICS = {*PLACE, "step", "seconds"}
"""Columns of a table of curves that are no curves."""


class ClosingMean(NamedTuple):
    """The mean of a closing value over an arm's runs that ended well."""

    interval: Interval
    """With a 95 % interval of its own, for the method or for the winners, as the study speaks."""
    runs: int
    """Runs that ended well and have the value."""


class MeanCurves(NamedTuple):
    """Means over an arm's runs that ended well, at the steps that all of them have."""

    curves: Mapping[str, list[tuple[int, float]]]
    """``(step, mean)`` in the order of the steps, by metric."""
    seconds: Mapping[int, float]
    """Seconds of training up to each step, by the arm's clock; empty where it has none."""


def closing_means(results: Results, arm: str) -> dict[str, ClosingMean]:
    """Return the mean of every closing value that any of an arm's runs has.

    Args:
        results: the study's tables.
        arm: name of the arm.
    """
    runs = results.by_arm[arm]
    well = runs[~runs["status"].isin(["diverged", "failed"])]
    means = {}
    for metric in results.closing:
        column = well[metric].astype(float).reindex(np.ravel(results.look.seeds))
        values_KS = column.to_numpy(dtype=float).reshape(results.look.shape)
        known = int(np.isfinite(values_KS).sum())
        if known:
            values_KS = np.where(np.isfinite(values_KS), values_KS, np.nan)
            described = describe(metric, results.declared)
            mean = cut_to_bounds(mean_of(values_KS, results.study.scope), described)
            means[metric] = ClosingMean(mean, known)
    return means


def mean_curves(results: Results) -> dict[str, MeanCurves]:
    """Return the mean curves of each arm.

    A step that some run lacks is left out: the mean of the others would jump there.

    Args:
        results: the study's tables.
    """
    curves = results.confirmed_curves
    bad = results.confirmed["status"].isin(["diverged", "failed"])
    well = curves[~curves["run_id"].isin(results.confirmed[bad]["run_id"])]
    return {
        str(arm): _means(own, own["run_id"].nunique())
        for arm, own in well.groupby("arm", sort=False)
    }


def _means(curves: pd.DataFrame, runs: int) -> MeanCurves:
    """Return the means of one arm's curves over its runs."""
    numbers = curves.drop(columns=[name for name in PLACE if name in curves])
    by_step = numbers.groupby("step", sort=True)
    means, counts = by_step.mean(), by_step.count()
    names = [name for name in means if name not in _NO_METRICS]
    whole = {
        str(name): means[name][counts[name] == runs]
        for name in names
        if (counts[name] == runs).any()
    }
    seconds = means["seconds"].dropna() if "seconds" in means else pd.Series(dtype=float)
    return MeanCurves(
        {name: _pairs(own) for name, own in whole.items()},
        dict(_pairs(seconds)),
    )


def _pairs(column: pd.Series) -> list[tuple[int, float]]:
    """Return ``(step, value)`` of a column that is indexed by steps."""
    steps, values = column.index.to_numpy(dtype=int), column.to_numpy(dtype=float)
    return list(zip(steps.tolist(), values.tolist(), strict=True))
