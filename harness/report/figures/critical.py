"""A critical-difference diagram: mean ranks over seeds, and groups that are not told apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from harness import stats
from harness.analysis.answer import Answer
from harness.report.style import Look, label, layout


class Critical(NamedTuple):
    """Mean ranks, 1 the best."""

    metric: str
    arms: tuple[str, ...]
    """Best first."""
    ranks: tuple[float, ...]
    distance: float
    """Critical difference at 5 % (Nemenyi)."""
    groups: tuple[tuple[int, ...], ...]
    """Positions of arms that are not told apart."""
    p: float
    """Of Friedman's test, as Iman and Davenport correct it."""


def compute_critical(answer: Answer) -> Critical | None:
    """Rank the arms seed by seed; None for fewer than three arms or four seeds, or where a seed is missing."""
    values = np.array([place.values for place in answer.ranking])
    if len(values) < 3 or values.shape[1] < 4 or np.isnan(values).any():
        return None
    ranks = stats.average_ranks(values.T, answer.maximize)
    order = [int(i) for i in np.argsort(ranks, kind="stable")]
    distance = stats.critical_difference(len(values), values.shape[1])
    sorted_ranks = tuple(float(ranks[i]) for i in order)
    return Critical(
        answer.metric,
        tuple(answer.ranking[i].arm for i in order),
        sorted_ranks,
        distance,
        tuple(stats.cliques(sorted_ranks, distance)),
        stats.friedman(values.T * (-1 if answer.maximize else 1)).p,
    )


def plot_critical(data: Critical, looks: Mapping[str, Look]) -> go.Figure:
    """Draw a mark an arm at its mean rank, and a bar over every group that is not told apart."""
    figure = go.Figure()
    names = [label(arm, 40) for arm in data.arms]
    for group in data.groups:
        ends = [data.ranks[group[0]], data.ranks[group[-1]]]
        middle = names[group[len(group) // 2]]
        figure.add_scatter(
            x=[ends[0], ends[1]],
            y=[middle, middle],
            mode="lines",
            line={"color": "rgba(128,128,128,.55)", "width": 7},
            hovertemplate=f"not told apart: {label(', '.join(data.arms[i] for i in group), 200)}<extra></extra>",
            showlegend=False,
        )
    for arm, name, rank in zip(data.arms, names, data.ranks, strict=True):
        figure.add_scatter(
            x=[rank],
            y=[name],
            mode="markers",
            marker={"color": looks[arm].colour, "size": 12, "symbol": looks[arm].symbol},
            name=name,
            legendgroup=arm,
            showlegend=False,
            meta={"kind": "rank", "arm": arm},
            hovertemplate=f"mean rank %{{x:.2f}}<extra>{name}</extra>",
        )
    title = (
        f"mean rank on {label(data.metric)} (1 is best); critical difference {data.distance:.2f}"
    )
    figure.update_layout(
        layout(
            xaxis={"title": {"text": title}},
            yaxis={"categoryorder": "array", "categoryarray": names[::-1], "dtick": 1},
            height=110 + 24 * max(2, len(names)),
        )
    )
    return figure
