"""The gradient noise scale against the batch size that was used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go

from harness.analysis.results import Results
from harness.report.style import Look, label, layout

METRIC = "noise/scale"


class NoiseBatch(NamedTuple):
    """Batch size and noise scale of each arm."""

    arms: dict[str, tuple[float, float, float, float]]
    """Batch size; median over seeds of each run's median from the middle of training on; lowest and highest seed."""


def compute_noise_batch(results: Results, curves: pd.DataFrame, names: Sequence[str]) -> NoiseBatch:
    """Gather the arms whose runs measured the noise scale."""
    if METRIC not in curves:
        return NoiseBatch({})
    late = curves[curves["step"] >= curves.groupby("run_id")["step"].transform("max") / 2].dropna(
        subset=[METRIC]
    )
    found = {}
    for arm in names:
        scales = late[late["arm"] == arm].groupby("seed")[METRIC].median()
        sizes = results.by_arm[arm].get("batch_size", pd.Series(dtype=float))
        size = pd.to_numeric(sizes, errors="coerce").dropna()
        if len(size) and (scales > 0).any():
            positive = scales[scales > 0]
            found[arm] = (
                float(size.iloc[0]),
                float(positive.median()),
                float(positive.min()),
                float(positive.max()),
            )
    return NoiseBatch(found)


def plot_noise_batch(data: NoiseBatch, looks: Mapping[str, Look]) -> go.Figure:
    """Draw a mark an arm, and the line on which both are equal."""
    figure = go.Figure()
    if data.arms:
        ends = [min(min(v) for v in data.arms.values()), max(max(v) for v in data.arms.values())]
        figure.add_scatter(
            x=ends,
            y=ends,
            mode="lines",
            line={"color": "rgba(128,128,128,.7)", "dash": "dash", "width": 1},
            hoverinfo="skip",
            showlegend=False,
        )
    for arm, (size, middle, low, high) in data.arms.items():
        name = label(arm, 40)
        figure.add_scatter(
            x=[size],
            y=[middle],
            error_y={
                "type": "data",
                "array": [high - middle],
                "arrayminus": [middle - low],
                "color": looks[arm].colour,
            },
            mode="markers",
            marker={"color": looks[arm].colour, "symbol": looks[arm].symbol, "size": 11},
            name=name,
            legendgroup=arm,
            meta={"kind": "noise", "arm": arm},
            hovertemplate=f"batch size %{{x:.4g}}, noise scale %{{y:.4g}} [{low:.4g}, {high:.4g}]<extra>{name}</extra>",
        )
    figure.update_layout(
        layout(
            xaxis={"title": {"text": "batch size"}, "type": "log"},
            yaxis={
                "title": {"text": "gradient noise scale, second half of training"},
                "type": "log",
            },
            height=420,
        )
    )
    return figure
