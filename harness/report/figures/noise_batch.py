"""The gradient noise scale against the batch size that was used."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go

from harness.core.metric_names import recorded_sources
from harness.report.figures.base import Figure, FigureContext, Looks
from harness.report.page_figure import FigureText
from harness.report.style import REFERENCE_LINE, label, layout

VARIANCE, SIGNAL = recorded_sources("mean/noise/scale")
"""What :class:`harness.probes.noise.NoiseScale` records, whose ratio is the noise scale."""


class NoiseAtBatch(NamedTuple):
    """One arm's batch size, and its noise scale in the second half of training."""

    batch_size: float
    median: float
    """Median over runs."""
    low: float
    high: float
    """Lowest and highest run."""


class NoiseBatch(NamedTuple):
    """Noise scales by arm."""

    arms: dict[str, NoiseAtBatch]


def compute_noise_batch(context: FigureContext) -> NoiseBatch | None:
    """Gather the arms with noise scales (McCandlish et al. 2018) above 0.

    Of each run the mean variance over the mean signal of the second half of its steps: the scale
    grows while the gradient shrinks, and single estimates scatter.

    Returns:
        None where no run measured it, or none got an estimate above 0.
    """
    curves = context.curves
    if not {VARIANCE, SIGNAL} <= set(curves):
        return None
    middle = curves.groupby("run_id")["step"].transform("max") / 2
    late = curves[curves["step"] >= middle].dropna(subset=[VARIANCE, SIGNAL])
    arms = {}
    for arm in context.arms:
        means = late[late["arm"] == arm].groupby("seed")[[VARIANCE, SIGNAL]].mean()
        scales = means[VARIANCE] / means[SIGNAL]
        # the estimate may fall below 0, which a logarithmic axis can't show
        positive = scales[scales > 0]
        # the same in all of an arm's runs, since their recipe is frozen
        sizes = context.results.by_arm[arm].get("batch_size", pd.Series(dtype=float))
        size = pd.to_numeric(sizes, errors="coerce").dropna()
        if len(size) and len(positive):
            spread = float(positive.median()), float(positive.min()), float(positive.max())
            arms[arm] = NoiseAtBatch(float(size.iloc[0]), *spread)
    return NoiseBatch(arms) if arms else None


def plot_noise_batch(data: NoiseBatch, looks: Looks) -> go.Figure:
    """Draw a mark for each arm, and the line on which both are equal."""
    figure = go.Figure()
    # the diagonal goes over all that is drawn, on either axis
    ends = [
        min(min(row) for row in data.arms.values()),
        max(max(row) for row in data.arms.values()),
    ]
    figure.add_scatter(
        x=ends, y=ends, mode="lines", line=REFERENCE_LINE, hoverinfo="skip", showlegend=False
    )
    for arm, (size, median, low, high) in data.arms.items():
        name = label(arm, 40)
        figure.add_scatter(
            x=[size],
            y=[median],
            error_y={
                "type": "data",
                "array": [high - median],
                "arrayminus": [median - low],
                "color": looks[arm].colour,
            },
            mode="markers",
            marker={"color": looks[arm].colour, "symbol": looks[arm].symbol, "size": 11},
            name=name,
            legendgroup=arm,
            meta={"kind": "noise", "arm": arm},
            hovertemplate=f"batch size %{{x:.4g}}, noise scale %{{y:.4g}} "
            f"[{low:.4g}, {high:.4g}]<extra>{name}</extra>",
        )
    title = "gradient noise scale, second half of training"
    figure.update_layout(
        layout(
            xaxis={"title": {"text": "batch size"}, "type": "log"},
            yaxis={"title": {"text": title}, "type": "log"},
            height=420,
        )
    )
    return figure


NOISE_BATCH_FIGURE = Figure(
    name="noise_batch",
    section="diagnostics",
    needs="the probe NoiseScale",
    text=FigureText(
        "Noise scale against batch size",
        "Each mark is an arm: its batch size, and the gradient noise scale (McCandlish et al. "
        "2018) over the second half of training, median and range over runs. On the dashed line "
        "noise and signal of a batch are equal.",
        "Far below the line a larger batch would hardly help; far above it, steps are mostly "
        "noise and a larger batch would.",
    ),
    compute=compute_noise_batch,
    plot=plot_noise_batch,
)
