"""A critical-difference diagram: mean ranks, and groups of arms that are not told apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from harness import stats
from harness.analysis.values import in_blocks
from harness.report.figures.base import Figure, FigureContext, Looks
from harness.report.metric_labels import metric_label
from harness.report.page_figure import FigureText
from harness.report.style import label, layout

FEWEST_ARMS = 3
"""With two arms the ranks say no more than who won how often."""
FEWEST_BLOCKS = 4
"""With fewer, the critical difference is as wide as the ranks can lie apart."""


class MeanRanks(NamedTuple):
    """Mean ranks of the arms, 1 the best."""

    metric: str
    arms: tuple[str, ...]
    """Best first."""
    ranks: tuple[float, ...]
    distance: float
    """Critical difference at 5 %."""
    groups: tuple[tuple[int, ...], ...]
    """Positions of arms that are not told apart."""


def compute_critical_difference(context: FigureContext) -> MeanRanks | None:
    """Rank the arms run by run, or where a study speaks of methods search by search, and group
    those within the critical difference of each other.

    CD = q₀.₀₅ · √(k (k + 1) / 6n) for k arms and n runs or searches (Nemenyi 1963; Demšar 2006).

    Returns:
        None for fewer than three arms or four runs (searches), or where an arm lacks a value.
    """
    answer, scope = context.answer, context.results.study.scope
    # (arms, blocks); a run that diverged has the worst value, and so the last rank of its block
    values = np.array([in_blocks(place.values, scope) for place in answer.ranking])
    if len(values) < FEWEST_ARMS or values.shape[1] < FEWEST_BLOCKS or np.isnan(values).any():
        return None
    ranks = stats.average_ranks(values.T, answer.maximize)
    order = [int(i) for i in np.argsort(ranks, kind="stable")]
    distance = stats.critical_difference(len(values), values.shape[1])
    sorted_ranks = tuple(float(ranks[i]) for i in order)
    names = tuple(answer.ranking[i].arm for i in order)
    groups = tuple(stats.cliques(sorted_ranks, distance))
    return MeanRanks(answer.metric, names, sorted_ranks, distance, groups)


def plot_critical_difference(data: MeanRanks, looks: Looks) -> go.Figure:
    """Draw a mark for each arm at its mean rank, and a grey bar over arms not told apart."""
    figure = go.Figure()
    names = [label(arm, 40) for arm in data.arms]
    # bars first, so that marks lie on top; each in the row of its group's middle arm
    for group in data.groups:
        middle = names[group[len(group) // 2]]
        # longer than other labels: it appears in the hover box alone
        members = label(", ".join(data.arms[i] for i in group), 200)
        figure.add_scatter(
            x=[data.ranks[group[0]], data.ranks[group[-1]]],
            y=[middle, middle],
            mode="lines",
            line={"color": "rgba(128,128,128,.55)", "width": 7},
            hovertemplate=f"not told apart: {members}<extra></extra>",
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
    metric, distance = metric_label(data.metric), f"{data.distance:.2f}"
    title = f"mean rank on {metric} (1 is best); critical difference {distance}"
    figure.update_layout(
        layout(
            xaxis={"title": {"text": title}},
            # Plotly draws the first category at the bottom
            yaxis={"categoryorder": "array", "categoryarray": names[::-1], "dtick": 1},
            height=110 + 24 * max(2, len(names)),
        )
    )
    return figure


CRITICAL_DIFFERENCE_FIGURE = Figure(
    name="critical_difference",
    section="statistics",
    needs="three arms and four runs (of methods, four searches)",
    text=FigureText(
        "Mean rank",
        "Each seed (where the study speaks of methods: each search) ranks the arms; the mark is an "
        "arm's mean rank. A grey bar joins arms whose "
        "mean ranks are closer than the critical difference (Nemenyi 1963; Demšar 2006): they are "
        "not told apart. It is more cautious than the paired tests of the table.",
        "One bar over all arms: more repetitions are needed for any ranking.",
    ),
    compute=compute_critical_difference,
    plot=plot_critical_difference,
)
