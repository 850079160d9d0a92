"""Each arm's closing value: mean, interval and seeds."""

from __future__ import annotations

import math
from typing import NamedTuple

import plotly.graph_objects as go

from harness.analysis.answer import Answer
from harness.report.style import Look, label, layout


class RankingRow(NamedTuple):
    """One arm of the figure."""

    arm: str
    mean: float
    low: float
    high: float
    seeds: tuple[float, ...]


class Ranking(NamedTuple):
    """Arms from best to worst, those without a finite mean left out."""

    metric: str
    rows: tuple[RankingRow, ...]
    left_out: tuple[str, ...]


def compute_ranking(answer: Answer) -> Ranking:
    """Gather the ranking's finite means."""
    rows = [
        RankingRow(
            p.arm,
            p.interval.mean,
            *_finite(p.interval.mean, p.interval.low, p.interval.high),
            p.values,
        )
        for p in answer.ranking
        if math.isfinite(p.interval.mean)
    ]
    left_out = tuple(p.arm for p in answer.ranking if not math.isfinite(p.interval.mean))
    return Ranking(answer.metric, tuple(rows), left_out)


def _finite(mean: float, low: float, high: float) -> tuple[float, float]:
    return (low, high) if math.isfinite(low) and math.isfinite(high) else (mean, mean)


def _wide(data: Ranking) -> bool:
    """Return whether only a logarithmic axis shows all arms: all values above 0 and far apart."""
    lows = [min(row.seeds) for row in data.rows]
    return (
        bool(lows)
        and min(lows) > 0
        and max(row.mean for row in data.rows) > 100 * min(row.mean for row in data.rows)
    )


def plot_ranking(data: Ranking, looks: dict[str, Look]) -> go.Figure:
    """Draw a row an arm: the mean with its 95 % interval, and a small dot a seed."""
    figure = go.Figure()
    for row in data.rows:
        look, name = looks[row.arm], label(row.arm, 40)
        figure.add_scatter(
            x=row.seeds,
            y=[name] * len(row.seeds),
            mode="markers",
            name=name,
            legendgroup=row.arm,
            showlegend=False,
            marker={"color": look.colour, "size": 6, "opacity": 0.4, "symbol": look.symbol},
            hovertemplate="%{x:.5g}<extra>" + name + ", one seed</extra>",
        )
        figure.add_scatter(
            x=[row.mean],
            y=[name],
            mode="markers",
            name=name,
            legendgroup=row.arm,
            showlegend=False,
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
            hovertemplate=f"%{{x:.5g}} [{row.low:.5g}, {row.high:.5g}]<extra>{name}</extra>",
        )
    order = [label(row.arm, 40) for row in reversed(data.rows)]
    figure.update_layout(
        layout(
            xaxis={
                "title": {"text": label(data.metric)},
                "type": "log" if _wide(data) else "linear",
            },
            yaxis={"categoryorder": "array", "categoryarray": order, "dtick": 1},
            height=110 + 26 * max(2, len(data.rows)),
        )
    )
    return figure
