"""The best trial to be expected, as a function of the tuning budget."""

from __future__ import annotations

import math

import plotly.graph_objects as go

from harness.analysis.budget import Budget
from harness.report.style import Look, faint, label, layout, legend_height


def plot_budget(data: Budget, looks: dict[str, Look]) -> go.Figure:
    """Draw an arm's expected best objective after n trials, with its 95 % interval."""
    figure = go.Figure()
    x = list(data.budgets)
    for arm, curve in data.arms.items():
        if math.isnan(curve[0].mean):
            continue
        look, name = looks[arm], label(arm, 40)
        shared = {"legendgroup": arm, "name": name, "meta": {"kind": "budget", "arm": arm}}
        figure.add_scatter(
            x=x + x[::-1],
            y=[i.high for i in curve] + [i.low for i in reversed(curve)],
            fill="toself",
            mode="lines",
            hoverinfo="skip",
            showlegend=False,
            line={"width": 0, "color": look.colour},
            fillcolor=faint(look.colour, 0.12),
            **shared,
        )
        figure.add_scatter(
            x=x,
            y=[i.mean for i in curve],
            mode="lines",
            line={"color": look.colour, "dash": look.dash, "width": 2.2},
            hovertemplate=f"%{{x}} trials: %{{y:.5g}}<extra>{name}</extra>",
            **shared,
        )
    figure.update_layout(
        layout(
            xaxis={"title": {"text": "trials"}},
            yaxis={"title": {"text": f"expected best {data.objective}"}},
            height=400 + legend_height(len(data.arms)),
        )
    )
    return figure
