"""The share of an arm's runs that are at least as good as a value."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from harness.report.figures.base import Figure, FigureContext, Looks
from harness.report.metric_labels import axis_title, value_axis, value_format
from harness.report.page_figure import FigureText
from harness.report.style import label, layout, legend_height


class ScoreProfile(NamedTuple):
    """Each arm's runs from best to worst.

    A run that diverged counts in the shares; its value is infinite, which has no place on the axis.
    """

    metric: str
    maximize: bool
    arms: dict[str, tuple[np.ndarray, np.ndarray]]
    """Values and shares of runs at least as good, by arm."""


def compute_profile(context: FigureContext) -> ScoreProfile | None:
    """Sort each arm's runs (Dolan & Moré 2002; Agarwal et al. 2021).

    The share at τ is |{runs with a value at least as good as τ}| / |runs|.

    Returns:
        None where no run has a finite value.
    """
    answer, arms = context.answer, {}
    for place in answer.ranking:
        values = place.values.ravel()
        finite = np.sort(values[np.isfinite(values)])
        best_first = finite[::-1] if answer.maximize else finite
        if len(finite):
            # k of all runs, the diverged ones among them, are at least as good as the k-th best
            arms[place.arm] = best_first, np.arange(1, len(finite) + 1) / len(values)
    return ScoreProfile(answer.metric, answer.maximize, arms) if arms else None


def plot_profile(data: ScoreProfile, looks: Looks) -> go.Figure:
    """Draw a staircase for each arm, from its best run to its worst."""
    figure, number = go.Figure(), value_format(data.metric)
    for arm, (values, shares) in data.arms.items():
        name = label(arm, 40)
        figure.add_scatter(
            x=[values[0], *values],
            y=[0, *shares],
            mode="lines",
            line={"color": looks[arm].colour, "dash": looks[arm].dash, "width": 2.2, "shape": "hv"},
            name=name,
            legendgroup=arm,
            meta={"kind": "profile", "arm": arm},
            hovertemplate=f"%{{y:.0%}} of runs reach %{{x:{number}}}<extra>{name}</extra>",
        )
    # logarithmic for losses, which often differ by orders of magnitude, and not for accuracies
    positive = all((values > 0).all() for values, _ in data.arms.values())
    wide = positive and not data.maximize
    better = "larger" if data.maximize else "smaller"
    figure.update_layout(
        layout(
            xaxis={
                **value_axis(data.metric, f"{axis_title(data.metric)}, {better} is better"),
                "autorange": True if data.maximize else "reversed",
                "type": "log" if wide else "linear",
            },
            yaxis={
                "title": {"text": "runs at least as good"},
                "tickformat": ".0%",
                "range": [-0.02, 1.02],
            },
            height=380 + legend_height(len(data.arms)),
        )
    )
    return figure


PROFILE_FIGURE = Figure(
    name="profile",
    section="statistics",
    needs="a run that did not diverge",
    text=FigureText(
        "Runs at least as good as a value",
        "For each value, the share of an arm's runs that are at least as good, better values to "
        "the right (Dolan & Moré 2002; Agarwal et al. 2021). The higher the staircase the better "
        "the arm; one that ends below 100 % has runs that diverged.",
        "Staircases that cross: which arm is better depends on whether you need a good run or a "
        "safe one.",
    ),
    compute=compute_profile,
    plot=plot_profile,
)
