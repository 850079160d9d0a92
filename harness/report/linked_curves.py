"""The curves of loss and accuracy on pages about several studies, or one that still runs.

Reports of finished studies have them by way of the registry; these pages have no answer, and so no
:class:`harness.report.figures.base.FigureContext`.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from harness.report.figures.base import Looks
from harness.report.figures.curve_data import MAIN_METRICS, compute_curves
from harness.report.figures.curves import curves_text, plot_linked_curves
from harness.report.page_figure import FigureText, PageFigure, linked_page_figure


def main_curves(
    curves: pd.DataFrame, arms: Sequence[str], looks: Looks, explained: bool = True
) -> list[PageFigure]:
    """Return the figures of loss and accuracy, those of them that were recorded.

    Args:
        curves: rows of :attr:`harness.analysis.results.Results.curves`.
        arms: the arms in the order they are drawn.
        looks: how each arm is drawn.
        explained: whether the figures have the words on how to read them.
    """
    figures = []
    for metric in MAIN_METRICS:
        data = compute_curves(curves, metric, arms)
        if data is not None:
            text = curves_text(metric) if explained else FigureText(metric.capitalize(), "")
            drawn = plot_linked_curves(data, looks)
            figures.append(linked_page_figure(f"curves-{metric}", text, drawn))
    return figures
