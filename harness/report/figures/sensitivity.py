"""The objective of every trial against each hyperparameter searched."""

from __future__ import annotations

import json
import math
from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from harness.report.figures.base import Figure, FigureContext, Looks
from harness.report.figures.panels import grid_meta
from harness.report.metric_labels import value_axis, value_format
from harness.report.page_figure import FigureText
from harness.report.style import AXIS, ArmStyle, label, layout, legend_height
from harness.spec.arms import build_arms
from harness.spec.space import LogUniform, Space
from harness.spec.study import Study

PANELS_PER_ROW = 3
_ROW_HEIGHT = 280
"""Pixels of a row of panels."""
SearchedValue = float | int | str | bool


class TrialPoint(NamedTuple):
    """One trial on one hyperparameter."""

    value: SearchedValue
    objective: float
    status: str


class HyperparameterPanel(NamedTuple):
    """One hyperparameter."""

    name: str
    log: bool
    values: tuple[str, ...]
    """Names of its values in their order, where any trial's is no number; else empty."""
    points: dict[str, tuple[TrialPoint, ...]]
    """Trials by arm; their values are names where the panel has names."""


class Sensitivity(NamedTuple):
    """All hyperparameters searched."""

    objective: str
    maximize: bool
    """Whether more of the objective is better."""
    panels: tuple[HyperparameterPanel, ...]


def compute_sensitivity(context: FigureContext) -> Sensitivity | None:
    """Gather the trials by hyperparameter.

    Returns:
        None where nothing was searched, or no trial has a finite objective.
    """
    study = context.results.study
    panels = hyperparameter_panels(study, context.results.trials)
    if study.search is None or not panels:
        return None
    return Sensitivity(study.search.objective, study.search.maximize, panels)


def hyperparameter_panels(study: Study, trials: pd.DataFrame) -> tuple[HyperparameterPanel, ...]:
    """Return the trials with a finite objective of each hyperparameter that any arm searched.

    Args:
        study: for the arms' spaces; where arms search one hyperparameter in different spaces, the
            last one says whether its axis is logarithmic.
        trials: rows of :attr:`harness.analysis.results.Results.trials`.
    """
    spaces = {
        path: space for arm in build_arms(study) for path, space in arm.recipe.spaces().items()
    }
    panels = [_panel(path, space, _points(trials, path)) for path, space in spaces.items()]
    return tuple(panel for panel in panels if panel.points)


def _panel(
    path: str, space: Space, points: dict[str, tuple[TrialPoint, ...]]
) -> HyperparameterPanel:
    """Return a hyperparameter's panel; values that are not all numbers are taken by name."""
    values = [point.value for own in points.values() for point in own]
    if all(is_number(value) for value in values):
        return HyperparameterPanel(path, isinstance(space, LogUniform), (), points)
    named = {
        arm: tuple(point._replace(value=value_name(point.value)) for point in own)
        for arm, own in points.items()
    }
    # numbers first and by size, as on an axis of numbers: 1, 2, 16, then "full"
    ordered = sorted(values, key=lambda v: (not is_number(v), v if is_number(v) else value_name(v)))
    return HyperparameterPanel(path, False, tuple(dict.fromkeys(map(value_name, ordered))), named)


def is_number(value: SearchedValue) -> bool:
    """Return whether a value has a place on an axis of numbers; a truth value has none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def value_name(value: SearchedValue) -> str:
    """Return what a searched value is called, as in a file: a text as it is, else as JSON.

    >>> value_name("full"), value_name(True), value_name(16)
    ('full', 'true', '16')
    """
    return value if isinstance(value, str) else json.dumps(value)


def _points(trials: pd.DataFrame, path: str) -> dict[str, tuple[TrialPoint, ...]]:
    """Return an arm's trials on one hyperparameter, by arm; arms that did not search it are left
    out."""
    if path not in trials:
        return {}
    known = trials.dropna(subset=[path, "value"])
    return {
        str(arm): tuple(
            TrialPoint(*row)
            for row in zip(group[path], group["value"], group["status"], strict=True)
        )
        for arm, group in known.groupby("arm", sort=False)
    }


def plot_sensitivity(data: Sensitivity, looks: Looks) -> go.Figure:
    """Draw a panel for each hyperparameter and a dot for each trial; pruned trials are hollow."""
    rows = math.ceil(len(data.panels) / PANELS_PER_ROW)
    columns = min(PANELS_PER_ROW, len(data.panels))
    figure = make_subplots(
        rows, columns, shared_yaxes=True, horizontal_spacing=0.03, vertical_spacing=0.22 / rows
    )
    # an arm is in many panels, and once in the legend
    seen: set[str] = set()
    number = value_format(data.objective)
    for i, panel in enumerate(data.panels):
        row, column = i // PANELS_PER_ROW + 1, i % PANELS_PER_ROW + 1
        for arm in panel.points:
            dots = _dots(arm, panel, looks[arm], arm not in seen)
            dots.hovertemplate = f"%{{customdata}}: %{{y:{number}}}<extra>{label(arm)}</extra>"
            figure.add_trace(dots, row, column)
            seen.add(arm)
        scale: dict[str, object] = {"type": "log" if panel.log else None}
        if panel.values:
            texts = [label(value, 20) for value in panel.values]
            scale = {"tickvals": [*range(len(texts))], "ticktext": texts}
        figure.update_xaxes(title_text=label(panel.name), row=row, col=column, **scale)
    value = value_axis(data.objective)
    title = value.pop("title")
    figure.update_yaxes(title=title, col=1)
    # logarithmic for losses, which often differ by orders of magnitude, and not for accuracies
    arms_of_panels = [points for panel in data.panels for points in panel.points.values()]
    positive = all(point.objective > 0 for points in arms_of_panels for point in points)
    figure.update_yaxes(type="log" if positive and not data.maximize else "linear")
    figure.update_layout(
        layout(
            height=110 + _ROW_HEIGHT * rows + legend_height(len(seen)),
            meta=grid_meta(len(data.panels), columns, _ROW_HEIGHT),
        )
    )
    # layout() styles the axes that it is given, and subplots have axes of their own
    figure.update_xaxes(AXIS)
    figure.update_yaxes(AXIS | value)
    return figure


def _dots(arm: str, panel: HyperparameterPanel, look: ArmStyle, legend: bool) -> go.Scatter:
    """Return an arm's trials on one hyperparameter; names lie at their places in the order."""
    points = panel.points[arm]
    places = {name: place for place, name in enumerate(panel.values)}
    symbols = [
        f"{look.symbol}-open" if point.status == "pruned" else look.symbol for point in points
    ]
    return go.Scatter(
        x=[places[str(p.value)] if places else p.value for p in points],
        y=[point.objective for point in points],
        mode="markers",
        name=label(arm, 40),
        legendgroup=arm,
        showlegend=legend,
        marker={"color": look.colour, "symbol": symbols, "size": 8, "opacity": 0.85},
        meta={"kind": "trial", "arm": arm},
        # names are whole in the hover box
        customdata=[f"{p.value:.4g}" if is_number(p.value) else label(p.value) for p in points],
    )


SENSITIVITY_FIGURE = Figure(
    name="sensitivity",
    section="search",
    needs="a search of a hyperparameter",
    text=FigureText(
        "Objective against each hyperparameter searched",
        "A mark is a trial; hollow ones were pruned early, diverged ones are left out. The table "
        "below says where the trials within 10 % of an arm's best lie.",
        "A best value at the edge of a space: it is too small for that arm. A narrow range: the "
        "arm needs careful tuning.",
    ),
    compute=compute_sensitivity,
    plot=plot_sensitivity,
)
