"""A figure as a contributor adds it: this file would lie in harness/report/figures/."""

from __future__ import annotations

from typing import NamedTuple

import plotly.graph_objects as go

from harness.report.figures.base import Figure, FigureContext, Looks
from harness.report.page_figure import FigureText
from harness.report.style import label, layout


class WorstSeeds(NamedTuple):
    """The worst closing value of each arm."""

    metric: str
    arms: dict[str, float]


def compute_worst_seeds(context: FigureContext) -> WorstSeeds | None:
    """Return the worst of each arm's seeds; None where there is no arm."""
    answer = context.answer
    worst = min if answer.maximize else max
    arms = {place.arm: worst(place.values.ravel()) for place in answer.ranking}
    return WorstSeeds(answer.metric, arms) if arms else None


def plot_worst_seeds(data: WorstSeeds, looks: Looks) -> go.Figure:
    """Draw a bar for each arm."""
    figure = go.Figure()
    for arm, value in data.arms.items():
        figure.add_bar(x=[value], y=[label(arm, 40)], orientation="h", meta={"arm": arm})
    figure.update_layout(layout(xaxis={"title": {"text": label(data.metric)}}, height=300))
    return figure


WORST_SEEDS_FIGURE = Figure(
    name="worst_seeds",
    section="statistics",
    needs="an arm",
    text=FigureText("Worst seed of each arm", "The bar ends at the arm's worst closing value."),
    compute=compute_worst_seeds,
    plot=plot_worst_seeds,
)
