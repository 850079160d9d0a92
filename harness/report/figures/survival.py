"""The share of runs that have not reached a target yet: Kaplan–Meier curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from harness.analysis.claims.times import times_to
from harness.analysis.results import Results
from harness.report.style import Look, faint, label, layout, legend_height
from harness.spec.claims.fields import Goal
from harness.stats import Survival, kaplan_meier


class SurvivalCurves(NamedTuple):
    """The curves of all arms for one target."""

    metric: str
    target: float
    unit: str
    arms: dict[str, Survival]
    ends: dict[str, float]
    """How long each arm was watched."""


def compute_survival(results: Results, goal: Goal, arms: list[str]) -> SurvivalCurves:
    """Gather when the runs of every arm reached the goal."""
    times = {arm: times_to(results, arm, goal) for arm in arms}
    known = {
        arm: reached
        for arm, reached in times.items()
        if reached and all(np.isfinite([t.time for t in reached]))
    }
    curves = {arm: kaplan_meier(reached) for arm, reached in known.items()}
    ends = {arm: max(t.time for t in reached) for arm, reached in known.items()}
    return SurvivalCurves(goal.metric, goal.target, goal.unit, curves, ends)


def plot_survival(data: SurvivalCurves, looks: Mapping[str, Look]) -> go.Figure:
    """Draw a staircase an arm, down to where it was watched no longer."""
    figure = go.Figure()
    for arm, curve in data.arms.items():
        look, name = looks[arm], label(arm, 40)
        x = np.append(curve.times, max(data.ends[arm], curve.times[-1]))
        shared = {"legendgroup": arm, "name": name, "meta": {"kind": "survival", "arm": arm}}
        low, high = (np.append(side, side[-1]) for side in (curve.low, curve.high))
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
        figure.add_scatter(
            x=x,
            y=np.append(curve.share, curve.share[-1]),
            mode="lines",
            line={"color": look.colour, "dash": look.dash, "width": 2.2, "shape": "hv"},
            hovertemplate=f"%{{x:.5g}} {data.unit}: %{{y:.0%}} still on their way<extra>{name}</extra>",
            **shared,
        )
    figure.update_layout(
        layout(
            xaxis={
                "title": {"text": f"{data.unit} to {label(data.metric)} {data.target:g}"},
                "rangemode": "tozero",
            },
            yaxis={"title": {"text": "not there yet"}, "tickformat": ".0%", "range": [-0.02, 1.02]},
            height=380 + legend_height(len(data.arms)),
        )
    )
    return figure
