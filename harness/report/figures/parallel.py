"""Parallel coordinates: the searched values of every trial and its objective, one arm at a time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from harness.report.style import label, layout
from harness.spec.plan import arms
from harness.spec.space import LogUniform
from harness.spec.study import Study


class Axis(NamedTuple):
    """One vertical axis."""

    title: str
    values: np.ndarray
    ticks: tuple[tuple[float, str], ...]
    """Positions and texts; empty where the numbers speak for themselves."""


class Parallel(NamedTuple):
    """The axes of each arm, the objective last."""

    arms: dict[str, tuple[Axis, ...]]


def compute_parallel(study: Study, trials: pd.DataFrame) -> Parallel:
    """Gather each arm's finished trials; logarithmic spaces get logarithmic axes."""
    found = {}
    for arm in arms(study):
        mine = trials[trials["arm"] == arm.name].dropna(subset=["value"]) if len(trials) else trials
        if arm.recipe.spaces() and len(mine):
            axes = [_axis(path, mine[path], isinstance(space, LogUniform)) for path, space in arm.recipe.spaces().items()]
            objective = study.search.objective if study.search else "value"
            found[arm.name] = (*axes, Axis(objective, mine["value"].to_numpy(dtype=float), ()))
    return Parallel(found)


def _axis(path: str, column: pd.Series[Any], log: bool) -> Axis:
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.to_numpy(dtype=float)
        return Axis(path, np.log10(values), _decades(values)) if log else Axis(path, values, ())
    names = sorted({str(v) for v in column})
    places = {name: float(i) for i, name in enumerate(names)}
    return Axis(path, np.array([places[str(v)] for v in column]), tuple((v, label(n, 30)) for n, v in places.items()))


def _decades(values: np.ndarray) -> tuple[tuple[float, str], ...]:
    low, high = np.log10(values.min()), np.log10(values.max())
    marks = np.linspace(low, high, 4) if high > low else np.array([low])
    return tuple((float(m), f"{10**m:.2g}") for m in marks)


def plot_parallel(data: Parallel) -> go.Figure:
    """Draw one arm's lines, coloured by the objective, with a menu of arms."""
    figure = go.Figure()
    for position, (_, axes) in enumerate(data.arms.items()):
        figure.add_trace(_lines(axes, visible=position == 0))
    buttons = [
        {"label": label(arm, 40), "method": "update", "args": [{"visible": [other == arm for other in data.arms]}]} for arm in data.arms
    ]
    menus = [{"buttons": buttons, "x": 0, "xanchor": "left", "y": 1.28, "yanchor": "top"}] if len(buttons) > 1 else []
    figure.update_layout(layout(height=420, updatemenus=menus, margin={"l": 60, "r": 60, "t": 90, "b": 20}))
    return figure


def _lines(axes: tuple[Axis, ...], visible: bool) -> go.Parcoords:
    objective = axes[-1].values
    dimensions = [
        {"label": label(axis.title, 30), "values": axis.values}
        | ({"tickvals": [v for v, _ in axis.ticks], "ticktext": [t for _, t in axis.ticks]} if axis.ticks else {})
        for axis in axes
    ]
    high = float(np.quantile(objective, 0.9))
    line = {"color": objective, "colorscale": "Viridis", "cmin": float(objective.min()), "cmax": high, "showscale": True}
    return go.Parcoords(dimensions=dimensions, line=line, visible=visible)
