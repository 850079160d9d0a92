"""Whether the effect of one factor depends on another."""

from __future__ import annotations

from itertools import permutations
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from harness.analysis.bounds import cut_to_bounds
from harness.analysis.ranking import mean_of
from harness.core.metric_names import describe
from harness.core.palette import PALETTE
from harness.report.figures.base import Figure, FigureContext, Looks
from harness.report.metric_labels import value_axis, value_format
from harness.report.page_figure import FigureText
from harness.report.style import dropdown, label, layout, legend_height
from harness.spec.arms import build_arms
from harness.stats import Interval


class FactorPair(NamedTuple):
    """Means over runs and further factors, for each level of one factor and each of another."""

    metric: str
    across: str
    """Factor on the horizontal axis."""
    by: str
    """Factor with one line for each level."""
    cells: dict[str, dict[str, Interval]]
    """Interval by level of ``by`` and level of ``across``."""


class Interactions(NamedTuple):
    """Every ordered pair of factors; one is shown at a time."""

    pairs: tuple[FactorPair, ...]


def compute_interactions(context: FigureContext) -> Interactions | None:
    """Average the runs over every two factors; None for a study of fewer than two factors.

    A cell's value for a run is the mean over all arms with its two levels.

    Returns:
        Both orders of every pair, since either factor may be wanted on the axis.
    """
    factors = list(context.results.study.compare)
    if len(factors) < 2 or not context.arms:
        return None
    return Interactions(
        tuple(_pair(context, across, by) for across, by in permutations(factors, 2))
    )


def _pair(context: FigureContext, across: str, by: str) -> FactorPair:
    """Return the cells of two factors: ``across`` on the axis, a line for each level of ``by``."""
    values_of = {place.arm: place.values for place in context.answer.ranking}
    gathered: dict[str, dict[str, list[np.ndarray]]] = {}
    for arm in build_arms(context.results.study):
        line = gathered.setdefault(arm.levels[by], {})
        line.setdefault(arm.levels[across], []).append(values_of[arm.name])
    # over further factors first, run by run, so that the interval is one over runs or searches
    study = context.results.study
    known = describe(context.answer.metric, context.results.declared)
    cells = {
        line: {
            level: cut_to_bounds(mean_of(np.mean(rows, axis=0), study.scope), known)
            for level, rows in levels.items()
        }
        for line, levels in gathered.items()
    }
    return FactorPair(context.answer.metric, across, by, cells)


def plot_interactions(data: Interactions, looks: Looks) -> go.Figure:
    """Draw a line for each level, with a menu of pairs of factors."""
    # owners: the pair that each trace belongs to, for the menu to show one pair's alone
    figure, owners = go.Figure(), []
    for number, pair in enumerate(data.pairs):
        lines = _lines(pair, visible=number == 0)
        figure.add_traces(lines)
        owners += [number] * len(lines)
    buttons: list[dict[str, object]] = [
        {
            "label": label(f"{pair.across} × {pair.by}", 60),
            "method": "update",
            "args": [
                {"visible": [owner == number for owner in owners]},
                {"xaxis.title.text": label(pair.across)},
            ],
        }
        for number, pair in enumerate(data.pairs)
    ]
    first = data.pairs[0]
    figure.update_layout(
        layout(
            xaxis={"title": {"text": label(first.across)}, "type": "category"},
            yaxis=value_axis(first.metric),
            height=420 + legend_height(max(len(pair.cells) for pair in data.pairs)),
            margin={"l": 10, "r": 10, "t": 60, "b": 10},
            updatemenus=dropdown(buttons, top=1.18),
        )
    )
    return figure


def _lines(pair: FactorPair, visible: bool) -> list[go.Scatter]:
    """Return one line for each level; cells whose runs diverged are left out."""
    lines, value = [], f"%{{y:{value_format(pair.metric)}}}"
    for i, (line, points) in enumerate(pair.cells.items()):
        finite = {level: v for level, v in points.items() if np.isfinite(v.mean)}
        # one run allows no interval: its bar has no length
        half = [v.high - v.mean if np.isfinite(v.high) else 0 for v in finite.values()]
        lines.append(
            go.Scatter(
                x=[label(level, 30) for level in finite],
                y=[v.mean for v in finite.values()],
                error_y={"type": "data", "array": half, "thickness": 1.2},
                mode="lines+markers",
                line={"color": PALETTE[i % len(PALETTE)], "width": 2},
                name=label(f"{pair.by}: {line}", 40),
                visible=visible,
                hovertemplate=f"%{{x}}, {label(line, 40)}: {value}<extra></extra>",
            )
        )
    return lines


INTERACTIONS_FIGURE = Figure(
    name="interactions",
    section="statistics",
    needs="two factors",
    text=FigureText(
        "Interaction of factors",
        "Mean over runs, and over all further factors, with 95 % intervals. Parallel lines: the "
        "factors work by themselves.",
        "Lines that cross: the best level of one factor depends on the other, and neither can be "
        "recommended alone.",
    ),
    compute=compute_interactions,
    plot=plot_interactions,
)
