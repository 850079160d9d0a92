"""The loss along the way from the initial to the final weights, and around the final ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from harness.report.style import Look, arm_menu, label, layout, legend_height
from harness.report.thin import short


class Slices(NamedTuple):
    """Lines and planes of each arm."""

    lines: dict[str, tuple[np.ndarray, np.ndarray]]
    """Places α and losses (seeds, points)."""
    planes: dict[str, np.ndarray]
    """Losses (n, n) of the first seed."""


def compute_slices(arrays: Mapping[str, Mapping[str, np.ndarray]]) -> Slices:
    """Gather the arrays of :class:`harness.probes.slices.LossSlice`."""
    lines = {
        a: (m["slice/line"][0, 0], m["slice/line"][:, 1])
        for a, m in arrays.items()
        if "slice/line" in m
    }
    return Slices(lines, {a: m["slice/plane"][0] for a, m in arrays.items() if "slice/plane" in m})


def plot_lines(data: Slices, looks: Mapping[str, Look]) -> go.Figure:
    """Draw the mean line of each arm and, thin, every seed's."""
    figure = go.Figure()
    for arm, (alpha, losses) in data.lines.items():
        name, meta = label(arm, 40), {"kind": "slice", "arm": arm}
        for row, width in [*((row, 0.6) for row in losses), (losses.mean(axis=0), 2.2)]:
            figure.add_scatter(
                x=short(alpha),
                y=short(row),
                mode="lines",
                line={"color": looks[arm].colour, "dash": looks[arm].dash, "width": width},
                opacity=1.0 if width > 1 else 0.45,
                name=name,
                legendgroup=arm,
                showlegend=width > 1,
                meta=meta,
                hovertemplate=f"α = %{{x:.2f}}: %{{y:.4g}}<extra>{name}</extra>",
            )
    positive = all((losses > 0).all() for _, losses in data.lines.values())
    figure.update_layout(
        layout(
            xaxis={"title": {"text": "α (0: initial weights, 1: final weights)"}},
            yaxis={"title": {"text": "training loss"}, "type": "log" if positive else "linear"},
            height=400 + legend_height(len(data.lines)),
        )
    )
    return figure


def plot_planes(data: Slices) -> go.Figure:
    """Draw the plane of one arm as contours, with a menu of arms."""
    figure = go.Figure()
    for i, (arm, losses) in enumerate(data.planes.items()):
        side = np.linspace(-1, 1, len(losses))
        logs = np.log10(np.clip(losses, 1e-12, None)) if (losses > 0).all() else losses
        figure.add_contour(
            x=short(side),
            y=short(side),
            z=[short(row) for row in logs],
            colorscale="Viridis",
            visible=i == 0,
            colorbar={
                "title": {"text": "log₁₀ loss" if (losses > 0).all() else "loss"},
                "thickness": 12,
            },
            hovertemplate="(%{x:.2f}, %{y:.2f}): %{z:.3f}<extra>" + label(arm, 40) + "</extra>",
        )
    figure.update_layout(
        layout(
            height=460,
            xaxis={"title": {"text": "first random direction, as long as the weights"}},
            yaxis={"title": {"text": "second"}},
            margin={"l": 10, "r": 10, "t": 70, "b": 10},
            updatemenus=arm_menu([*data.planes], [*data.planes], 460),
        )
    )
    return figure
