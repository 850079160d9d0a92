"""A report's figures as files of Plotly's own JSON, to be restyled in a document of one's own.

They are artifacts of the study's run in MLflow. ``plotly.io.read_json`` opens them.
"""

from __future__ import annotations

import json
from typing import Any

from harness.report.compact import short_numbers
from harness.report.figures.base import AnyFigure, FigureContext
from harness.report.figures.curve_data import MetricCurves
from harness.report.figures.registry import FIGURES
from harness.report.metric_labels import labels_of

NAMING = ("kind", "part", "arm")
"""What a trace's ``meta`` keeps, to choose traces by; the rest is for the page's script, which
draws curves around another centre and over another unit."""


def figure_files(context: FigureContext) -> dict[str, str]:
    """Return the figures of a report as JSON, by file names that tell what each shows.

    Args:
        context: what the figures are computed from.
    """
    with labels_of(context.results.study.recipe.declared):
        drawn = {
            f"{figure.id}.json": _as_json(figure, context)
            for entry in FIGURES
            for figure in entry.figures(context)
        }
    return {name: text for name, text in drawn.items() if text is not None}


def _as_json(figure: AnyFigure, context: FigureContext) -> str | None:
    """Return a figure in few bytes: without single runs, which are hidden in curves, without the
    template, 7 kB that Plotly puts in by itself, and with numbers as short as it can show them."""
    data = figure.data_of(context)
    if data is None:
        return None
    if isinstance(data, MetricCurves):
        data = data.without_runs()
    plain = json.loads(figure.plot(data, context.looks).to_json(validate=False))
    plain["layout"].pop("template", None)
    traces = [_with_naming(trace) for trace in plain["data"]]
    short = {"data": short_numbers(traces), "layout": short_numbers(plain["layout"])}
    return json.dumps(short, separators=(",", ":"))


def _with_naming(trace: dict[str, Any]) -> dict[str, Any]:
    meta = trace.get("meta", {})
    return trace | {"meta": {name: meta[name] for name in NAMING if name in meta}}
