"""How much each hyperparameter mattered to reach good trials."""

from __future__ import annotations

from typing import NamedTuple

import plotly.graph_objects as go

from harness.report.figures.base import Figure, FigureContext, Looks
from harness.report.page_figure import FigureText
from harness.report.style import label, layout, legend_height


class Importance(NamedTuple):
    """Shares by hyperparameter, by arm; each arm's sum to 1."""

    arms: dict[str, dict[str, float]]


def compute_importance(context: FigureContext) -> Importance | None:
    """Return the shares of the arms with more than one hyperparameter (PED-ANOVA, Watanabe et al.
    2023).

    The search computed them when it ended.

    Returns:
        None where no arm had enough trials, or more than one hyperparameter: a single one has all
        of the importance.
    """
    several = {
        arm: dict(shares) for arm, shares in context.results.importances.items() if len(shares) > 1
    }
    return Importance(several) if several else None


def plot_importance(data: Importance, looks: Looks) -> go.Figure:
    """Draw a group of bars for each hyperparameter, one bar for each arm."""
    figure = go.Figure()
    names = list(dict.fromkeys(name for shares in data.arms.values() for name in shares))
    for arm, shares in data.arms.items():
        # arms may search different hyperparameters
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
            yaxis={"autorange": "reversed"},  # the first hyperparameter at the top
            height=130 + 18 * size + legend_height(len(data.arms)),
        )
    )
    return figure


IMPORTANCE_FIGURE = Figure(
    name="importance",
    section="search",
    needs="a search of two hyperparameters in an arm, with enough trials",
    text=FigureText(
        "Which hyperparameters mattered",
        "Share of each hyperparameter in reaching the better trials (PED-ANOVA, Watanabe et al. "
        "2023), within each arm.",
        "With few trials these shares are rough.",
    ),
    compute=compute_importance,
    plot=plot_importance,
)
