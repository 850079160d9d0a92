"""Loss or accuracy over training: mean and interval over seeds, and every seed on demand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from harness.report.style import Look, faint, label, layout, legend_height
from harness.stats import mean_interval

UNITS = ("epoch", "step", "samples", "seconds")


class Band(NamedTuple):
    """One arm's mean curve on one part of the data."""

    arm: str
    part: str
    """"train" or "valid"."""
    x: dict[str, np.ndarray]
    """Positions of the evaluations by unit."""
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    seeds: tuple[tuple[int, dict[str, np.ndarray], np.ndarray], ...]
    """``(seed, positions by unit, values)`` of each run."""


class Curves(NamedTuple):
    """All arms' curves of one metric."""

    metric: str
    bands: tuple[Band, ...]
    units: tuple[str, ...] = UNITS
    """Units that all of the runs have."""


def compute_curves(curves: pd.DataFrame, metric: str, arms: Sequence[str]) -> Curves:
    """Average the runs of each arm over seeds, as far as all of its runs go.

    Args:
        curves: rows of :attr:`harness.results.Results.curves`, of the confirm stage.
        metric: "loss" or "accuracy".
        arms: the arms in the order they are drawn.
    """
    units = tuple(unit for unit in UNITS if unit in curves and curves[unit].notna().all())
    found = [
        _band(curves[curves["arm"] == arm], arm, part, f"{part}/{metric}", units)
        for arm in arms
        for part in ("train", "valid")
        if f"{part}/{metric}" in curves
    ]
    return Curves(metric, tuple(band for band in found if band is not None), units)


def _band(mine: pd.DataFrame, arm: str, part: str, column: str, chosen: Sequence[str]) -> Band | None:
    mine = mine.dropna(subset=[column])
    if mine.empty:
        return None
    runs = {int(str(seed)): group.sort_values("step") for seed, group in mine.groupby("seed")}
    table = mine.pivot_table(index="step", columns="seed", values=column).dropna()
    units = mine.drop_duplicates("step").set_index("step").loc[table.index]
    intervals = np.array([mean_interval(row) for row in table.to_numpy()]).reshape(-1, 3)
    low, high = (np.where(np.isfinite(side), side, intervals[:, 0]) for side in intervals.T[1:])
    seeds = tuple((seed, _positions(g, chosen), g[column].to_numpy()) for seed, g in runs.items())
    return Band(arm, part, _positions(units.reset_index(), chosen), intervals[:, 0], low, high, seeds)


def _positions(rows: pd.DataFrame, units: Sequence[str]) -> dict[str, np.ndarray]:
    return {unit: rows[unit].to_numpy(dtype=float) for unit in units}


def plot_curves(data: Curves, looks: dict[str, Look]) -> go.Figure:
    """Draw means with bands; held-out solid, training thin and dotted; single seeds hidden until asked for."""
    figure = go.Figure()
    for band in data.bands:
        for trace in _traces(band, looks[band.arm], data.metric):
            figure.add_trace(trace)
    figure.update_layout(
        layout(
            xaxis={"title": {"text": "epoch"}},
            yaxis={"title": {"text": data.metric}, "type": "log" if data.metric == "loss" and _positive(data) else "linear"},
            height=440 + legend_height(len({band.arm for band in data.bands})),
            hovermode="closest",
        )
    )
    return figure


def _positive(data: Curves) -> bool:
    return all((band.mean > 0).all() for band in data.bands)


def _traces(band: Band, look: Look, metric: str) -> list[go.Scatter]:
    held = band.part == "valid"
    name = label(band.arm, 40)
    line = {"color": look.colour, "dash": look.dash if held else "dot", "width": 2.2 if held else 1.2}
    hover = f"%{{x:.5g}}: %{{y:.5g}}<extra>{name}, {band.part}/{metric}</extra>"
    positive = np.maximum(band.low, np.min(band.mean) * 0.2) if metric == "loss" else band.low
    around = {u: np.concatenate([x, x[::-1]]) for u, x in band.x.items()}
    shown = {"legendgroup": band.arm, "name": name, "showlegend": False, "visible": held}
    area = go.Scatter(
        x=around["epoch"],
        y=np.concatenate([band.high, positive[::-1]]),
        fill="toself",
        mode="lines",
        hoverinfo="skip",
        line={"width": 0, "color": look.colour},
        fillcolor=faint(look.colour, 0.15),
        meta=_meta("band", band, around),
        **shown,
    )
    mean = go.Scatter(
        x=band.x["epoch"],
        y=band.mean,
        mode="lines",
        line=line,
        hovertemplate=hover,
        meta=_meta("mean", band, band.x),
        **(shown | {"showlegend": held}),
    )
    singles = [
        go.Scatter(
            x=x["epoch"],
            y=values,
            mode="lines",
            line={"color": faint(look.colour, 0.55), "width": 0.8},
            hovertemplate=f"%{{x:.5g}}: %{{y:.5g}}<extra>{name}, seed {seed}, {band.part}</extra>",
            meta=_meta("seed", band, x),
            **(shown | {"visible": False}),
        )
        for seed, x, values in band.seeds
    ]
    return [area, mean, *singles]


def _meta(kind: str, band: Band, x: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return what the page's switches need: the kind of trace, its part, its arm, and x in every unit."""
    return {
        "kind": kind,
        "part": band.part,
        "arm": band.arm,
        "x": {u: [round(float(v), 6) for v in values] for u, values in x.items()},
    }
