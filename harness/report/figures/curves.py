"""A metric over training: its centre with an interval, and every run on demand.

Traces are made as plain dictionaries, since ``go.Figure`` would check every number of the hundreds
of curves that a page may have. In notebooks they have coordinates; on the page its script
(``assets/page/curves.js``) fills these in.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from harness.report.figures.base import AnyFigure, Figure, FigureContext, FigureSet, Looks
from harness.report.figures.curve_data import (
    MAIN_METRICS,
    Band,
    MetricCurves,
    Single,
    compute_curves,
    other_metrics,
    paired_metrics,
)
from harness.report.figures.panels import panel_axes, panel_layout
from harness.report.metric_labels import (
    axis_title,
    label_and_name,
    label_on_any_part,
    labels_of,
    title_on_any_part,
    value_axis,
    value_format,
)
from harness.report.page_figure import FigureText, PlainFigure
from harness.report.style import WIDE_RANGE, ArmStyle, faint, label, legend_height
from harness.report.thinning import round_digits

Trace = dict[str, object]


def plot_curves(data: MetricCurves, looks: Looks) -> go.Figure:
    """Draw means with intervals: held-out strong, training thin and pale.

    Training curves and single seeds are there and hidden; in a notebook, set ``visible`` of traces
    by their ``meta``.

    Args:
        data: the curves.
        looks: how each arm is drawn.
    """
    return go.Figure(_plain_curves(data, looks, coordinates=True))


def plot_linked_curves(data: MetricCurves, looks: Looks) -> PlainFigure:
    """Draw curves for the page: without the coordinates that its script takes from centres and
    positions.

    The script switches between units and between mean, median and IQM, so it needs all of them;
    what is drawn first would be in the file twice.
    """
    return _plain_curves(data, looks, coordinates=False)


def _plain_curves(data: MetricCurves, looks: Looks, coordinates: bool) -> PlainFigure:
    shown = {looks[band.arm].panel for band in data.bands}
    panels = [
        panel for panel in dict.fromkeys(own.panel for own in looks.values()) if panel in shown
    ]
    return {
        "data": [
            trace | panel_axes(panels.index(looks[band.arm].panel))
            # what is grey lies behind
            for band in sorted(data.bands, key=lambda band: not looks[band.arm].is_rest)
            for trace in _BandTraces(band, data.metric, looks[band.arm], coordinates).all()
        ],
        "layout": panel_layout(
            panels,
            {"title": {"text": data.units[0] if data.units else "step"}},
            {
                **value_axis(
                    _on_a_part(data.metric, next((band.part for band in data.bands), "")),
                    _title(data),
                ),
                "type": "log" if _spans_decades(data) else "linear",
            },
            legend_height(len({band.arm for band in data.bands})),
        ),
    }


def _on_a_part(metric: str, part: str) -> str:
    """Return the name that a metric is recorded by on a part of the data."""
    return f"{part}/{metric}" if part else metric


def _title(data: MetricCurves) -> str:
    """Return what the axis is called: without a part where both may be on it."""
    parts = {band.part for band in data.bands}
    return axis_title(data.metric) if parts == {""} else title_on_any_part(data.metric)


def _spans_decades(data: MetricCurves) -> bool:
    """Return whether the axis is logarithmic: all means above 0, and a loss or a wide range."""
    means = [band.centres["mean"][0] for band in data.bands if band.centres]
    if not means or not all((mean > 0).all() for mean in means):
        return False
    wide = max(mean.max() for mean in means) > WIDE_RANGE * min(mean.min() for mean in means)
    return data.metric == "loss" or bool(wide)


class _BandTraces(NamedTuple):
    """Makes the traces of one arm on one part of the data."""

    band: Band
    metric: str
    look: ArmStyle
    coordinates: bool
    """Whether traces get the x and y that the page's script would fill in."""

    def all(self) -> list[Trace]:
        """Return the interval's area, the centre, and a line for each seed, from back to front."""
        centre = self.band.centres.get("mean", np.empty((3, 0)))
        return [self._area(centre), self._line(centre[0]), *map(self._single, self.band.singles)]

    def _shared(self) -> Trace:
        """Return what all of the band's traces have: one group, so that the legend switches all."""
        return {
            "type": "scatter",
            "legendgroup": self.band.arm,
            "name": label(self.band.arm, 40),
            "showlegend": False,
            "visible": self._held_out,
            "mode": "lines",
        }

    @property
    def _held_out(self) -> bool:
        # whatever is not of the training data is drawn as held-out is: solid, and visible at first
        return self.band.part != "train"

    def _hover(self, seed: str) -> str:
        """Return what a point says of itself: where it is, its arm, seed and metric."""
        metric = _on_a_part(self.metric, self.band.part)
        source = f"{label(self.band.arm, 40)}{seed}, {label(metric)}"
        return f"%{{x:.5g}}: %{{y:{value_format(metric)}}}<extra>{source}</extra>"

    def _meta(self, kind: str) -> Trace:
        """Return what the page's script knows a trace by."""
        return {"kind": kind, "part": self.band.part, "arm": self.band.arm}

    def _x(self, at: np.ndarray) -> np.ndarray:
        """Return positions in the unit that is drawn first."""
        first: np.ndarray = next(iter(self.band.positions.values()))[at]
        return first

    def _area(self, centre_3T: np.ndarray) -> Trace:
        """Return the filled outline of the interval.

        Args:
            centre_3T: centre, low and high.
        """
        x, (centre, low, high) = self._x(self.band.at), centre_3T
        # a logarithmic axis has no place for what is not above 0: the area ends a little below the
        # lowest mean, at the share of it that LOWEST_SHARE in curves.js says too
        bottom = np.maximum(low, centre.min() * 0.2) if len(centre) and (centre > 0).all() else low
        # an interval without an end, of one seed, has no outline at all
        bottom = np.where(np.isfinite(low), bottom, np.nan)
        trace = self._shared() | {
            "fill": "toself",
            "hoverinfo": "skip",  # an area would catch the pointer before the line on it
            "line": {"width": 0, "color": self.look.colour},
            "fillcolor": faint(self.look.colour, 0.15),
            "meta": self._meta("band"),
        }
        if self.coordinates:
            # an outline: along the upper ends, and back along the lower ones
            trace["x"] = round_digits(np.concatenate([x, x[::-1]]))
            trace["y"] = round_digits(np.concatenate([high, bottom[::-1]]))
        return trace

    def _line(self, centre: np.ndarray) -> Trace:
        """Return the line of the centre (T,). Its ``meta`` has all that the page's script needs to
        draw the band in another unit or around another centre."""
        band = self.band
        trace = self._shared() | {
            "showlegend": self._held_out,
            "line": {
                "color": self.look.colour,
                "dash": self.look.dash,
                # training data are thin and pale: a dash means a factor, and nothing else
                "width": (1.1 if self.look.is_rest else 2.2) if self._held_out else 1.1,
            },
            "opacity": 1.0 if self._held_out else 0.55,
            "hovertemplate": self._hover(""),
            "meta": self._meta("mean")
            | {
                "label": label(self.look.end_label, 24) if self._held_out else "",
                "at": _places(band.at),
                "positions": {unit: round_digits(at) for unit, at in band.positions.items()},
                "centres": {
                    name: [round_digits(row) for row in rows_3T]
                    for name, rows_3T in band.centres.items()
                },
            },
        }
        if self.coordinates:
            trace |= {"x": round_digits(self._x(band.at)), "y": round_digits(centre)}
        return trace

    def _single(self, single: Single) -> Trace:
        """Return one seed's line, hidden at first."""
        trace = self._shared() | {
            "visible": False,
            # a seed's values are nowhere else in the file, so that the page gets them too
            "y": round_digits(single.values),
            "line": {"color": faint(self.look.colour, 0.55), "width": 0.8},
            # Plotly puts the seed in, so that all runs of an arm have the same text, held once
            "hovertemplate": self._hover(", seed %{meta.seed}"),
            "meta": self._meta("seed") | {"seed": single.seed, "at": _places(single.at)},
        }
        if self.coordinates:
            trace["x"] = round_digits(self._x(single.at))
        return trace


def _places(at: np.ndarray) -> list[int] | None:
    """Return the places (T,), or None if they are the first ones without a gap, as for any curve
    that was not thinned: that they need not be in the file."""
    return None if len(at) == 0 or at[-1] == len(at) - 1 else [int(i) for i in at]


def curves_text(metric: str) -> FigureText:
    """Return the words around the curves of a metric that has both training and held-out data."""
    return FigureText(
        f"{metric.capitalize()} over training",
        "Strong lines: held-out (validation) data; thin and pale: an equal number of training "
        "samples. Shaded: "
        "95 % interval, over runs or over the means of three searches or more, of the mean "
        "(Student), the median (order statistics) or the interquartile mean (Tukey & McLaughlin), "
        "as far as all of an arm's runs go; a median of fewer than six has none that holds 95 %. "
        "Arms are switched on and off above; zooming one of these figures zooms the others.",
        "A gap that opens between pale and strong is overfitting; a curve that still falls at "
        "the end was trained too short; a band that widens has runs that part.",
    )


def compute_metric(context: FigureContext, metric: str) -> MetricCurves | None:
    """Return the curves of a study's confirm runs, by arm.

    Args:
        context: the study.
        metric: such as "loss" for both parts of the data, or the full name of any other metric.

    Returns:
        None where no run recorded the metric.
    """
    declared = context.results.declared
    return compute_curves(context.curves, metric, context.arms, context.points, declared)


def _curves_figure(metric: str, text: FigureText) -> AnyFigure:
    """Return the figure of a metric: in the section of curves for loss and accuracy, else among the
    metrics."""
    main = metric in MAIN_METRICS
    return Figure(
        name=metric,
        key=f"curves-{metric}".replace("/", "-"),
        section="curves" if main else "metrics",
        needs=f"runs that recorded {metric}",
        text=text,
        compute=partial(compute_metric, metric=metric),
        plot=plot_curves,
        plot_linked=plot_linked_curves,
    )


def _by_metric(context: FigureContext) -> Iterator[AnyFigure]:
    """Yield the figures of loss and accuracy, of the recipe's metrics, and then those of all others
    by name, which have no words but these."""
    for metric in MAIN_METRICS:
        if any(f"{part}/{metric}" in context.curves for part in ("train", "valid")):
            yield _curves_figure(metric, curves_text(metric))
    for metric in paired_metrics(context.curves):
        with labels_of(context.results.study.recipe.declared):
            text = FigureText(label_on_any_part(metric), curves_text(metric).shows)
        yield _curves_figure(metric, text)
    for metric in other_metrics(context.curves):
        yield _curves_figure(metric, FigureText(label_and_name(metric), ""))


CURVES_FIGURES = FigureSet(
    name="curves",
    needs="runs that recorded a metric",
    about="A metric over training: 'loss', 'accuracy', or a recorded name such as 'gradient/all'.",
    figures=_by_metric,
)
