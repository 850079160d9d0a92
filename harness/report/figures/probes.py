"""What probes measured: a figure of small panels for each probe, and its maps of layers.

A probe's docstring is its figure's caption, so a new probe has its words without a line here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from harness.core.metric_table import PARTS_IN_WORDS, RECORDED
from harness.probes.base import probes_of
from harness.report.figures.base import AnyFigure, Figure, FigureContext, FigureSet, Looks
from harness.report.figures.layers import (
    compute_layers,
    is_of_layer,
    layer_quantities,
    layers_text,
    plot_layers,
)
from harness.report.figures.panels import grid_meta
from harness.report.metric_labels import metric_label, value_axis, value_format
from harness.report.page_figure import FigureText
from harness.report.style import AXIS, WIDE_RANGE, label, layout, legend_height
from harness.report.thinning import round_digits

MOST_PANELS = 6
"""Panels of a figure at most; the other quantities can be chosen among the metrics."""
_ROW_HEIGHT = 250
"""Pixels of a row of panels."""
THRESHOLDS = {
    "curvature/sharpness": 1.0,
    "spread/ratio": 1.0,
    "alignment/gradients": 0.0,
    "alignment/updates": 0.0,
}
"""Where a quantity changes its meaning: a dashed line is drawn there."""
_CLASS_ACCURACY = re.compile(r"/accuracy\d+$")


class ProbePanel(NamedTuple):
    """One quantity over training, mean over runs."""

    metric: str
    log: bool
    lines: dict[str, tuple[np.ndarray, np.ndarray]]
    """Epochs and values by arm."""


class ProbePanels(NamedTuple):
    """The quantities of one probe that are not a layer's."""

    panels: tuple[ProbePanel, ...]


def compute_panels(context: FigureContext, prefix: str) -> ProbePanels | None:
    """Average the quantities of one probe over an arm's runs, epoch by epoch; None where none
    measured any.

    Left out are quantities of single layers, which have a map, and of single classes, which would
    be many.

    Args:
        context: the study.
        prefix: the probe's prefix.
    """
    names = [
        str(c)
        for c in context.curves
        if str(c).startswith(f"{prefix}/") and not is_of_layer(str(c))
    ]
    shown = [name for name in names if not _CLASS_ACCURACY.search(name)][:MOST_PANELS]
    panels = tuple(_panel(context, name) for name in shown)
    return ProbePanels(panels) if any(panel.lines for panel in panels) else None


def _panel(context: FigureContext, metric: str) -> ProbePanel:
    """Return the means over each arm's runs by epoch; an arm in which nothing was measured has no
    line."""
    lines, curves = {}, context.curves
    for arm in context.arms:
        measured = curves[curves["arm"] == arm].dropna(subset=[metric])
        means = measured.groupby("epoch")[metric].mean()
        if len(means):
            lines[arm] = means.index.to_numpy(dtype=float), means.to_numpy(dtype=float)
    # a panel without lines gets a linear axis
    values = np.concatenate([y for _, y in lines.values()]) if lines else np.ones(1)
    log = bool((values > 0).all()) and float(values.max()) > WIDE_RANGE * float(values.min())
    return ProbePanel(metric, log, lines)


def plot_panels(data: ProbePanels, looks: Looks) -> go.Figure:
    """Draw the panels two in a row."""
    rows = math.ceil(len(data.panels) / 2)
    figure = make_subplots(
        rows=rows,
        cols=2,
        subplot_titles=[_title(panel.metric) for panel in data.panels],
        horizontal_spacing=0.12,
        # a share of the whole figure, which grows with its rows: the gap stays as high
        vertical_spacing=0.3 / rows,
    )
    # an arm is in many panels, and once in the legend
    shown: set[str] = set()
    for i, panel in enumerate(data.panels):
        place = {"row": i // 2 + 1, "col": i % 2 + 1}
        for arm, points in panel.lines.items():
            line = _line(arm, panel.metric, points, looks, legend=arm not in shown)
            figure.add_trace(line, **place)
            shown.add(arm)
        if panel.metric in THRESHOLDS:
            line = {"color": "rgba(128,128,128,.8)", "dash": "dash", "width": 1}
            figure.add_hline(y=THRESHOLDS[panel.metric], line=line, **place)
        # subplots have axes of their own, which layout() does not style
        ticks = {**value_axis(panel.metric), "title": None}  # its title stands above the panel
        figure.update_yaxes({**AXIS, **ticks, "type": "log" if panel.log else "linear"}, **place)
        # of two in a row, the last two have nothing below them
        is_lowest = i >= len(data.panels) - 2
        figure.update_xaxes({**AXIS, "title": {"text": "epoch" if is_lowest else ""}}, **place)
    figure.update_layout(
        layout(
            height=110 + _ROW_HEIGHT * rows + legend_height(len(shown)),
            hovermode="closest",
            # a title of two lines
            margin={"l": 10, "r": 10, "t": 44, "b": 10},
            meta={"clipped": True, **grid_meta(len(data.panels), 2, _ROW_HEIGHT)},
        )
    )
    return figure


def _title(metric: str) -> str:
    """Return a panel's title: what people call the metric, and small, what it is recorded as."""
    known = metric_label(metric)
    return known if known == label(metric) else f"{known}<br><sup>{label(metric)}</sup>"


def _line(
    arm: str, metric: str, points: tuple[np.ndarray, np.ndarray], looks: Looks, legend: bool
) -> go.Scatter:
    """Return one arm's line of a panel.

    Args:
        arm: name of the arm.
        metric: the panel's metric, for the hover box.
        points: epochs and values, (T,) each.
        looks: how each arm is drawn.
        legend: whether the legend shows it: once for each arm, however many panels it is in.
    """
    x, y = points
    name, look = label(arm, 40), looks[arm]
    return go.Scatter(
        x=round_digits(x),
        y=round_digits(y),
        # a line through one point can't be seen
        mode="lines" if len(x) > 1 else "markers",
        line={"color": look.colour, "dash": look.dash, "width": 1.0 if look.is_rest else 1.8},
        name=name,
        legendgroup=arm,
        showlegend=legend,
        meta={"kind": "probe", "arm": arm},
        hovertemplate=f"epoch %{{x:.4g}}: %{{y:{value_format(metric)}}}"
        f"<extra>{name}, {label(metric)}</extra>",
    )


class _Shown(NamedTuple):
    """What a page knows of a probe."""

    prefix: str
    name: str
    caption: str


def _shown_probes(context: FigureContext) -> Iterator[_Shown]:
    """Yield the study's probes.

    A user's own code is not imported for a page: what no other part records is of their probes.
    """
    parts = context.results.study.probes
    known = probes_of(parts)
    for probe in known:
        yield _Shown(probe.prefix, probe.name, _caption(type(probe).__doc__ or ""))
    own = [part.name for part in parts if part not in known]
    if own:
        caption = f"Measured by {' or '.join(own)}."
        for prefix in _prefixes_of_nobody(context, {probe.prefix for probe in known}):
            yield _Shown(prefix, prefix, caption)


def _prefixes_of_nobody(context: FigureContext, known: set[str]) -> list[str]:
    """Return the first words of the recorded metrics that neither the harness nor a probe of its
    own records, in their order."""
    described = {name.partition("/")[0] for name in RECORDED} | set(PARTS_IN_WORDS) | known
    words = [name.partition("/")[0] for name in context.curves.columns if "/" in name]
    return [word for word in dict.fromkeys(words) if word not in described]


def _panels_of(probe: _Shown) -> AnyFigure:
    return Figure(
        name=probe.prefix,
        key=f"probe-{probe.prefix}",
        section="diagnostics",
        needs=f"runs in which the probe {probe.name} measured more than layers",
        text=FigureText(probe.name, probe.caption),
        compute=partial(compute_panels, prefix=probe.prefix),
        plot=plot_panels,
    )


def _layers_of(probe: _Shown, number: int, quantity: str) -> AnyFigure:
    return Figure(
        name=f"{probe.prefix} {quantity}".strip() + " by layer",
        key=f"layers-{probe.prefix}-{number}",
        section="diagnostics",
        needs=f"runs in which the probe {probe.name} measured layers",
        text=layers_text,
        compute=partial(compute_layers, prefix=probe.prefix, quantity=quantity),
        plot=plot_layers,
    )


def _by_probe(context: FigureContext) -> Iterator[AnyFigure]:
    """Yield each probe's panels and then its maps of layers."""
    for probe in _shown_probes(context):
        yield _panels_of(probe)
        for number, quantity in enumerate(layer_quantities(context.curves, probe.prefix)):
            yield _layers_of(probe, number, quantity)


def _caption(docstring: str) -> str:
    """Return a docstring as a caption.

    >>> _caption("Norms,\\n    of ``w``.")
    'Norms, of w.'
    """
    return " ".join(docstring.replace("``", "").split())


PROBES_FIGURES = FigureSet(
    name="probe",
    needs="probes",
    about="What a probe measured, by its prefix ('gradient'), or its map ('gradient by layer').",
    figures=_by_probe,
)
