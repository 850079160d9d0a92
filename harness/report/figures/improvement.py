"""How often a run of one arm beats a run of another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from harness.report.figures.base import Figure, FigureContext, Looks
from harness.report.page_figure import FigureText
from harness.report.style import label, layout
from harness.stats import probability_of_improvement

MOST_ARMS_WRITTEN = 14
"""Arms up to which the squares are large enough for their shares in figures."""


class Improvement(NamedTuple):
    """P(a run of the row's arm is better than one of the column's), best arm first."""

    metric: str
    arms: tuple[str, ...]
    shares: np.ndarray
    """(arms, arms); NaN on the diagonal."""


def compute_improvement(context: FigureContext) -> Improvement | None:
    """Return the probability of improvement P(X > Y) + P(X = Y) / 2 of every ordered pair of arms.

    All runs of one arm are compared with all of the other (Mann & Whitney 1947; Agarwal et al.
    2021), not run by run.

    Returns:
        Shares (arms, arms) in the order of the ranking; None for fewer than two arms whose runs all
        have a value. A run that diverged has one: the worst.
    """
    answer = context.answer
    places = [place for place in answer.ranking if not np.isnan(place.values).any()]
    if len(places) < 2:
        return None
    # probability_of_improvement() counts larger values as better
    sign = 1 if answer.maximize else -1
    values = [sign * place.values.ravel() for place in places]
    shares = np.array([[probability_of_improvement(a, b) for b in values] for a in values])
    np.fill_diagonal(shares, np.nan)  # an arm against itself: left blank
    return Improvement(answer.metric, tuple(place.arm for place in places), shares)


def plot_improvement(data: Improvement, looks: Looks) -> go.Figure:
    """Draw a square for each ordered pair: blue where the row wins, orange where it loses."""
    names = [label(arm, 40) for arm in data.arms]
    written = len(names) <= MOST_ARMS_WRITTEN
    figure = go.Figure(
        go.Heatmap(
            z=data.shares,
            x=names,
            y=names,
            zmin=0,
            zmax=1,
            # orange and blue of the palette, which all can tell apart
            colorscale=[[0, "#D55E00"], [0.5, "#F2F2F2"], [1, "#0072B2"]],
            texttemplate="%{z:.0%}" if written else None,
            hovertemplate="%{y} beats %{x} in %{z:.0%} of pairs of runs<extra></extra>",
            colorbar={"tickformat": ".0%", "thickness": 12},
            hoverongaps=False,  # the diagonal says nothing
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


IMPROVEMENT_FIGURE = Figure(
    name="improvement",
    section="statistics",
    needs="two arms whose runs all have a value",
    text=FigureText(
        "Who beats whom, and how often",
        "How often a run of the row's arm is better than a run of the column's, over all pairs of "
        "runs (Mann & Whitney 1947; Agarwal et al. 2021). 100 %: always; 50 %: a coin.",
        "An arm with the better mean that wins less than half of its pairs: a few runs make its "
        "mean.",
    ),
    compute=compute_improvement,
    plot=plot_improvement,
)
