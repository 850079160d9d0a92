"""The share of an arm's runs that are at least so good."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from harness.analysis.answer import Answer
from harness.report.style import Look, label, layout, legend_height


class Profile(NamedTuple):
    """Each arm's runs from best to worst; those that diverged are left out of the values but not of the shares."""

    metric: str
    maximize: bool
    arms: dict[str, tuple[np.ndarray, np.ndarray]]
    """Values and shares of runs at least as good, by arm."""


def compute_profile(answer: Answer) -> Profile:
    """Sort the runs of each arm (Dolan & Moré 2002; Agarwal et al. 2021, figure 4)."""
    found = {}
    for place in answer.ranking:
        values = np.array(place.values)
        finite = np.sort(values[np.isfinite(values)])
        best_first = finite[::-1] if answer.maximize else finite
        if len(finite):
            found[place.arm] = best_first, np.arange(1, len(finite) + 1) / len(values)
    return Profile(answer.metric, answer.maximize, found)


def plot_profile(data: Profile, looks: Mapping[str, Look]) -> go.Figure:
    """Draw a staircase an arm, from its best run to its worst."""
    figure = go.Figure()
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
            hovertemplate=f"%{{y:.0%}} of runs reach %{{x:.5g}}<extra>{name}</extra>",
        )
    positive = all((values > 0).all() for values, _ in data.arms.values())
    wide = positive and not data.maximize
    better = "larger" if data.maximize else "smaller"
    figure.update_layout(
        layout(
            xaxis={
                "title": {"text": f"{label(data.metric)} ({better} is better)"},
                "autorange": True if data.maximize else "reversed",
                "type": "log" if wide else "linear",
            },
            yaxis={
                "title": {"text": "runs at least so good"},
                "tickformat": ".0%",
                "range": [-0.02, 1.02],
            },
            height=380 + legend_height(len(data.arms)),
        )
    )
    return figure
