"""The share of runs that have not reached a target yet: Kaplan–Meier curves."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from harness.analysis.claims.times import times_to
from harness.analysis.quantities import say_given
from harness.report.figures.base import AnyFigure, Figure, FigureContext, FigureSet, Looks
from harness.report.metric_labels import metric_label, plain_label, quantity_of_metric
from harness.report.page_figure import FigureText
from harness.report.style import faint, label, layout, legend_height
from harness.spec.claims.fields import Goal
from harness.stats import Survival, kaplan_meier


class SurvivalCurves(NamedTuple):
    """The curves of all arms for one target."""

    metric: str
    target: float
    unit: str
    arms: dict[str, Survival]
    ends: dict[str, float]
    """How long each arm's runs were watched."""


def compute_survival(context: FigureContext, goal: Goal) -> SurvivalCurves | None:
    """Estimate how long each arm's runs take to a goal (Kaplan & Meier 1958).

    Args:
        context: the study.
        goal: the metric, its target, and the unit of time. A run that misses it is censored at
            its planned length.

    Returns:
        The arms whose runs all have a time, reached or censored; None where there is none.
    """
    curves, ends = {}, {}
    for arm in context.arms:
        times = times_to(context.results, arm, goal)
        if times and all(np.isfinite([t.time for t in times])):
            curves[arm] = kaplan_meier(times)
            ends[arm] = max(t.time for t in times)
    if not curves:
        return None
    return SurvivalCurves(goal.metric, goal.target, goal.unit, curves, ends)


def plot_survival(data: SurvivalCurves, looks: Looks) -> go.Figure:
    """Draw a staircase for each arm with its interval, as far as the arm's runs were watched."""
    figure = go.Figure()
    for arm, curve in data.arms.items():
        look, name = looks[arm], label(arm, 40)
        # the last step is level as far as runs were watched: it must have an end to be drawn
        x = np.append(curve.times, max(data.ends[arm], curve.times[-1]))
        shared = {"legendgroup": arm, "name": name, "meta": {"kind": "survival", "arm": arm}}
        low, high = (np.append(side, side[-1]) for side in (curve.low, curve.high))
        # the interval is the area between two invisible staircases, the second filled up to the
        # first
        for side, fill in ((high, None), (low, "tonexty")):
            figure.add_scatter(
                x=x,
                y=side,
                mode="lines",
                line={"width": 0, "shape": "hv", "color": look.colour},
                fill=fill,
                fillcolor=faint(look.colour, 0.1),
                hoverinfo="skip",
                showlegend=False,
                **shared,
            )
        # the line last, so that it lies on top of its area
        figure.add_scatter(
            x=x,
            y=np.append(curve.share, curve.share[-1]),
            mode="lines",
            line={"color": look.colour, "dash": look.dash, "width": 2.2, "shape": "hv"},
            hovertemplate=f"%{{x:.5g}} {data.unit}: %{{y:.0%}} still on their way"
            f"<extra>{name}</extra>",
            **shared,
        )
    figure.update_layout(
        layout(
            xaxis={
                "title": {"text": f"{data.unit} to {metric_label(data.metric)} {_target(data)}"},
                "rangemode": "tozero",
            },
            yaxis={"title": {"text": "not there yet"}, "tickformat": ".0%", "range": [-0.02, 1.02]},
            height=380 + legend_height(len(data.arms)),
        )
    )
    return figure


def _target(data: SurvivalCurves) -> str:
    return say_given(data.target, quantity_of_metric(data.metric))


def _text(data: SurvivalCurves) -> FigureText:
    return FigureText(
        f"Runs on their way to {plain_label(data.metric)} {_target(data)}, by {data.unit}",
        "Share of an arm's runs that have not reached the target yet, with 95 % intervals (Kaplan "
        "& Meier 1958). The sooner a staircase falls to 0 the faster the arm.",
        "A staircase that ends above 0 has runs that never arrived, which are censored there.",
    )


def _by_goal(context: FigureContext) -> Iterator[AnyFigure]:
    """Yield a figure for each goal that claims name; claims may share one."""
    goals = [tested.claim.goal for tested in context.answer.claims]
    for number, goal in enumerate(dict.fromkeys(goal for goal in goals if goal is not None)):
        yield Figure(
            name=f"{goal.metric} {goal.target:g} by {goal.unit}",
            key=f"survival-{number}",
            section="ranking",
            needs=f"runs that recorded {goal.metric}",
            text=_text,
            compute=partial(compute_survival, goal=goal),
            plot=plot_survival,
        )


SURVIVAL_FIGURES = FigureSet(
    name="survival",
    needs="a claim with a target",
    about="The share of runs that have not reached a claim's target yet.",
    figures=_by_goal,
)
