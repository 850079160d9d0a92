"""Confidence against accuracy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from harness.report.figures.base import Figure, FigureContext, Looks
from harness.report.page_figure import FigureText
from harness.report.style import REFERENCE_LINE, label, layout, legend_height

SHARES: dict[str, object] = {"range": [0, 1.02], "tickformat": ".0%"}
"""The axis of a share."""


class Reliability(NamedTuple):
    """Mean confidence, accuracy and samples of each filled bin, over all runs, by arm."""

    arms: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]


def compute_reliability(context: FigureContext) -> Reliability | None:
    """Pool the bins of an arm's runs, each weighted by its samples (DeGroot & Fienberg 1983).

    confidence_b = Σₛ n_sb confidence_sb / Σₛ n_sb over runs s, and accuracy_b alike.

    Returns:
        None where no run was watched by :class:`harness.probes.calibration.Calibration`.
    """
    arms = {}
    for arm, arrays in context.arrays.items():
        if "calibration/bins" in arrays:
            # (seeds, quantities, bins) with the quantities count, confidence and accuracy
            count, confidence, accuracy = arrays["calibration/bins"].transpose(1, 0, 2)
            total = count.sum(0)
            filled = total > 0
            pooled = [
                (count * part).sum(0)[filled] / total[filled] for part in (confidence, accuracy)
            ]
            arms[arm] = pooled[0], pooled[1], total[filled]
    return Reliability(arms) if arms else None


def plot_reliability(data: Reliability, looks: Looks) -> go.Figure:
    """Draw a line for each arm, over the diagonal of perfect calibration."""
    figure = go.Figure()
    figure.add_shape(type="line", x0=0, x1=1, y0=0, y1=1, line=REFERENCE_LINE)
    for arm, (confidence, accuracy, count) in data.arms.items():
        name = label(arm, 40)
        figure.add_scatter(
            x=confidence,
            y=accuracy,
            customdata=count,
            mode="lines+markers",
            line={"color": looks[arm].colour, "dash": looks[arm].dash, "width": 1.8},
            # the area of a mark, not its width, is in proportion to the samples
            marker={"size": 4 + 14 * np.sqrt(count / count.sum()), "symbol": looks[arm].symbol},
            name=name,
            legendgroup=arm,
            meta={"kind": "reliability", "arm": arm},
            hovertemplate="confidence %{x:.1%}, accuracy %{y:.1%}, %{customdata} samples"
            f"<extra>{name}</extra>",
        )
    figure.update_layout(
        layout(
            xaxis=SHARES | {"title": {"text": "mean confidence"}},
            yaxis=SHARES | {"title": {"text": "accuracy"}},
            height=420 + legend_height(len(data.arms)),
        )
    )
    return figure


RELIABILITY_FIGURE = Figure(
    name="reliability",
    section="diagnostics",
    needs="the probe Calibration",
    text=FigureText(
        "Confidence against accuracy",
        "Held-out samples in bins of confidence, over all runs; larger marks are bins with more "
        "samples. On the dashed line the classifier is as often right as it believes (Guo et al. "
        "2017).",
        "Marks below the line: too sure of itself; above it: not sure enough.",
    ),
    compute=compute_reliability,
    plot=plot_reliability,
)
