"""The best trial to be expected, as a function of the tuning budget."""

from __future__ import annotations

import math

import plotly.graph_objects as go

from harness.analysis.budget import Budget, winner_by_budget
from harness.report.figures.base import Figure, FigureContext, Looks
from harness.report.metric_labels import metric_label
from harness.report.page_figure import FigureText
from harness.report.style import faint, label, layout, legend_height


def compute_budget(context: FigureContext) -> Budget | None:
    """Return the expected best objective of each arm after 1, 2, … trials (Dodge et al. 2019).

    Returns:
        The curves up to the smallest number of trials that an arm had; None where nothing was
        searched, or with one trial only: a curve needs two budgets.
    """
    budget = winner_by_budget(context.results)
    return budget if budget is not None and len(budget.budgets) > 1 else None


def plot_budget(data: Budget, looks: Looks) -> go.Figure:
    """Draw each arm's expected best objective after n trials, with its 95 % interval."""
    figure = go.Figure()
    x = list(data.budgets)
    for arm, curve in data.arms.items():
        if math.isnan(curve[0].mean):  # all of the arm's trials diverged or failed
            continue
        look, name = looks[arm], label(arm, 40)
        shared = {"legendgroup": arm, "name": name, "meta": {"kind": "budget", "arm": arm}}
        # the interval is an outline: along the upper ends, and back along the lower ones
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
            yaxis={"title": {"text": f"expected best {metric_label(data.objective)}"}},
            height=400 + legend_height(len(data.arms)),
        )
    )
    return figure


def _text(budget: Budget) -> FigureText:
    """Return the words, which name the leader by budget."""
    turns = [f"from {n} trials on {arm} leads" for n, arm in budget.changes]
    then = f"; {'; '.join(turns)}." if turns else ", and so it stays."
    exact = (
        "Exact, since trials were independent."
        if budget.exact
        else "Only a description, since later trials learn from earlier."
    )
    return FigureText(
        "Winner by tuning budget",
        "Validation objective to be expected of the best of n trials (Dodge et al. 2019), with "
        "bootstrap intervals. "
        f"With one trial {budget.leaders[0]} leads{then} {exact}",
        "Curves that still move at the right end: more trials would change the answer.",
    )


BUDGET_FIGURE = Figure(
    name="budget",
    section="search",
    needs="a search of two trials for each arm",
    text=_text,
    compute=compute_budget,
    plot=plot_budget,
)
