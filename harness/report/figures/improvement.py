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

MOST_COLUMN_HEADS = 20
"""Columns up to which a phone has room for the number of each."""
LONGEST_NAME, LONGEST_LINE = 40, 14
"""Characters of an arm's name, and of a line of it."""


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
    """Draw a square for each ordered pair: blue where the row wins, orange where it loses.

    Arms are numbered from the best on, and the columns have numbers alone: names would not fit over
    them on a phone, nor anywhere where there are many.
    """
    numbers = [str(place + 1) for place in range(len(data.arms))]
    rows = [
        f"{_on_two_lines(arm)} · {number}" for arm, number in zip(data.arms, numbers, strict=True)
    ]
    written = len(data.arms) <= MOST_ARMS_WRITTEN
    figure = go.Figure(
        go.Heatmap(
            z=data.shares,
            x=numbers,
            y=rows,
            zmin=0,
            zmax=1,
            # orange and blue of the palette, which all can tell apart
            colorscale=[[0, "#D55E00"], [0.5, "#F2F2F2"], [1, "#0072B2"]],
            texttemplate="%{z:.0%}" if written else None,
            hovertemplate="%{y} beats %{x} in %{z:.0%} of pairs of runs<extra></extra>",
            showscale=False,  # it would take a phone's width from the squares; the text tells it
            hoverongaps=False,  # the diagonal says nothing
        )
    )
    side = 40 if written else 28
    every = 1 if len(rows) <= MOST_COLUMN_HEADS else 5
    shared = {"showgrid": False, "dtick": 1, "tickfont": {"size": 13 if written else 10}}
    figure.update_layout(
        layout(
            height=80 + side * len(rows),
            # of categories: the numbers are names here
            xaxis=shared | {"side": "top", "type": "category", "tickangle": 0, "dtick": every},
            yaxis=shared | {"autorange": "reversed"},
        )
    )
    return figure


def _on_two_lines(arm: str) -> str:
    """Return an arm's name, a long one broken at the blank nearest its middle: as Plotly's text."""
    plain = arm if len(arm) <= LONGEST_NAME else arm[: LONGEST_NAME - 1] + "…"
    blanks = [place for place, character in enumerate(plain) if character == " "]
    if len(plain) <= LONGEST_LINE or not blanks:
        return label(plain)
    middle = min(blanks, key=lambda place: abs(place - len(plain) / 2))
    return f"{label(plain[:middle])}<br>{label(plain[middle + 1 :])}"


IMPROVEMENT_FIGURE = Figure(
    name="improvement",
    section="statistics",
    needs="two arms whose runs all have a value",
    text=FigureText(
        "Who beats whom, and how often",
        "How often a run of the row's arm is better than a run of the arm with the column's "
        "number, over all pairs of runs (Mann & Whitney 1947; Agarwal et al. 2021). Blue: nearly "
        "always, white: as a coin falls, orange: hardly ever.",
        "An arm with the better mean that wins less than half of its pairs: a few runs make its "
        "mean.",
    ),
    compute=compute_improvement,
    plot=plot_improvement,
)
