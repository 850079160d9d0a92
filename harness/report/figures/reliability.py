"""Confidence against accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from harness.report.style import Look, label, layout, legend_height


class Reliability(NamedTuple):
    """Mean confidence, accuracy and samples of each filled bin, over all seeds, by arm."""

    arms: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]


def compute_reliability(arrays: Mapping[str, Mapping[str, np.ndarray]]) -> Reliability:
    """Pool the bins of an arm's runs (DeGroot & Fienberg 1983)."""
    found = {}
    for arm, mine in arrays.items():
        if "calibration/bins" in mine:
            count, confidence, accuracy = mine["calibration/bins"].transpose(1, 0, 2)
            total = count.sum(0)
            filled = total > 0
            pooled = [
                (count * part).sum(0)[filled] / total[filled] for part in (confidence, accuracy)
            ]
            found[arm] = pooled[0], pooled[1], total[filled]
    return Reliability(found)


def plot_reliability(data: Reliability, looks: Mapping[str, Look]) -> go.Figure:
    """Draw a line an arm over the diagonal of perfect calibration; larger marks are bins with more samples."""
    figure = go.Figure()
    figure.add_shape(
        type="line",
        x0=0,
        x1=1,
        y0=0,
        y1=1,
        line={"color": "rgba(128,128,128,.7)", "dash": "dash", "width": 1},
    )
    for arm, (confidence, accuracy, count) in data.arms.items():
        name = label(arm, 40)
        figure.add_scatter(
            x=confidence,
            y=accuracy,
            customdata=count,
            mode="lines+markers",
            line={"color": looks[arm].colour, "dash": looks[arm].dash, "width": 1.8},
            marker={"size": 4 + 14 * np.sqrt(count / count.sum()), "symbol": looks[arm].symbol},
            name=name,
            legendgroup=arm,
            meta={"kind": "reliability", "arm": arm},
            hovertemplate=f"confidence %{{x:.3f}}, accuracy %{{y:.3f}}, %{{customdata}} samples<extra>{name}</extra>",
        )
    figure.update_layout(
        layout(
            xaxis={"title": {"text": "mean confidence"}, "range": [0, 1.02]},
            yaxis={"title": {"text": "accuracy"}, "range": [0, 1.02]},
            height=420 + legend_height(len(data.arms)),
        )
    )
    return figure
