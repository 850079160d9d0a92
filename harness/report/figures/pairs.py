"""The objective over every two hyperparameters of an arm."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from harness.report.figures.base import Figure, FigureContext, Looks
from harness.report.figures.sensitivity import is_number
from harness.report.metric_labels import metric_label, value_format
from harness.report.page_figure import FigureText
from harness.report.style import dropdown, label, layout
from harness.spec.arms import Arm, build_arms
from harness.spec.search import Search
from harness.spec.space import LogUniform

GRID_SIDE = 24
"""Points of each side of a surface."""
FEWEST_TRIALS = 8
"""Trials from which on a surface is drawn."""
FEWEST_VALUES = 3
"""Different values from which on a hyperparameter spans a side of a surface."""
SMOOTHING = 1e-3
"""Added to squared distances (sides have length 1), so that a trial's own weight stays finite."""


class HyperparameterPair(NamedTuple):
    """The trials of one arm over two numeric hyperparameters."""

    arm: str
    names: tuple[str, str]
    log: tuple[bool, bool]
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    """Objective; its logarithm to base 10 where all are above 0 and smaller is better."""
    title: str
    """What ``z`` is, ready for Plotly."""
    format: str
    """How Plotly writes ``z``."""


class HyperparameterPairs(NamedTuple):
    """Every pair of every arm; one is shown at a time."""

    pairs: tuple[HyperparameterPair, ...]


def compute_pairs(context: FigureContext) -> HyperparameterPairs | None:
    """Gather every two numeric hyperparameters of each arm.

    Returns:
        None where no arm has two with three values each in eight trials.
    """
    search, trials = context.results.study.search, context.results.trials
    if search is None or not len(trials):
        return None
    pairs = [
        pair for arm in build_arms(context.results.study) for pair in _pairs_of(arm, trials, search)
    ]
    return HyperparameterPairs(tuple(pairs)) if pairs else None


def _pairs_of(arm: Arm, trials: pd.DataFrame, search: Search) -> Iterator[HyperparameterPair]:
    """Yield one arm's pairs; trials without an objective (failed or diverged) are left out."""
    mine = trials[trials["arm"] == arm.name].dropna(subset=["value"])
    if len(mine) < FEWEST_TRIALS:
        return
    objective = mine["value"].to_numpy(dtype=float)
    log_objective = bool((objective > 0).all()) and not search.maximize
    z = np.log10(objective) if log_objective else objective
    name = metric_label(search.objective)
    title = f"log₁₀ {name}" if log_objective else name
    spaces = arm.recipe.spaces()
    for names in combinations([name for name in spaces if _is_side(mine, name)], 2):
        x, y = (mine[name].to_numpy(dtype=float) for name in names)
        log = isinstance(spaces[names[0]], LogUniform), isinstance(spaces[names[1]], LogUniform)
        number = ".4g" if log_objective else value_format(search.objective)
        yield HyperparameterPair(arm.name, names, log, x, y, z, title, number)


def _is_side(trials: pd.DataFrame, name: str) -> bool:
    """Return whether a hyperparameter can be a side of a surface: numbers, and several of them."""
    # value by value: another arm may search names here, and the column holds both
    if name not in trials or not all(is_number(value) for value in trials[name]):
        return False
    return bool(trials[name].nunique() >= FEWEST_VALUES)


def surface(pair: HyperparameterPair) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Interpolate the objective by inverse squared distance (Shepard 1968).

    z(p) = Σᵢ wᵢ zᵢ / Σᵢ wᵢ with wᵢ = 1 / (|p − pᵢ|² + ε), distances on sides scaled to length 1,
    of logarithms where the space is logarithmic.

    Returns:
        Grid positions x (n,) and y (n,) over the trials' range, and z (n, n) with rows by y.
    """
    u, v = (
        np.log10(values) if log else values
        for values, log in zip((pair.x, pair.y), pair.log, strict=True)
    )
    u_side, v_side = (np.linspace(side.min(), side.max(), GRID_SIDE) for side in (u, v))
    # a side of no length has all trials at the same place: any width will do but 0
    u_width, v_width = (max(float(np.ptp(side)), 1e-12) for side in (u, v))
    # (y, x, trials): the grid against every trial
    u_distance = (u_side[None, :, None] - u) / u_width
    v_distance = (v_side[:, None, None] - v) / v_width
    weights = 1 / (u_distance**2 + v_distance**2 + SMOOTHING)
    z = (weights * pair.z).sum(2) / weights.sum(2)
    x = 10**u_side if pair.log[0] else u_side
    y = 10**v_side if pair.log[1] else v_side
    return x, y, z


def plot_pairs(data: HyperparameterPairs, looks: Looks) -> go.Figure:
    """Draw one pair's surface and trials, with a menu of pairs."""
    figure = go.Figure()
    for number, pair in enumerate(data.pairs):
        figure.add_traces([_surface(pair, number == 0), _trials(pair, number == 0)])
    figure.update_layout(
        layout(
            xaxis={"showgrid": False},
            yaxis={"showgrid": False},
            height=480,
            margin={"l": 10, "r": 10, "t": 70, "b": 10},
            updatemenus=dropdown(_buttons(data.pairs), top=1.16),
        )
    )
    # the axes of the first pair, which is shown until another is chosen
    # (layout keys of a button have dots, those of update_layout() underscores)
    figure.update_layout(
        {key.replace(".", "_"): value for key, value in _axes(data.pairs[0]).items()}
    )
    return figure


def _surface(pair: HyperparameterPair, visible: bool) -> go.Contour:
    x, y, z = surface(pair)
    return go.Contour(
        x=x,
        y=y,
        z=z,
        colorscale="Viridis",
        colorbar={"title": {"text": pair.title}, "thickness": 12, "tickformat": pair.format},
        hoverinfo="skip",
        contours_coloring="heatmap",
        visible=visible,
    )


def _trials(pair: HyperparameterPair, visible: bool) -> go.Scatter:
    name = label(pair.arm, 40)
    return go.Scatter(
        x=pair.x,
        y=pair.y,
        mode="markers",
        marker={"color": "white", "size": 7, "line": {"color": "black", "width": 1}},
        customdata=pair.z,  # a scatter has no z of its own, and the hover box shows it
        showlegend=False,
        hovertemplate=f"%{{x:.4g}}, %{{y:.4g}}: %{{customdata:{pair.format}}}<extra>{name}</extra>",
        visible=visible,
    )


def _buttons(pairs: tuple[HyperparameterPair, ...]) -> list[dict[str, object]]:
    """Return a button for each pair, which shows its two traces and names its axes."""
    return [
        {
            "label": label(f"{pair.arm}: {pair.names[0]} × {pair.names[1]}", 70),
            "method": "update",
            "args": [{"visible": [i // 2 == number for i in range(2 * len(pairs))]}, _axes(pair)],
        }
        for number, pair in enumerate(pairs)
    ]


def _axes(pair: HyperparameterPair) -> dict[str, str]:
    """Return the titles and types of the axes, as Plotly's buttons name them."""
    settings = {}
    for axis, name, log in zip("xy", pair.names, pair.log, strict=True):
        settings[f"{axis}axis.title.text"] = label(name)
        settings[f"{axis}axis.type"] = "log" if log else "linear"
    return settings


PAIRS_FIGURE = Figure(
    name="pairs",
    section="search",
    needs=f"a search of two numeric hyperparameters in {FEWEST_TRIALS} trials of an arm",
    text=FigureText(
        "Objective over two hyperparameters",
        "Marks are trials; the colours between them are means weighted by inverse squared "
        "distance (Shepard 1968), a guide for the eye and not a model.",
        "A slanted valley: the two can't be tuned one after the other.",
    ),
    compute=compute_pairs,
    plot=plot_pairs,
)
