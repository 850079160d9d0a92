"""The best of n trials, as a function of the tuning budget."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from harness.analysis.budget import Budget, winner_by_budget
from harness.report.figures.base import Figure, FigureContext, Looks
from harness.report.metric_labels import metric_label, value_axis, value_format
from harness.report.page_figure import FigureText
from harness.report.style import faint, label, layout, legend_height
from harness.stats import Interval


def compute_budget(context: FigureContext) -> Budget | None:
    """Return the median best objective of each arm after 1, 2, … trials.

    Returns:
        The curves up to the smallest number of trials that an arm had; None where nothing was
        searched, or with one trial only: a curve needs two budgets.
    """
    budget = winner_by_budget(context.results)
    return budget if budget is not None and len(budget.budgets) > 1 else None


def plot_budget(data: Budget, looks: Looks) -> go.Figure:
    """Draw each arm's median best objective after n trials, with its 95 % interval."""
    figure, number = go.Figure(), value_format(data.objective)
    for arm, whole in data.arms.items():
        # a search that diverged throughout has no place on the axis
        x, curve = _finite(data.budgets, whole)
        if not x:
            continue
        look, name = looks[arm], label(arm, 40)
        shared = {"legendgroup": arm, "name": name, "meta": {"kind": "budget", "arm": arm}}
        # the interval is an outline: along the upper ends, and back along the lower ones
        figure.add_scatter(
            x=x + x[::-1],
            y=[_end(i.high, i) for i in curve] + [_end(i.low, i) for i in reversed(curve)],
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
            hovertemplate=f"%{{x}} trials: %{{y:{number}}}<extra>{name}</extra>",
            **shared,
        )
    figure.update_layout(
        layout(
            xaxis={"title": {"text": "trials"}},
            yaxis=value_axis(data.objective, f"median best {metric_label(data.objective)}"),
            height=400 + legend_height(len(data.arms)),
        )
    )
    return figure


def _finite(budgets: Sequence[int], curve: Sequence[Interval]) -> tuple[list[int], list[Interval]]:
    """Return the budgets whose median best is finite, and the curve there."""
    kept = [(n, best) for n, best in zip(budgets, curve, strict=True) if math.isfinite(best.mean)]
    return [n for n, _ in kept], [best for _, best in kept]


def _end(end: float, best: Interval) -> float:
    """Return an end of an interval, or the median where the end is a search that diverged."""
    return end if math.isfinite(end) else best.mean


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
        "Validation objective of the best of n trials: the median over searches of that many, with "
        "bootstrap intervals. A trial that diverged counts as worse than any other; a curve begins "
        "where most searches hold a trial that did not. "
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
