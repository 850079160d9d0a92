"""Parallel coordinates: the searched values of every trial and its objective, one arm at a time.

Drawn with lines and annotations and not with Plotly's ``Parcoords``, whose axes can't be
logarithmic and whose lines say nothing when they are pointed at.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from harness.report.figures.base import Figure, FigureContext, Looks
from harness.report.figures.sensitivity import is_number, value_name
from harness.report.metric_labels import plain_label, quantity_of_metric
from harness.report.page_figure import FigureText
from harness.report.style import ArmStyle, dropdown, faint, label, layout
from harness.spec.arms import Arm, build_arms
from harness.spec.search import Search
from harness.spec.space import LogUniform

TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Heights at which a numeric axis says its value."""


class ParallelAxis(NamedTuple):
    """One vertical axis."""

    title: str
    heights: np.ndarray
    """Place of each trial on the axis, from 0 to 1 (trials,)."""
    texts: tuple[str, ...]
    """What each trial has there."""
    ticks: tuple[tuple[float, str], ...]
    """Places and texts."""


class ParallelArm(NamedTuple):
    """The trials of one arm."""

    axes: tuple[ParallelAxis, ...]
    """The hyperparameters in the order of the recipe, the objective last."""
    order: np.ndarray
    """Indices of its trials from best to worst (trials,); equal ones as they were made."""


class Parallel(NamedTuple):
    """All arms; one is shown at a time."""

    arms: dict[str, ParallelArm]


def compute_parallel(context: FigureContext) -> Parallel | None:
    """Gather each arm's trials that have an objective; logarithmic spaces get logarithmic axes.

    Returns:
        None where no arm searched two hyperparameters: of one, the figure of its sensitivity shows
        all.
    """
    study, trials = context.results.study, context.results.trials
    if study.search is None or not len(trials):
        return None
    gathered = {}
    for arm in build_arms(study):
        mine = trials[trials["arm"] == arm.name].dropna(subset=["value"])
        if arm.recipe.spaces() and len(mine):
            gathered[arm.name] = _gather(arm, mine, study.search)
    # the objective is an axis too
    return Parallel(gathered) if any(len(arm.axes) > 2 for arm in gathered.values()) else None


def _gather(arm: Arm, trials: pd.DataFrame, search: Search) -> ParallelArm:
    """Return one arm's axes and the order of its trials; each trial has an objective."""
    objective = trials["value"].to_numpy(dtype=float)
    log = not search.maximize and bool((objective > 0).all())
    axes = [
        _axis(path, trials[path], isinstance(space, LogUniform))
        for path, space in arm.recipe.spaces().items()
    ]
    order = np.argsort(-objective if search.maximize else objective, kind="stable")
    written = quantity_of_metric(search.objective)
    title = plain_label(search.objective) + (f" ({written.unit})" if written.unit else "")
    return ParallelArm((*axes, _axis(title, trials["value"] * written.factor, log)), order)


def _axis(title: str, column: pd.Series[float] | pd.Series[str], log: bool) -> ParallelAxis:
    """Return the axis of one column of trials, from its lowest to its highest value.

    Args:
        title: plain text.
        column: a value for each trial: numbers, or names without an order.
        log: whether heights are in proportion to logarithms; all numbers must be above 0.
    """
    if not all(is_number(value) for value in column):
        return _axis_of_names(title, [value_name(value) for value in column])
    values = column.to_numpy(dtype=float)
    scaled = np.log10(values) if log else values
    low, high = float(scaled.min()), float(scaled.max())
    if high > low:
        heights = (scaled - low) / (high - low)
        marks = [(tick, low + tick * (high - low)) for tick in TICKS]
    else:  # all trials have the same value
        heights, marks = np.full(len(values), 0.5), [(0.5, low)]
    texts = tuple(f"{v:.4g}" for v in values)
    ticks = tuple((tick, f"{10**mark if log else mark:.3g}") for tick, mark in marks)
    return ParallelAxis(title, heights, texts, ticks)


def _axis_of_names(title: str, texts: list[str]) -> ParallelAxis:
    """Return an axis of values without an order, spread evenly by name."""
    names = sorted(set(texts))
    places = {name: i / max(1, len(names) - 1) for i, name in enumerate(names)}
    ticks = tuple((place, label(name, 20)) for name, place in places.items())
    return ParallelAxis(title, np.array([places[text] for text in texts]), tuple(texts), ticks)


def plot_parallel(data: Parallel, looks: Looks) -> go.Figure:
    """Draw a line for each trial, stronger the better it is, with a menu of arms."""
    figure = go.Figure()
    owners: list[str] = []
    for name, arm in data.arms.items():
        lines = _lines(arm, looks[name], visible=not owners)
        figure.add_traces(lines)
        owners += [name] * len(lines)
    buttons: list[dict[str, object]] = [
        {
            "label": label(name, 40),
            "method": "update",
            "args": [
                {"visible": [owner == name for owner in owners]},
                {
                    "annotations": _tick_texts(arm.axes),
                    "shapes": _axis_lines(arm.axes),
                    "xaxis.range": _range(arm.axes),
                },
            ],
        }
        for name, arm in data.arms.items()
    ]
    first = next(iter(data.arms.values())).axes
    figure.update_layout(
        layout(
            height=400,
            updatemenus=dropdown(buttons, top=1.3),
            annotations=_tick_texts(first),
            shapes=_axis_lines(first),
            xaxis={"visible": False, "range": _range(first)},
            # heights go from 0 to 1; the titles stand above, at 1.12
            yaxis={"visible": False, "range": [-0.08, 1.16]},
            showlegend=False,
            margin={"l": 20, "r": 20, "t": 70, "b": 10},
        )
    )
    return figure


def _lines(arm: ParallelArm, look: ArmStyle, visible: bool) -> list[go.Scatter]:
    """Return a line for each trial, the best one last so that it lies on top."""
    axes, lines = arm.axes, []
    for rank, trial in reversed(list(enumerate(arm.order))):
        # from 0.9 for the best to 0.12 for the worst, falling fast, so that the few best stand out
        strength = 0.12 + 0.78 * (1 - rank / len(arm.order)) ** 2
        text = "<br>".join(f"{label(axis.title)} = {label(axis.texts[trial])}" for axis in axes)
        lines.append(
            go.Scatter(
                x=list(range(len(axes))),
                y=[float(axis.heights[trial]) for axis in axes],
                mode="lines+markers",
                line={
                    "color": faint(look.colour, round(strength, 3)),
                    "width": 3.5 if rank == 0 else 1.5,
                },
                visible=visible,
                hovertemplate=text + "<extra></extra>",
            )
        )
    return lines


def _tick_texts(axes: tuple[ParallelAxis, ...]) -> list[dict[str, object]]:
    """Return the axes' titles and tick labels, which stand for Plotly's own axes."""
    shared: dict[str, object] = {"showarrow": False, "xref": "x", "yref": "y"}
    tick = shared | {"xanchor": "left", "xshift": 6, "font": {"size": 11}}
    titles = [
        shared | {"x": i, "y": 1.12, "text": label(axis.title, 30)} for i, axis in enumerate(axes)
    ]
    ticks = [
        tick | {"x": i, "y": place, "text": text}
        for i, axis in enumerate(axes)
        for place, text in axis.ticks
    ]
    return titles + ticks


def _axis_lines(axes: tuple[ParallelAxis, ...]) -> list[dict[str, object]]:
    """Return the vertical lines, as Plotly's shapes."""
    line = {"color": "rgba(128,128,128,.6)", "width": 1}
    return [
        {"type": "line", "x0": i, "x1": i, "y0": 0, "y1": 1, "line": line, "layer": "below"}
        for i in range(len(axes))
    ]


def _range(axes: tuple[ParallelAxis, ...]) -> list[float]:
    """Return the horizontal range, with room for titles on the left and ticks on the right."""
    return [-0.25, len(axes) - 1 + 0.35]


PARALLEL_FIGURE = Figure(
    name="parallel",
    section="search",
    needs="a search of two hyperparameters in an arm",
    text=FigureText(
        "All hyperparameters of a trial together",
        "A line is a trial: the stronger its colour the better its objective, and the thick one "
        "is the best. The menu chooses the arm. Good trials that spread over a whole axis say "
        "that its hyperparameter hardly matters.",
    ),
    compute=compute_parallel,
    plot=plot_parallel,
)
