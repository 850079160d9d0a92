"""The numbers behind a metric's curves: centres with intervals, and every run.

Positions are held once an arm (``Band.positions``) and curves refer to them by index, so that the
page can switch between units without holding a curve twice. T is the number of points of a curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from harness.analysis.results import PLACE
from harness.core.metric_names import NOTHING_DECLARED, Declared, describe
from harness.core.metric_table import Description
from harness.report.thinning import POINTS_PER_CURVE, extremes
from harness.spec.looks import FEWEST_FOR_METHODS
from harness.stats import summaries

MAIN_METRICS = ("loss", "accuracy")
"""Metrics whose figures show training and held-out data together."""
CURVE_UNITS = ("epoch", "step", "samples", "seconds")
"""Units that a curve's horizontal axis can have; the first one there is is drawn first."""
_PARTS = ("train", "valid")

MOST_SINGLES = 30
"""Single runs of an arm that a figure has at most, evenly from all: more lines of one colour are an
area, which the interval shows better, and most of a page's bytes."""


class Single(NamedTuple):
    """One run's curve."""

    seed: int
    at: np.ndarray
    """Places of its points among the band's positions (T,)."""
    values: np.ndarray
    """(T,)."""


class Band(NamedTuple):
    """One arm's curves on one part of the data."""

    arm: str
    part: str
    """"train" or "valid"; empty for what is of neither."""
    positions: dict[str, np.ndarray]
    """Positions of all evaluations that any of the runs has, in order, by unit."""
    at: np.ndarray
    """Places of the centre's points among them (T,), as far as all runs go."""
    centres: dict[str, np.ndarray]
    """Centre, low and high (3, T) by "mean", "median" and "IQM" (interquartile mean), with infinite
    bounds where there are too few runs for any; empty where the runs have no step in common."""
    singles: tuple[Single, ...]


class MetricCurves(NamedTuple):
    """All arms' curves of one metric."""

    metric: str
    bands: tuple[Band, ...]
    units: tuple[str, ...] = CURVE_UNITS
    """Units that all of the runs have."""

    def without_runs(self) -> MetricCurves:
        """Return the centres alone."""
        return self._replace(bands=tuple(band._replace(singles=()) for band in self.bands))


def compute_curves(
    curves: pd.DataFrame,
    metric: str,
    arms: Sequence[str],
    points: int = POINTS_PER_CURVE,
    declared: Declared = NOTHING_DECLARED,
) -> MetricCurves | None:
    """Gather the runs of each arm, and their centre as far as all of its runs go.

    The centre and its interval are over runs, or, where there are enough searches to speak of
    methods, over the means of the searches.

    Args:
        curves: rows of :attr:`harness.analysis.results.Results.curves`, of the confirm stage.
        metric: such as "loss" for both parts of the data, or the full name of any other metric.
        arms: the arms in the order they are drawn.
        points: points of a single run's curve at most.
        declared: metrics that the study declares.

    Returns:
        None where no run of these arms recorded the metric.
    """
    units = units_of(curves)
    # a metric of neither part of the data is a column by its own name
    columns = {part: f"{part}/{metric}" for part in _PARTS if f"{part}/{metric}" in curves} or {
        "": metric
    }
    runs_of = dict(list(curves.groupby("arm", sort=False))) if len(curves) else {}
    bands = []
    for arm in arms:
        for part, column in columns.items():
            if arm not in runs_of or column not in runs_of[arm]:
                continue
            wanted = ["search", "seed", "step", *(unit for unit in units if unit != "step"), column]
            rows = runs_of[arm][wanted].dropna(subset=[column])
            if len(rows):
                known = describe(column, declared)
                bands.append(_band(arm, part, rows, column, units, points, known))
    return MetricCurves(metric, tuple(bands), units) if bands else None


def units_of(curves: pd.DataFrame) -> tuple[str, ...]:
    """Return the units that all runs have; there are no seconds where a clock was not read.

    Args:
        curves: rows of :attr:`harness.analysis.results.Results.curves`.
    """
    return tuple(unit for unit in CURVE_UNITS if unit in curves and curves[unit].notna().all())


def paired_metrics(curves: pd.DataFrame) -> list[str]:
    """Return the recipe's own metrics without the part of the data, by name: as for the loss, one
    figure shows both parts."""
    parts = [str(c).partition("/") for c in curves if curves[c].notna().any()]
    return sorted({name for part, _, name in parts if part in _PARTS} - {*MAIN_METRICS})


def other_metrics(curves: pd.DataFrame) -> list[str]:
    """Return the recorded metrics of neither part of the data, by name; columns without any value
    are no metrics of this study."""
    own = {*PLACE, *CURVE_UNITS}
    names = sorted(str(c) for c in curves if c not in own and curves[c].notna().any())
    return [name for name in names if name.partition("/")[0] not in _PARTS]


def most_runs(curves: pd.DataFrame) -> int:
    """Return how many runs the arm with the most of them has."""
    return int(curves.groupby("arm")["seed"].nunique().max()) if len(curves) else 0


def longest_curve(curves: pd.DataFrame) -> int:
    """Return the number of evaluations of the longest curve there is, 0 without any."""
    names = [str(c) for c in curves if c not in {*PLACE, *CURVE_UNITS}]
    if not names or not len(curves):
        return 0
    # an arm's curve is as long as there are steps at which any of its runs recorded the metric
    recorded = curves.groupby(["arm", "step"])[names].count() > 0
    return int(recorded.groupby("arm").sum().to_numpy().max())


def _band(
    arm: str,
    part: str,
    rows: pd.DataFrame,
    column: str,
    units: Sequence[str],
    points: int,
    known: Description,
) -> Band:
    """Return one arm's curves on one part of the data, each thinned to ``points`` by itself.

    Args:
        arm: name of the arm.
        part: part of the data; empty for a metric of neither.
        rows: evaluations of the arm's runs at which the metric was recorded.
        column: the metric's column.
        units: columns of positions.
        points: points of a single run's curve at most.
        known: what is known of the metric; intervals end where it does.
    """
    # one row a seed and step, or pivot() below would refuse
    rows = rows.sort_values("step", kind="stable").drop_duplicates(["seed", "step"])
    everywhere = rows.drop_duplicates("step").sort_values("step")
    steps = everywhere["step"].to_numpy()
    # a centre over fewer runs than before would jump where one run ends: it goes as far as all
    # runs go
    shared = rows.pivot(index="step", columns="seed", values=column).dropna()
    search_of = rows.drop_duplicates("seed").set_index("seed")["search"]
    if search_of.nunique() >= FEWEST_FOR_METHODS:
        shared = shared.T.groupby(search_of).mean().T
    centres = summaries(shared.to_numpy()) if len(shared) else {}
    at = np.searchsorted(steps, shared.index.to_numpy())
    # all three centres keep the points that the mean needs, since they share their positions
    kept = extremes(centres["mean"][0], POINTS_PER_CURVE) if centres else at
    singles = []
    runs = list(rows.groupby("seed"))
    for seed, run in runs[:: -(-len(runs) // MOST_SINGLES)]:
        run_at, values = np.searchsorted(steps, run["step"]), run[column].to_numpy()
        own = extremes(values, points)
        singles.append(Single(int(str(seed)), run_at[own], values[own]))
    return Band(
        arm,
        part,
        {unit: everywhere[unit].to_numpy(dtype=float) for unit in units},
        at[kept],
        {name: _cut(rows_3T[:, kept], known) for name, rows_3T in centres.items()},
        tuple(singles),
    )


def _cut(rows_3T: np.ndarray, known: Description) -> np.ndarray:
    """Return centres with intervals that end where the metric does; those of values that are not
    the metric's, and the infinite ones of too few runs, stay as they are."""
    centre_T, low_T, high_T = rows_3T
    if not all(map(known.holds, centre_T)):
        return rows_3T
    cut_2T = np.maximum(low_T, known.least), np.minimum(high_T, known.most)
    return np.where(np.isfinite(rows_3T), np.stack([centre_T, *cut_2T]), rows_3T)
