"""How much each hyperparameter mattered to reach good trials."""

from __future__ import annotations

from typing import NamedTuple

import plotly.graph_objects as go

from harness.report.style import Look, label, layout, legend_height


class Importance(NamedTuple):
    """Shares by hyperparameter, by arm; each arm's sum to 1."""

    arms: dict[str, dict[str, float]]


def compute_importance(importances: dict[str, dict[str, float]]) -> Importance:
    """Keep the arms whose search had enough trials to tell, and more than one hyperparameter."""
    return Importance({arm: shares for arm, shares in importances.items() if len(shares) > 1})


def plot_importance(data: Importance, looks: dict[str, Look]) -> go.Figure:
    """Draw a group of bars a hyperparameter."""
    figure = go.Figure()
    names = list(dict.fromkeys(name for shares in data.arms.values() for name in shares))
    for arm, shares in data.arms.items():
        own = [name for name in names if name in shares]
        figure.add_bar(
            y=[label(name) for name in own],
            x=[shares[name] for name in own],
            orientation="h",
            name=label(arm, 40),
            marker={"color": looks[arm].colour},
            meta={"kind": "bar", "arm": arm},
            legendgroup=arm,
            hovertemplate="%{x:.0%}<extra>" + label(arm) + "</extra>",
        )
    size = sum(len(shares) for shares in data.arms.values())
    figure.update_layout(
        layout(
            barmode="group",
            xaxis={"title": {"text": "importance"}, "tickformat": ".0%"},
            yaxis={"autorange": "reversed"},
            height=130 + 18 * size + legend_height(len(data.arms)),
        )
    )
    return figure
