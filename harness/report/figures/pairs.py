"""The objective over every two hyperparameters of an arm."""

from __future__ import annotations

from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from harness.report.style import label, layout
from harness.spec.arms import arms
from harness.spec.space import LogUniform
from harness.spec.study import Study

GRID = 24
FEWEST = 8
"""Trials from which on a surface is drawn."""


class Pair(NamedTuple):
    """The trials of one arm over two numeric hyperparameters."""

    arm: str
    names: tuple[str, str]
    log: tuple[bool, bool]
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    """Objective; its logarithm to base 10 where all are above 0 and smaller is better."""
    title: str


def compute_pairs(study: Study, trials: pd.DataFrame) -> tuple[Pair, ...]:
    """Gather every two numeric hyperparameters of each arm."""
    found = []
    for arm in arms(study) if study.search and len(trials) else ():
        spaces = arm.recipe.spaces()
        mine = trials[trials["arm"] == arm.name].dropna(subset=["value"])
        numeric = [
            p
            for p in spaces
            if p in mine and pd.api.types.is_numeric_dtype(mine[p]) and mine[p].nunique() > 2
        ]
        found += [
            _pair(study, arm.name, mine, (a, b), spaces)
            for a, b in combinations(numeric, 2)
            if len(mine) >= FEWEST
        ]
    return tuple(found)


def _pair(
    study: Study, arm: str, mine: pd.DataFrame, names: tuple[str, str], spaces: dict[str, Any]
) -> Pair:
    search = study.search
    assert search is not None
    values = mine["value"].to_numpy(dtype=float)
    logarithmic = bool((values > 0).all()) and not search.maximize
    x, y = (mine[name].to_numpy(dtype=float) for name in names)
    log = isinstance(spaces[names[0]], LogUniform), isinstance(spaces[names[1]], LogUniform)
    title = f"log₁₀ {search.objective}" if logarithmic else search.objective
    return Pair(arm, names, log, x, y, np.log10(values) if logarithmic else values, title)


def surface(pair: Pair) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a grid over the trials' range and inverse-square-distance means of their objectives (Shepard 1968)."""
    u, v = (
        np.log10(values) if log else values
        for values, log in zip((pair.x, pair.y), pair.log, strict=True)
    )
    sides = [np.linspace(values.min(), values.max(), GRID) for values in (u, v)]
    widths = [max(float(np.ptp(values)), 1e-12) for values in (u, v)]
    across = ((sides[0][None, :, None] - u) / widths[0]) ** 2 + (
        (sides[1][:, None, None] - v) / widths[1]
    ) ** 2
    weights = 1 / (across + 1e-3)
    z = (weights * pair.z).sum(2) / weights.sum(2)
    x, y = (10**side if log else side for side, log in zip(sides, pair.log, strict=True))
    return x, y, z


def plot_pairs(data: tuple[Pair, ...]) -> go.Figure:
    """Draw one pair's surface and trials, with a menu of pairs."""
    figure = go.Figure()
    for i, pair in enumerate(data):
        x, y, z = surface(pair)
        shared = {"visible": i == 0}
        bar = {"title": {"text": label(pair.title)}, "thickness": 12}
        figure.add_contour(
            x=x,
            y=y,
            z=z,
            colorscale="Viridis",
            colorbar=bar,
            hoverinfo="skip",
            contours_coloring="heatmap",
            **shared,
        )
        figure.add_scatter(
            x=pair.x,
            y=pair.y,
            mode="markers",
            marker={"color": "white", "size": 7, "line": {"color": "black", "width": 1}},
            customdata=pair.z,
            showlegend=False,
            hovertemplate="%{x:.4g}, %{y:.4g}: %{customdata:.4g}<extra>"
            + label(pair.arm, 40)
            + "</extra>",
            **shared,
        )
    buttons = [
        {
            "label": label(f"{pair.arm}: {pair.names[0]} × {pair.names[1]}", 70),
            "method": "update",
            "args": [{"visible": [i // 2 == number for i in range(2 * len(data))]}, _axes(pair)],
        }
        for number, pair in enumerate(data)
    ]
    menu = {
        "buttons": buttons,
        "x": 0,
        "xanchor": "left",
        "y": 1.16,
        "yanchor": "top",
        "bgcolor": "rgba(128,128,128,.1)",
    }
    figure.update_layout(
        layout(
            xaxis={"showgrid": False},
            yaxis={"showgrid": False},
            height=480,
            margin={"l": 10, "r": 10, "t": 70, "b": 10},
            updatemenus=[menu] if len(buttons) > 1 else [],
        )
    )
    if data:
        figure.update_layout(
            {key.replace(".", "_"): value for key, value in _axes(data[0]).items()}
        )
    return figure


def _axes(pair: Pair) -> dict[str, Any]:
    titles = {
        f"{axis}axis.title.text": label(name) for axis, name in zip("xy", pair.names, strict=True)
    }
    kinds = {
        f"{axis}axis.type": "log" if log else "linear"
        for axis, log in zip("xy", pair.log, strict=True)
    }
    return titles | kinds
