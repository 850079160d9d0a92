"""The page of a study that is running, which ``harness watch`` serves.

It reads the store at every call and keeps nothing, so that it shows a study of any process.
"""

from __future__ import annotations

from harness.analysis.live import (
    collect_so_far,
    read_study,
    say_state,
    select_newest,
    summarize_arms,
)
from harness.analysis.results import load
from harness.report.figures.curve_data import units_of
from harness.report.linked_curves import main_curves
from harness.report.page import render
from harness.report.style import assign_looks
from harness.report.template import fill_page
from harness.spec.arms import build_arms
from harness.tracking import Reader

EVERY = 10
"""Seconds between two renewals of the page."""


def render_so_far(name: str, uri: str | None = None) -> str:
    """Return a study's report if it has been run to its end, else a page of what it has so far.

    Args:
        name: of the study.
        uri: MLflow tracking URI; by default as for :func:`harness.analysis.results.load`.

    Returns:
        A page that the browser loads again every :data:`EVERY` seconds, until it is the report.

    Raises:
        NoStudyError: it has not begun.
    """
    reader = Reader.of(name, uri)
    if reader.complete():
        return render(load(name, uri))
    study = read_study(reader)
    # by the spec and not by the runs, so that an arm that has none yet has its colour already
    names = [arm.name for arm in build_arms(study)]
    arm_looks = assign_looks(names)
    curves = select_newest(collect_so_far(reader, study).curves)
    rows = summarize_arms(reader, study)
    return fill_page(
        "watch.html",
        study=study,
        rows=rows,
        state=say_state(reader, rows),
        looks=arm_looks,
        figures=main_curves(curves, names, arm_looks, explained=False),
        units=units_of(curves),
        stage=curves["stage"].iloc[0] if len(curves) else "",
        every=EVERY,
    )
