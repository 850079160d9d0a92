"""Parallel coordinates: the searched values of every trial and its objective, one arm at a time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from harness.report.style import Look, faint, label, layout
from harness.spec.arms import arms
from harness.spec.space import LogUniform
from harness.spec.study import Study


class Axis(NamedTuple):
    """One vertical axis."""

    title: str
    heights: np.ndarray
    """Place of each trial on the axis, from 0 to 1."""
    texts: tuple[str, ...]
    """What each trial has there."""
    ticks: tuple[tuple[float, str], ...]
    """Places and texts."""


class Parallel(NamedTuple):
    """The axes of each arm, the objective last, and the order of its trials from best to worst."""

    arms: dict[str, tuple[Axis, ...]]
    order: dict[str, np.ndarray]


def compute_parallel(study: Study, trials: pd.DataFrame) -> Parallel:
    """Gather each arm's trials that have an objective; logarithmic spaces get logarithmic axes."""
    axes, order = {}, {}
    for arm in arms(study):
        mine = trials[trials["arm"] == arm.name].dropna(subset=["value"]) if len(trials) else trials
        if study.search and arm.recipe.spaces() and len(mine):
            found = [
                _axis(path, mine[path], isinstance(space, LogUniform))
                for path, space in arm.recipe.spaces().items()
            ]
            log = not study.search.maximize and bool((mine["value"] > 0).all())
            axes[arm.name] = (*found, _axis(study.search.objective, mine["value"], log))
            order[arm.name] = np.argsort(
                mine["value"].to_numpy(dtype=float) * (-1 if study.search.maximize else 1),
                kind="stable",
            )
    return Parallel(axes, order)


def _axis(path: str, column: pd.Series[Any], log: bool) -> Axis:
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        names = sorted({str(v) for v in column})
        places = {name: i / max(1, len(names) - 1) for i, name in enumerate(names)}
        texts = tuple(str(v) for v in column)
        return Axis(
            path,
            np.array([places[t] for t in texts]),
            texts,
            tuple((v, label(n, 20)) for n, v in places.items()),
        )
    values = column.to_numpy(dtype=float)
    scaled = np.log10(values) if log else values
    low, high = float(scaled.min()), float(scaled.max())
    heights = (scaled - low) / (high - low) if high > low else np.full(len(values), 0.5)
    marks = (
        [(t, low + t * (high - low)) for t in (0.0, 0.25, 0.5, 0.75, 1.0)]
        if high > low
        else [(0.5, low)]
    )
    return Axis(
        path,
        heights,
        tuple(f"{v:.4g}" for v in values),
        tuple((t, f"{10**m if log else m:.3g}") for t, m in marks),
    )


def plot_parallel(data: Parallel, looks: dict[str, Look]) -> go.Figure:
    """Draw a line a trial, the better the stronger and the best one thick, with a menu of arms."""
    figure = go.Figure()
    owners: list[str] = []
    for arm, axes in data.arms.items():
        lines = _lines(axes, data.order[arm], looks[arm], visible=not owners)
        figure.add_traces(lines)
        owners += [arm] * len(lines)
    buttons = [
        {
            "label": label(arm, 40),
            "method": "update",
            "args": [
                {"visible": [owner == arm for owner in owners]},
                {"annotations": _marks(axes), "shapes": _rules(axes), "xaxis.range": _range(axes)},
            ],
        }
        for arm, axes in data.arms.items()
    ]
    menus = [
        {
            "buttons": buttons,
            "x": 0,
            "xanchor": "left",
            "y": 1.3,
            "yanchor": "top",
            "bgcolor": "rgba(128,128,128,.1)",
        }
    ]
    first = next(iter(data.arms.values()), ())
    figure.update_layout(
        layout(
            height=400,
            updatemenus=menus if len(buttons) > 1 else [],
            annotations=_marks(first),
            shapes=_rules(first),
            xaxis={"visible": False, "range": _range(first)},
            yaxis={"visible": False, "range": [-0.08, 1.16]},
            showlegend=False,
            margin={"l": 20, "r": 20, "t": 70, "b": 10},
        )
    )
    return figure


def _lines(
    axes: tuple[Axis, ...], order: np.ndarray, look: Look, visible: bool
) -> list[go.Scatter]:
    found = []
    for rank, trial in reversed(list(enumerate(order))):
        strength = 0.12 + 0.78 * (1 - rank / len(order)) ** 2
        text = "<br>".join(f"{label(axis.title)} = {label(axis.texts[trial])}" for axis in axes)
        line = {"color": faint(look.colour, round(strength, 3)), "width": 3.5 if rank == 0 else 1.5}
        y = [float(axis.heights[trial]) for axis in axes]
        found.append(
            go.Scatter(
                x=list(range(len(axes))),
                y=y,
                mode="lines+markers",
                line=line,
                visible=visible,
                hovertemplate=text + "<extra></extra>",
            )
        )
    return found


def _marks(axes: tuple[Axis, ...]) -> list[dict[str, Any]]:
    shared = {"showarrow": False, "xref": "x", "yref": "y"}
    titles = [
        shared | {"x": i, "y": 1.12, "text": label(axis.title, 30)} for i, axis in enumerate(axes)
    ]
    ticks = [
        shared
        | {"x": i, "y": place, "text": text, "xanchor": "left", "xshift": 6, "font": {"size": 11}}
        for i, axis in enumerate(axes)
        for place, text in axis.ticks
    ]
    return titles + ticks


def _rules(axes: tuple[Axis, ...]) -> list[dict[str, Any]]:
    line = {"color": "rgba(128,128,128,.6)", "width": 1}
    return [
        {"type": "line", "x0": i, "x1": i, "y0": 0, "y1": 1, "line": line, "layer": "below"}
        for i in range(len(axes))
    ]


def _range(axes: tuple[Axis, ...]) -> list[float]:
    return [-0.25, max(0, len(axes) - 1) + 0.35]
