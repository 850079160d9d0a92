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

from harness.report.style import Look, arm_menu, label, layout, legend_height
from harness.report.thin import short

PANELS = 6
"""Panels of a figure at most."""
RULES = {
    "curvature/sharpness": 1.0,
    "spread/ratio": 1.0,
    "alignment/gradients": 0.0,
    "alignment/updates": 0.0,
}
"""Where a quantity changes its meaning: a dashed line is drawn there."""
LAYER = re.compile(r"\.\d+|^(out|embed)\b")
"""What the names of layers look like."""
CLASS = re.compile(r"/accuracy\d+$")
"""What the names of single classes look like."""


class Panel(NamedTuple):
    """One quantity over training, mean over seeds."""

    metric: str
    log: bool
    lines: dict[str, tuple[np.ndarray, np.ndarray]]
    """Epochs and values by arm."""


class LayerMap(NamedTuple):
    """One quantity of every layer over training, for each arm: mean over seeds, of its logarithm where it is above 0."""

    title: str
    log: bool
    arms: dict[str, tuple[np.ndarray, tuple[str, ...], np.ndarray]]
    """Epochs (T,), layers (L,) and values (L, T) by arm."""


def compute_panels(curves: pd.DataFrame, prefix: str, arms: Sequence[str]) -> tuple[Panel, ...]:
    """Gather the quantities of one probe that are not a layer's."""
    own = [str(c) for c in curves if str(c).startswith(f"{prefix}/")]
    names = [name for name in own if not LAYER.search(_name(name)) and not CLASS.search(name)]
    return tuple(_panel(curves, name, arms) for name in names[:PANELS])


def compute_layers(curves: pd.DataFrame, prefix: str, arms: Sequence[str]) -> tuple[LayerMap, ...]:
    """Gather the quantities of one probe that every layer has, one map for each."""
    names = [
        str(c) for c in curves if str(c).startswith(f"{prefix}/") and LAYER.search(_name(str(c)))
    ]
    kinds = list(dict.fromkeys(_name(name).partition("/")[2] for name in names))
    maps = [
        _map(curves, prefix, kind, [n for n in names if _name(n).partition("/")[2] == kind], arms)
        for kind in kinds
    ]
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
    wide = (
        len(values) > 0
        and bool((values > 0).all())
        and float(values.max()) > 30 * float(values.min())
    )
    return Panel(metric, wide, lines)


def _map(
    curves: pd.DataFrame, prefix: str, kind: str, names: Sequence[str], arms: Sequence[str]
) -> LayerMap:
    found = {}
    log = bool((curves[list(names)].dropna(how="all").fillna(1.0) > 0).all(axis=None))
    for arm in arms:
        mine = curves[curves["arm"] == arm].dropna(subset=list(names), how="all")
        own = [name for name in names if mine[name].notna().any()]
        if not own:
            continue
        values = mine[own].astype(float).map(math.log10) if log else mine[own].astype(float)
        means = values.assign(epoch=mine["epoch"]).groupby("epoch").mean().dropna(how="all")
        found[arm] = (
            means.index.to_numpy(dtype=float),
            tuple(_name(n).partition("/")[0] for n in own),
            means.to_numpy().T,
        )
    return LayerMap(f"{prefix} {kind}".strip(), log, found)


def plot_panels(panels: Sequence[Panel], looks: Mapping[str, Look]) -> go.Figure:
    """Draw the panels two in a row."""
    rows = max(1, math.ceil(len(panels) / 2))
    titles = [label(panel.metric) for panel in panels]
    figure = make_subplots(
        rows=rows,
        cols=2,
        subplot_titles=titles,
        horizontal_spacing=0.12,
        vertical_spacing=0.3 / rows,
    )
    shown: set[str] = set()
    for i, panel in enumerate(panels):
        place: dict[str, Any] = {"row": i // 2 + 1, "col": i % 2 + 1}
        for arm, (x, y) in panel.lines.items():
            name = label(arm, 40)
            line = {"color": looks[arm].colour, "dash": looks[arm].dash, "width": 1.8}
            hover = f"epoch %{{x:.4g}}: %{{y:.4g}}<extra>{name}</extra>"
            mode = "lines" if len(x) > 1 else "markers"
            trace = go.Scatter(
                x=short(x),
                y=short(y),
                mode=mode,
                line=line,
                name=name,
                legendgroup=arm,
                hovertemplate=hover,
            )
            trace.update(showlegend=arm not in shown, meta={"kind": "probe", "arm": arm})
            figure.add_trace(trace, **place)
            shown.add(arm)
        if panel.metric in RULES:
            figure.add_hline(
                y=RULES[panel.metric],
                line={"color": "rgba(128,128,128,.8)", "dash": "dash", "width": 1},
                **place,
            )
        quiet: dict[str, Any] = {
            "gridcolor": "rgba(128,128,128,.2)",
            "zeroline": False,
            "automargin": True,
            **place,
        }
        figure.update_yaxes(type="log" if panel.log else "linear", exponentformat="power", **quiet)
        figure.update_xaxes(title_text="epoch" if i >= len(panels) - 2 else "", **quiet)
    figure.update_layout(
        layout(height=110 + 250 * rows + legend_height(len(shown)), hovermode="closest")
    )
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
            colorbar={"title": {"text": "log₁₀" if data.log else ""}, "thickness": 12},
            hovertemplate="epoch %{x:.4g}, %{y}: "
            + ("10^%{z:.2f}" if data.log else "%{z:.4g}")
            + "<extra>"
            + label(arm, 40)
            + "</extra>",
        )
    deepest = max(len(layers) for _, layers, _ in data.arms.values())
    height = 190 + 22 * deepest
    figure.update_layout(
        layout(
            height=height,
            xaxis={"title": {"text": "epoch"}, "showgrid": False},
            yaxis={"autorange": "reversed", "showgrid": False},
            margin={"l": 10, "r": 10, "t": 70, "b": 10},
            updatemenus=arm_menu([*data.arms], [*data.arms], height),
        )
    )
    return figure
