"""The objective of every trial against each hyperparameter searched."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from harness.core.metric_names import larger_is_better
from harness.report.style import Look, label, layout, legend_height
from harness.spec.arms import arms
from harness.spec.space import LogUniform
from harness.spec.study import Study

COLUMNS = 3
NEAR = 0.1
"""Share of the best objective that counts as near it."""


class Panel(NamedTuple):
    """One hyperparameter."""

    name: str
    log: bool
    points: dict[str, tuple[tuple[Any, float, str], ...]]
    """``(value, objective, status)`` of each trial by arm."""


class Near(NamedTuple):
    """Where the good trials of an arm lie on one hyperparameter."""

    arm: str
    name: str
    best: Any
    low: Any
    high: Any
    """Lowest and highest value of the trials whose objective is within 10 % of the best one."""
    trials: int
    """How many these are."""


class Sensitivity(NamedTuple):
    """All hyperparameters searched."""

    objective: str
    panels: tuple[Panel, ...]
    near: tuple[Near, ...] = ()


def compute_sensitivity(study: Study, trials: pd.DataFrame) -> Sensitivity:
    """Gather the trials by hyperparameter; those without a finite objective are left out."""
    spaces = {path: space for arm in arms(study) for path, space in arm.recipe.spaces().items()}
    objective = study.search.objective if study.search else ""
    panels = [
        Panel(path, isinstance(space, LogUniform), _points(trials, path))
        for path, space in spaces.items()
    ]
    shown = tuple(p for p in panels if p.points)
    maximize = bool(study.search and study.search.maximize)
    near = tuple(
        _near(arm, p.name, points, maximize) for p in shown for arm, points in p.points.items()
    )
    return Sensitivity(objective, shown, near)


def _near(arm: str, name: str, points: Sequence[tuple[Any, float, str]], maximize: bool) -> Near:
    """Return the range of the values whose objective is within 10 % of the best."""
    sign = -1 if maximize else 1
    best = min(points, key=lambda point: sign * point[1])
    good = [value for value, found, _ in points if abs(found - best[1]) <= NEAR * abs(best[1])]
    ordered = all(isinstance(value, (int, float)) for value in good)
    low, high = (min(good), max(good)) if ordered else (best[0], best[0])
    return Near(arm, name, best[0], low, high, len(good))


def _points(trials: pd.DataFrame, path: str) -> dict[str, tuple[tuple[Any, float, str], ...]]:
    if path not in trials:
        return {}
    known = trials.dropna(subset=[path, "value"])
    return {
        str(arm): tuple(zip(group[path], group["value"], group["status"], strict=True))
        for arm, group in known.groupby("arm", sort=False)
    }


def plot_sensitivity(data: Sensitivity, looks: dict[str, Look]) -> go.Figure:
    """Draw a panel a hyperparameter, a dot a trial; pruned trials are hollow."""
    rows = max(1, math.ceil(len(data.panels) / COLUMNS))
    columns = max(1, min(COLUMNS, len(data.panels)))
    figure = make_subplots(
        rows, columns, shared_yaxes=True, horizontal_spacing=0.03, vertical_spacing=0.22 / rows
    )
    seen: set[str] = set()
    for i, panel in enumerate(data.panels):
        row, column = i // COLUMNS + 1, i % COLUMNS + 1
        for arm, points in panel.points.items():
            figure.add_trace(_dots(arm, points, looks[arm], arm not in seen), row, column)
            seen.add(arm)
        figure.update_xaxes(
            title_text=label(panel.name), type="log" if panel.log else None, row=row, col=column
        )
    figure.update_yaxes(title_text=data.objective, col=1)
    positive = all(v > 0 for p in data.panels for points in p.points.values() for _, v, _ in points)
    figure.update_yaxes(
        type="log" if positive and not larger_is_better(data.objective) else "linear"
    )
    figure.update_layout(layout(height=110 + 280 * rows + legend_height(len(seen))))
    figure.update_xaxes(gridcolor="rgba(128,128,128,.2)", zeroline=False, automargin=True)
    figure.update_yaxes(gridcolor="rgba(128,128,128,.2)", zeroline=False, automargin=True)
    return figure


def _dots(
    arm: str, points: Sequence[tuple[Any, float, str]], look: Look, legend: bool
) -> go.Scatter:
    symbols = [
        f"{look.symbol}-open" if status == "pruned" else look.symbol for _, _, status in points
    ]
    return go.Scatter(
        x=[value for value, _, _ in points],
        y=[objective for _, objective, _ in points],
        mode="markers",
        name=label(arm, 40),
        legendgroup=arm,
        showlegend=legend,
        marker={"color": look.colour, "symbol": symbols, "size": 8, "opacity": 0.85},
        meta={"kind": "trial", "arm": arm},
        hovertemplate="%{x:.4g}: %{y:.5g}<extra>" + label(arm) + "</extra>",
    )
