"""A metric over training: mean, median or interquartile mean with its interval, and every seed on demand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from harness.report.style import Look, faint, label, layout, legend_height
from harness.report.thin import extremes, short
from harness.stats import summaries

UNITS = ("epoch", "step", "samples", "seconds")
PARTS = ("train", "valid")
POINTS = 200
"""Points of a curve at most; longer ones keep the lowest and the highest of every stretch."""


class Single(NamedTuple):
    """One run's curve."""

    seed: int
    at: np.ndarray
    """Places of its points among the band's positions."""
    values: np.ndarray


class Band(NamedTuple):
    """One arm's curves on one part of the data."""

    arm: str
    part: str
    """"train" or "valid"; empty for what is of neither."""
    positions: dict[str, np.ndarray]
    """Positions of the evaluations of the longest run by unit."""
    at: np.ndarray
    """Places of the centre's points among them, as far as all runs go."""
    centres: dict[str, np.ndarray]
    """Centre, low and high (3, T) by "mean", "median" and "IQM"."""
    singles: tuple[Single, ...]


class Curves(NamedTuple):
    """All arms' curves of one metric."""

    metric: str
    bands: tuple[Band, ...]
    units: tuple[str, ...] = UNITS
    """Units that all of the runs have."""
    thinned: bool = False
    """Whether points were left out."""


def compute_curves(
    curves: pd.DataFrame, metric: str, arms: Sequence[str], points: int = POINTS
) -> Curves:
    """Gather the runs of each arm, and their centre over seeds as far as all of its runs go.

    Args:
        curves: rows of :attr:`harness.analysis.results.Results.curves`, of the confirm stage.
        metric: "loss" or "accuracy" for both parts of the data, or the whole name of any other metric.
        arms: the arms in the order they are drawn.
        points: points of a curve at most.
    """
    units = tuple(unit for unit in UNITS if unit in curves and curves[unit].notna().all())
    columns = {part: f"{part}/{metric}" for part in PARTS if f"{part}/{metric}" in curves} or {
        "": metric
    }
    groups = dict(list(curves.groupby("arm", sort=False))) if len(curves) else {}
    kept = [
        (
            arm,
            part,
            groups[arm][["seed", "step", *(u for u in units if u != "step"), column]].dropna(
                subset=[column]
            ),
        )
        for arm in arms
        for part, column in columns.items()
        if arm in groups and column in groups[arm]
    ]
    bands = tuple(
        _band(arm, part, rows, columns[part], units, points)
        for arm, part, rows in kept
        if len(rows)
    )
    longest = max((len(next(iter(b.positions.values()))) for b in bands), default=0)
    return Curves(metric, bands, units, longest > points)


def _band(
    arm: str, part: str, rows: pd.DataFrame, column: str, units: Sequence[str], points: int
) -> Band:
    rows = rows.sort_values("step", kind="stable").drop_duplicates(["seed", "step"])
    runs = {int(str(seed)): run for seed, run in rows.groupby("seed")}
    everywhere = rows.drop_duplicates("step").sort_values("step")
    steps = everywhere["step"].to_numpy()
    shared = rows.pivot(index="step", columns="seed", values=column).dropna()
    centres = summaries(shared.to_numpy()) if len(shared) else {}
    at = np.searchsorted(steps, shared.index.to_numpy())
    kept = extremes(centres["mean"][0], points) if centres else at
    return Band(
        arm,
        part,
        {unit: everywhere[unit].to_numpy(dtype=float) for unit in units},
        at[kept],
        {name: found[:, kept] for name, found in centres.items()},
        tuple(
            _single(seed, np.searchsorted(steps, r["step"]), r[column].to_numpy(), points)
            for seed, r in runs.items()
        ),
    )


def _single(seed: int, at: np.ndarray, values: np.ndarray, points: int) -> Single:
    kept = extremes(values, points)
    return Single(seed, at[kept], values[kept])


def plot_curves(data: Curves, looks: dict[str, Look]) -> go.Figure:
    """Draw centres with bands; held-out solid, training thin and dotted; single seeds hidden until asked for."""
    return go.Figure(plain_curves(data, looks))


def plain_curves(data: Curves, looks: dict[str, Look]) -> dict[str, Any]:
    """Return the figure as plain data, without the checks of every number that Plotly makes."""
    unit = data.units[0] if data.units else "step"
    return {
        "data": [
            trace for band in data.bands for trace in _traces(band, looks[band.arm], data.metric)
        ],
        "layout": layout(
            xaxis={"title": {"text": unit}},
            yaxis={
                "title": {"text": label(data.metric)},
                "type": "log" if _spans_decades(data) else "linear",
            },
            height=440 + legend_height(len({band.arm for band in data.bands})),
            hovermode="closest",
        ),
    }


def _spans_decades(data: Curves) -> bool:
    """Return whether the axis should be logarithmic: all means above 0, and a loss or a wide range."""
    means = [band.centres["mean"][0] for band in data.bands if band.centres]
    if not means or not all((mean > 0).all() for mean in means):
        return False
    return data.metric == "loss" or max(m.max() for m in means) > 30 * min(m.min() for m in means)


def _traces(band: Band, look: Look, metric: str) -> list[dict[str, Any]]:
    held = band.part != "train"
    name = label(band.arm, 40)
    of = f"{band.part}/{metric}" if band.part else metric
    shown = {
        "type": "scatter",
        "legendgroup": band.arm,
        "name": name,
        "showlegend": False,
        "visible": held,
        "mode": "lines",
    }
    place = {"part": band.part, "arm": band.arm}
    x = next(iter(band.positions.values()))
    singles = [
        dict(
            x=short(x[single.at]),
            y=short(single.values),
            line={"color": faint(look.colour, 0.55), "width": 0.8},
            hovertemplate=f"%{{x:.5g}}: %{{y:.5g}}<extra>{name}, seed {single.seed}, {label(of)}</extra>",
            meta={"kind": "seed", "at": _places(single.at), **place},
            **(shown | {"visible": False}),
        )
        for single in band.singles
    ]
    return [*_centre(band, look, shown, place, of), *singles]


def _centre(
    band: Band, look: Look, shown: dict[str, Any], place: dict[str, str], of: str
) -> list[dict[str, Any]]:
    held = band.part != "train"
    centre, low, high = band.centres.get("mean", np.empty((3, 0)))
    x = next(iter(band.positions.values()))[band.at]
    bottom = np.maximum(low, centre.min() * 0.2) if len(centre) and (centre > 0).all() else low
    area = dict(
        x=short(np.concatenate([x, x[::-1]])),
        y=short(np.concatenate([high, bottom[::-1]])),
        fill="toself",
        hoverinfo="skip",
        line={"width": 0, "color": look.colour},
        fillcolor=faint(look.colour, 0.15),
        meta={"kind": "band", **place},
        **shown,
    )
    line = dict(
        x=short(x),
        y=short(centre),
        line={
            "color": look.colour,
            "dash": look.dash if held else "dot",
            "width": 2.2 if held else 1.2,
        },
        hovertemplate=f"%{{x:.5g}}: %{{y:.5g}}<extra>{shown['name']}, {label(of)}</extra>",
        meta={
            "kind": "mean",
            "at": _places(band.at),
            "positions": {unit: short(values) for unit, values in band.positions.items()},
            "centres": {name: [short(row) for row in rows] for name, rows in band.centres.items()},
            **place,
        },
        **(shown | {"showlegend": held}),
    )
    return [area, line]


def _places(at: np.ndarray) -> list[int] | None:
    """Return the places, or None if they are the first ones without a gap."""
    return None if len(at) == 0 or at[-1] == len(at) - 1 else [int(i) for i in at]
