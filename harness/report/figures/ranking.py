"""Each arm's closing value: mean, interval and runs."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from harness.analysis.quantities import say
from harness.report.figures.base import Figure, FigureContext, Looks
from harness.report.metric_labels import quantity_of_metric, value_axis, value_format
from harness.report.page_figure import FigureText
from harness.report.style import label, layout
from harness.stats import Interval

WIDE_RANKING = 100
"""Ratio of the largest to the smallest mean above which the axis is logarithmic."""


class RankingRow(NamedTuple):
    """One arm of the figure."""

    arm: str
    mean: float
    low: float
    high: float
    """The interval; both ends are the mean where one run allows no interval."""
    runs: tuple[float, ...]
    """The value of each run that ended well."""


class Ranking(NamedTuple):
    """Arms from best to worst, those without a finite mean left out."""

    metric: str
    rows: tuple[RankingRow, ...]


def compute_ranking(context: FigureContext) -> Ranking | None:
    """Return the arms' means with their simultaneous intervals.

    Returns:
        None where no arm has a finite mean: all of its runs diverged.
    """
    rows = []
    for place in context.answer.ranking:
        mean, low, high = place.interval
        if not math.isfinite(mean):
            continue
        if not (math.isfinite(low) and math.isfinite(high)):  # one run
            low = high = mean
        rows.append(RankingRow(place.arm, mean, low, high, _finite(place.values)))
    return Ranking(context.answer.metric, tuple(rows)) if rows else None


def _finite(values_KS: np.ndarray) -> tuple[float, ...]:
    """Return the finite values, run by run."""
    return tuple(values_KS[np.isfinite(values_KS)].tolist())


def plot_ranking(data: Ranking, looks: Looks) -> go.Figure:
    """Draw one row for each arm: the mean with its interval, and a small dot for each run."""
    figure, number = go.Figure(), value_format(data.metric)
    for row in data.rows:
        look, name = looks[row.arm], label(row.arm, 40)
        said = say(Interval(row.mean, row.low, row.high), quantity_of_metric(data.metric))
        shared = {"mode": "markers", "name": name, "legendgroup": row.arm, "showlegend": False}
        figure.add_scatter(
            x=row.runs,
            y=[name] * len(row.runs),
            marker={"color": look.colour, "size": 6, "opacity": 0.4, "symbol": look.symbol},
            hovertemplate=f"%{{x:{number}}}<extra>{name}, one run</extra>",
            **shared,
        )
        figure.add_scatter(
            x=[row.mean],
            y=[name],
            marker={
                "color": look.colour,
                "size": 11,
                "symbol": look.symbol,
                "line": {"width": 1, "color": "white"},
            },
            error_x={
                "type": "data",
                "array": [row.high - row.mean],
                "arrayminus": [row.mean - row.low],
                "color": look.colour,
            },
            hovertemplate=f"{said}<extra>{name}</extra>",
            **shared,
        )
    figure.update_layout(
        layout(
            xaxis={
                **value_axis(data.metric),
                "type": "log" if _spans_decades(data) else "linear",
            },
            yaxis={
                "categoryorder": "array",
                # Plotly draws the first category at the bottom
                "categoryarray": [label(row.arm, 40) for row in reversed(data.rows)],
                "dtick": 1,
            },
            # 26 pixels a row, and 110 for the axis and the margins; one row alone looks squeezed
            height=110 + 26 * max(2, len(data.rows)),
        )
    )
    return figure


def _spans_decades(data: Ranking) -> bool:
    """Return whether the axis is logarithmic: all values above 0, and means far apart."""
    means = [row.mean for row in data.rows]
    positive = min(min(row.runs) for row in data.rows) > 0
    return positive and max(means) > WIDE_RANKING * min(means)


RANKING_FIGURE = Figure(
    name="ranking",
    section="ranking",
    needs="an arm that did not diverge",
    text=FigureText(
        "Closing value of each arm",
        "Each row is an arm with its tuned recipes frozen; the large mark is the mean over fresh "
        "runs, the bar its interval, all of which hold together, the small marks "
        "single runs. Overlapping bars do not by themselves mean equal: the table's p is paired by "
        "search and seed.",
        "One run far from the others of its arm: look at its row in the table of runs.",
    ),
    compute=compute_ranking,
    plot=plot_ranking,
)
