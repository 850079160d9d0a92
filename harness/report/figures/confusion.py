"""Which classes each arm takes for which."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from harness.report.figures.base import Figure, FigureContext, Looks
from harness.report.page_figure import FigureText
from harness.report.style import arm_menu, label, layout

MOST_CLASSES_WRITTEN = 12
"""Classes up to which the squares are large enough for their shares in figures."""


class ConfusionMaps(NamedTuple):
    """Shares of each true class (rows) by predicted class (columns), over all runs, by arm."""

    arms: dict[str, np.ndarray]


def compute_confusion(context: FigureContext) -> ConfusionMaps | None:
    """Add up the counts of an arm's runs and divide each row by its sum.

    shares[i, j] = n_ij / Σⱼ n_ij, with n_ij the samples of class i taken for j, over all runs.

    Returns:
        (classes, classes) by arm, with rows of NaN for classes without samples; None where no run
        was watched by :class:`harness.probes.confusion.Confusion`.
    """
    maps = {}
    for arm, arrays in context.arrays.items():
        if "confusion/matrix" in arrays:
            counts = arrays["confusion/matrix"].sum(axis=0)
            samples = counts.sum(axis=1)
            # NaN and not 0: of a class without samples no share is known
            maps[arm] = counts / np.where(samples > 0, samples, np.nan)[:, None]
    return ConfusionMaps(maps) if maps else None


def plot_confusion(data: ConfusionMaps, looks: Looks) -> go.Figure:
    """Draw the map of one arm, with a menu of arms."""
    figure = go.Figure()
    for i, (arm, shares) in enumerate(data.arms.items()):
        figure.add_heatmap(
            z=np.round(shares, 4),  # shown as whole percents; more digits would only be bytes
            zmin=0,
            zmax=1,
            colorscale="Blues",
            visible=i == 0,
            texttemplate="%{z:.0%}" if len(shares) <= MOST_CLASSES_WRITTEN else None,
            colorbar={"tickformat": ".0%", "thickness": 12},
            hovertemplate="class %{y} taken for %{x}: %{z:.1%}<extra>"
            + label(arm, 40)
            + "</extra>",
        )
    classes = max(len(shares) for shares in data.arms.values())
    # 30 pixels a class, up to a height that fits a screen; the rest is for menu and axis
    height = 200 + 30 * min(classes, 16)
    figure.update_layout(
        layout(
            height=height,
            xaxis={"title": {"text": "predicted class"}, "dtick": 1, "showgrid": False},
            yaxis={
                "title": {"text": "true class"},
                "dtick": 1,
                "showgrid": False,
                "autorange": "reversed",  # the first class at the top, as in a table
            },
            margin={"l": 10, "r": 10, "t": 70, "b": 10},
            updatemenus=arm_menu([*data.arms], height),
        )
    )
    return figure


CONFUSION_FIGURE = Figure(
    name="confusion",
    section="diagnostics",
    needs="the probe Confusion",
    text=FigureText(
        "Classes taken for others",
        "Held-out samples of each true class (rows) by the class they were taken for (columns), "
        "over all runs, at the last measurement. A perfect arm has a dark diagonal.",
        "A dark column: the arm answers with that class too often.",
    ),
    compute=compute_confusion,
    plot=plot_confusion,
)
