"""How often a run of one arm beats a run of another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from harness.analysis.answer import Answer
from harness.report.style import label, layout
from harness.stats import probability_of_improvement


class Improvement(NamedTuple):
    """P(a run of the row's arm is better than one of the column's), best arm first."""

    metric: str
    arms: tuple[str, ...]
    shares: np.ndarray


def compute_improvement(answer: Answer) -> Improvement | None:
    """Compare all runs of every two arms; None for fewer than two arms that were measured."""
    places = [place for place in answer.ranking if not np.isnan(place.values).any()]
    if len(places) < 2:
        return None
    sign = 1 if answer.maximize else -1
    values = [sign * np.array(place.values) for place in places]
    shares = np.array([[probability_of_improvement(a, b) for b in values] for a in values])
    np.fill_diagonal(shares, np.nan)
    return Improvement(answer.metric, tuple(place.arm for place in places), shares)


def plot_improvement(data: Improvement) -> go.Figure:
    """Draw a square an ordered pair: blue where the row wins, orange where the column does."""
    names = [label(arm, 40) for arm in data.arms]
    written = len(names) <= 14
    figure = go.Figure(
        go.Heatmap(
            z=data.shares,
            x=names,
            y=names,
            zmin=0,
            zmax=1,
            colorscale=[[0, "#D55E00"], [0.5, "#F2F2F2"], [1, "#0072B2"]],
            texttemplate="%{z:.0%}" if written else None,
            hovertemplate="%{y} beats %{x} in %{z:.0%} of pairs of runs<extra></extra>",
            colorbar={"tickformat": ".0%", "thickness": 12},
            hoverongaps=False,
        )
    )
    side = 40 if written else 22
    figure.update_layout(
        layout(
            height=170 + side * len(names),
            xaxis={"side": "top", "showgrid": False, "tickangle": -35, "dtick": 1},
            yaxis={"autorange": "reversed", "showgrid": False, "dtick": 1},
        )
    )
    return figure
