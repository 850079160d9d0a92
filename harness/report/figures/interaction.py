"""Whether the effect of one factor depends on another."""

from __future__ import annotations

from itertools import permutations
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from harness.analysis.answer import Answer
from harness.analysis.results import Results
from harness.report.style import PALETTE, label, layout, legend_height
from harness.spec.arms import arms
from harness.stats import Interval, mean_interval


class Interaction(NamedTuple):
    """Means over seeds and all further factors, for each level of one factor and each of another."""

    metric: str
    across: str
    """Factor on the horizontal axis."""
    by: str
    """Factor with one line a level."""
    cells: dict[str, dict[str, Interval]]
    """Interval by level of ``by`` and level of ``across``."""


def compute_interactions(results: Results, answer: Answer) -> tuple[Interaction, ...]:
    """Average the runs over every two factors; none for studies of fewer than two factors."""
    factors = list(results.study.compare)
    return (
        tuple(_interaction(results, answer, a, b) for a, b in permutations(factors, 2))
        if len(factors) > 1
        else ()
    )


def _interaction(results: Results, answer: Answer, across: str, by: str) -> Interaction:
    levels = {arm.name: arm.levels for arm in arms(results.study)}
    cells: dict[str, dict[str, list[tuple[float, ...]]]] = {}
    for arm, chosen in levels.items():
        values = next((place.values for place in answer.ranking if place.arm == arm), ())
        cells.setdefault(chosen[by], {}).setdefault(chosen[across], []).append(values)
    found = {
        line: {level: mean_interval(np.mean(values, axis=0)) for level, values in points.items()}
        for line, points in cells.items()
    }
    return Interaction(answer.metric, across, by, found)


def plot_interactions(data: tuple[Interaction, ...]) -> go.Figure:
    """Draw a line a level, with a menu of pairs of factors."""
    figure, owners = go.Figure(), []
    for number, pair in enumerate(data):
        for i, (line, points) in enumerate(pair.cells.items()):
            finite = {level: v for level, v in points.items() if np.isfinite(v.mean)}
            half = [v.high - v.mean if np.isfinite(v.high) else 0 for v in finite.values()]
            figure.add_scatter(
                x=[label(level, 30) for level in finite],
                y=[v.mean for v in finite.values()],
                error_y={"type": "data", "array": half, "thickness": 1.2},
                mode="lines+markers",
                line={"color": PALETTE[i % len(PALETTE)], "width": 2},
                name=label(f"{pair.by}: {line}", 40),
                visible=number == 0,
                hovertemplate=f"%{{x}}, {label(line, 40)}: %{{y:.5g}}<extra></extra>",
            )
            owners.append(number)
    buttons = [
        {
            "label": label(f"{pair.across} × {pair.by}", 60),
            "method": "update",
            "args": [
                {"visible": [owner == i for owner in owners]},
                {"xaxis.title.text": label(pair.across)},
            ],
        }
        for i, pair in enumerate(data)
    ]
    menu = {
        "buttons": buttons,
        "x": 0,
        "xanchor": "left",
        "y": 1.18,
        "yanchor": "top",
        "bgcolor": "rgba(128,128,128,.1)",
    }
    first = data[0] if data else None
    figure.update_layout(
        layout(
            xaxis={"title": {"text": label(first.across) if first else ""}, "type": "category"},
            yaxis={"title": {"text": label(first.metric) if first else ""}},
            height=420 + legend_height(max((len(pair.cells) for pair in data), default=0)),
            margin={"l": 10, "r": 10, "t": 60, "b": 10},
            updatemenus=[menu] if len(buttons) > 1 else [],
        )
    )
    return figure
