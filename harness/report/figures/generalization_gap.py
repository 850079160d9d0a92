"""How far held-out data fall behind training data over training."""

from __future__ import annotations

from harness.report.figures.base import Figure, FigureContext
from harness.report.figures.curve_data import MetricCurves, compute_curves
from harness.report.figures.curves import plot_curves, plot_linked_curves
from harness.report.page_figure import FigureText

GAP = "loss gap"
"""Name of the difference where a metric's name would stand."""


def compute_generalization_gap(context: FigureContext) -> MetricCurves | None:
    """Return held-out minus training loss as curves; None where no run recorded both.

    The difference is taken run by run and then averaged, so that its interval is that of a paired
    difference.
    """
    curves = context.curves
    if "train/loss" not in curves or "valid/loss" not in curves:
        return None
    gap = curves.assign(**{GAP: curves["valid/loss"] - curves["train/loss"]})
    return compute_curves(gap, GAP, context.arms, context.points)


GENERALIZATION_GAP_FIGURE = Figure(
    name="generalization_gap",
    section="diagnostics",
    needs="runs that recorded training and held-out loss",
    text=FigureText(
        "Generalization gap",
        "Held-out minus training loss, the mean with its 95 % interval.",
        "A gap that goes on growing while training goes on: stop earlier or regularize more.",
    ),
    compute=compute_generalization_gap,
    plot=plot_curves,
    plot_linked=plot_linked_curves,
)
