"""The page of a study that is running."""

from __future__ import annotations

from harness.analysis.live import newest, progress, so_far, spec_of
from harness.analysis.results import load
from harness.report import texts
from harness.report.figures.curves import compute_curves
from harness.report.page import fill_page, render
from harness.report.sections import METRICS, curve_of
from harness.report.style import looks
from harness.spec.arms import arms
from harness.tracking import Reader

EVERY = 10
"""Seconds between two renewals of the page."""


def render_so_far(name: str, uri: str | None = None) -> str:
    """Return a study's report if it has been run to its end, else what it has so far.

    Raises:
        StoreError: it has not begun.
    """
    reader = Reader.of(name, uri)
    if reader.complete():
        return render(load(name, uri))
    study = spec_of(reader)
    names = [arm.name for arm in arms(study)]
    look = looks(names)
    curves = newest(so_far(reader, study).curves)
    drawn = [data for metric in METRICS if (data := compute_curves(curves, metric, names)).bands]
    figures = [
        curve_of(f"curves-{d.metric}", texts.Text(d.metric.capitalize(), ""), d, look)
        for d in drawn
    ]
    return fill_page(
        "watch.html",
        study=study,
        rows=progress(reader, study),
        looks=look,
        figures=figures,
        units=drawn[0].units if drawn else (),
        stage=curves["stage"].iloc[0] if len(curves) else "",
        every=EVERY,
    )
