"""What probes measured: a small panel a quantity, and a map of layers over time."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from harness.report.style import Look, label, layout, legend_height

PANELS = 6
"""Panels of a figure at most."""
LAYER = re.compile(r"\.\d+|^(out|embed)\b")
"""What the names of layers look like."""


class Panel(NamedTuple):
    """One quantity over training, mean over seeds."""

    metric: str
    log: bool
    lines: dict[str, tuple[np.ndarray, np.ndarray]]
    """Epochs and values by arm."""


class LayerMap(NamedTuple):
    """One quantity of every layer over training, for each arm: mean over seeds of its logarithm to base 10."""

    title: str
    arms: dict[str, tuple[np.ndarray, tuple[str, ...], np.ndarray]]
    """Epochs (T,), layers (L,) and values (L, T) by arm."""


def compute_panels(curves: pd.DataFrame, prefix: str, arms: Sequence[str]) -> tuple[Panel, ...]:
    """Gather the quantities of one probe that are not a layer's."""
    names = [str(c) for c in curves if str(c).startswith(f"{prefix}/") and not LAYER.search(_name(str(c)))]
    return tuple(_panel(curves, name, arms) for name in names[:PANELS])


def compute_layers(curves: pd.DataFrame, prefix: str, arms: Sequence[str]) -> tuple[LayerMap, ...]:
    """Gather the quantities of one probe that every layer has, one map for each."""
    names = [str(c) for c in curves if str(c).startswith(f"{prefix}/") and LAYER.search(_name(str(c)))]
    kinds = list(dict.fromkeys(_name(name).partition("/")[2] for name in names))
    maps = [_map(curves, prefix, kind, [n for n in names if _name(n).partition("/")[2] == kind], arms) for kind in kinds]
    return tuple(found for found in maps if found.arms)


def _name(metric: str) -> str:
    return metric.partition("/")[2]


def _panel(curves: pd.DataFrame, metric: str, arms: Sequence[str]) -> Panel:
    lines = {}
    for arm in arms:
        means = curves[curves["arm"] == arm].dropna(subset=[metric]).groupby("epoch")[metric].mean()
        if len(means):
            lines[arm] = means.index.to_numpy(dtype=float), means.to_numpy(dtype=float)
    values = np.concatenate([y for _, y in lines.values()]) if lines else np.empty(0)
    wide = len(values) > 0 and bool((values > 0).all()) and float(values.max()) > 30 * float(values.min())
    return Panel(metric, wide, lines)


def _map(curves: pd.DataFrame, prefix: str, kind: str, names: Sequence[str], arms: Sequence[str]) -> LayerMap:
    found = {}
    for arm in arms:
        mine = curves[curves["arm"] == arm].dropna(subset=list(names), how="all")
        own = [name for name in names if mine[name].notna().any()]
        if not own:
            continue
        logs = mine[own].astype(float).abs().clip(lower=1e-300).map(math.log10).assign(epoch=mine["epoch"])
        means = logs.groupby("epoch").mean().dropna(how="all")
        found[arm] = means.index.to_numpy(dtype=float), tuple(_name(n).partition("/")[0] for n in own), means.to_numpy().T
    return LayerMap(f"{prefix} {kind}".strip(), found)


def plot_panels(panels: Sequence[Panel], looks: Mapping[str, Look]) -> go.Figure:
    """Draw the panels two in a row."""
    rows = max(1, math.ceil(len(panels) / 2))
    titles = [label(panel.metric) for panel in panels]
    figure = make_subplots(rows=rows, cols=2, subplot_titles=titles, horizontal_spacing=0.1, vertical_spacing=0.28 / rows)
    shown: set[str] = set()
    for i, panel in enumerate(panels):
        place: dict[str, Any] = {"row": i // 2 + 1, "col": i % 2 + 1}
        for arm, (x, y) in panel.lines.items():
            name = label(arm, 40)
            line = {"color": looks[arm].colour, "dash": looks[arm].dash, "width": 1.8}
            hover = f"epoch %{{x:.4g}}: %{{y:.4g}}<extra>{name}</extra>"
            trace = go.Scatter(x=x, y=y, mode="lines", line=line, name=name, legendgroup=arm, hovertemplate=hover)
            trace.update(showlegend=arm not in shown, meta={"kind": "probe", "arm": arm})
            figure.add_trace(trace, **place)
            shown.add(arm)
        figure.update_yaxes(type="log" if panel.log else "linear", gridcolor="rgba(128,128,128,.2)", zeroline=False, **place)
        figure.update_xaxes(title_text="epoch", gridcolor="rgba(128,128,128,.2)", zeroline=False, **place)
    figure.update_layout(layout(height=80 + 240 * rows + legend_height(len(shown)), hovermode="closest"))
    return figure


def plot_layers(data: LayerMap) -> go.Figure:
    """Draw the map of one arm, with a menu of arms."""
    figure = go.Figure()
    values = [z[np.isfinite(z)] for _, _, z in data.arms.values()]
    low, high = min(float(v.min()) for v in values), max(float(v.max()) for v in values)
    for i, (arm, (epochs, layers, z)) in enumerate(data.arms.items()):
        figure.add_heatmap(
            x=epochs,
            y=[label(layer) for layer in layers],
            z=z,
            zmin=low,
            zmax=high,
            colorscale="Viridis",
            visible=i == 0,
            name=label(arm, 40),
            colorbar={"title": {"text": "log₁₀"}, "thickness": 12},
            hovertemplate="epoch %{x:.4g}, %{y}: 10^%{z:.2f}<extra>" + label(arm, 40) + "</extra>",
        )
    buttons = [
        {"label": label(arm, 40), "method": "restyle", "args": [{"visible": [other == arm for other in data.arms]}]}
        for arm in data.arms
    ]
    deepest = max(len(layers) for _, layers, _ in data.arms.values())
    height = 190 + 22 * deepest
    menu = {"buttons": buttons, "x": 0, "xanchor": "left", "y": 1 + 60 / (height - 120), "yanchor": "top"}
    menu["bgcolor"] = "rgba(128,128,128,.1)"
    figure.update_layout(
        layout(
            height=height,
            xaxis={"title": {"text": "epoch"}, "showgrid": False},
            yaxis={"autorange": "reversed", "showgrid": False},
            margin={"l": 10, "r": 10, "t": 70, "b": 10},
            updatemenus=[menu] if len(buttons) > 1 else [],
        )
    )
    return figure
