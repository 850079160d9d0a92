"""Which classes each arm takes for which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from harness.report.style import arm_menu, label, layout


class ConfusionMaps(NamedTuple):
    """Shares of each true class (rows) by predicted class (columns), over all seeds, by arm."""

    arms: dict[str, np.ndarray]


def compute_confusion(arrays: Mapping[str, Mapping[str, np.ndarray]]) -> ConfusionMaps:
    """Add the counts of an arm's runs; rows of classes without samples are left empty."""
    counts = {
        arm: found["confusion/matrix"].sum(axis=0)
        for arm, found in arrays.items()
        if "confusion/matrix" in found
    }
    return ConfusionMaps(
        {arm: c / np.where(c.sum(1) > 0, c.sum(1), np.nan)[:, None] for arm, c in counts.items()}
    )


def plot_confusion(data: ConfusionMaps) -> go.Figure:
    """Draw the map of one arm, with a menu of arms."""
    figure = go.Figure()
    for i, (arm, shares) in enumerate(data.arms.items()):
        figure.add_heatmap(
            z=np.round(shares, 4),
            zmin=0,
            zmax=1,
            colorscale="Blues",
            visible=i == 0,
            texttemplate="%{z:.0%}" if len(shares) <= 12 else None,
            colorbar={"tickformat": ".0%", "thickness": 12},
            hovertemplate="class %{y} taken for %{x}: %{z:.1%}<extra>"
            + label(arm, 40)
            + "</extra>",
        )
    classes = max((len(shares) for shares in data.arms.values()), default=0)
    height = 200 + 30 * min(classes, 16)
    figure.update_layout(
        layout(
            height=height,
            xaxis={"title": {"text": "predicted class"}, "dtick": 1, "showgrid": False},
            yaxis={
                "title": {"text": "true class"},
                "dtick": 1,
                "showgrid": False,
                "autorange": "reversed",
            },
            margin={"l": 10, "r": 10, "t": 70, "b": 10},
            updatemenus=arm_menu([*data.arms], [*data.arms], height),
        )
    )
    return figure
