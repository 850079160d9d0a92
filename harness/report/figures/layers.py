"""A map of layers over time for each quantity that a probe measured of every layer."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from harness.report.figures.base import FigureContext, Looks
from harness.report.page_figure import FigureText
from harness.report.style import arm_menu, label, layout

_LAYER = re.compile(r"\.\d+|^(out|embed)\b")
"""Names of layers: with a number, as ``hidden.0``, or of the output or the embedding."""


DECADES = 1000
"""Ratio of the largest to the smallest value above which a map with zeros shows logarithms, too."""


class LayerRows(NamedTuple):
    """One arm's rows of a map."""

    epochs: np.ndarray
    """(T,)."""
    layers: tuple[str, ...]
    """From the input to the output (L)."""
    values: np.ndarray
    """(L, T)."""


class LayerMap(NamedTuple):
    """One quantity of every layer over training, for each arm: mean over runs."""

    quantity: str
    log: bool
    """Whether values are logarithms to base 10."""
    arms: dict[str, LayerRows]


def is_of_layer(metric: str) -> bool:
    """Return whether a probe's metric is that of one layer.

    >>> is_of_layer("gradient/hidden.0"), is_of_layer("gradient/all")
    (True, False)
    """
    return bool(_LAYER.search(_after_prefix(metric)))


def layer_quantities(curves: pd.DataFrame, prefix: str) -> list[str]:
    """Return what a probe measured of every layer, such as "dead" of ``activation/hidden.0/dead``.

    Args:
        curves: with a column for each metric.
        prefix: the probe's prefix, such as "activation".

    Returns:
        Quantities in the order of the columns; "" for the one quantity of a probe that is named
        after the layer alone (``gradient/hidden.0``).
    """
    names = [str(c) for c in curves if str(c).startswith(f"{prefix}/") and is_of_layer(str(c))]
    return list(dict.fromkeys(_quantity(name) for name in names))


def compute_layers(context: FigureContext, prefix: str, quantity: str) -> LayerMap | None:
    """Average one quantity of every layer over an arm's runs, epoch by epoch; None where none
    measured it.

    Args:
        context: the study.
        prefix: the probe's prefix.
        quantity: one of :func:`layer_quantities`.

    Returns:
        Logarithms where :func:`_logarithmic` says so, averaged after they are taken: the mean over
        runs is a geometric one then, which a single run that explodes does not dominate.
    """
    curves = context.curves
    names = [
        str(c)
        for c in curves
        if str(c).startswith(f"{prefix}/") and is_of_layer(str(c)) and _quantity(str(c)) == quantity
    ]
    measured = curves[names].to_numpy(dtype=float)
    log, smallest = _logarithmic(measured[np.isfinite(measured)])
    arms = {}
    for arm in context.arms:
        mine = curves[curves["arm"] == arm].dropna(subset=names, how="all")
        own = [name for name in names if mine[name].notna().any()]
        if own:
            arms[arm] = _rows(mine, own, smallest if log else None)
    return LayerMap(f"{prefix} {quantity}".strip(), log, arms) if arms else None


def _logarithmic(values: np.ndarray) -> tuple[bool, float]:
    """Return whether a map shows logarithms, and the smallest value above 0.

    Layers differ by orders of magnitude when a signal vanishes or explodes, so logarithms are shown
    wherever they exist. A gradient that has vanished altogether is 0: it counts as the smallest
    value above it, if values differ widely.
    """
    positive = values[values > 0]
    if not len(positive) or (values < 0).any():
        return False, 0.0
    smallest = float(positive.min())
    return len(positive) == len(values) or positive.max() > DECADES * smallest, smallest


def _rows(mine: pd.DataFrame, names: Sequence[str], smallest: float | None) -> LayerRows:
    """Return an arm's rows; with ``smallest``, of the logarithms of values no smaller than that."""
    values = mine[list(names)].astype(float)
    shown = values if smallest is None else values.clip(lower=smallest).map(math.log10)
    # runs differ in the epochs of their evaluations where some stopped early: those are averaged
    # that there are
    means = shown.assign(epoch=mine["epoch"]).groupby("epoch").mean().dropna(how="all")
    layers = tuple(_after_prefix(name).partition("/")[0] for name in names)
    return LayerRows(means.index.to_numpy(dtype=float), layers, means.to_numpy().T)


def _after_prefix(metric: str) -> str:
    # hidden.0/dead of activation/hidden.0/dead
    return metric.partition("/")[2]


def _quantity(metric: str) -> str:
    # dead of activation/hidden.0/dead
    return _after_prefix(metric).partition("/")[2]


def plot_layers(data: LayerMap, looks: Looks) -> go.Figure:
    """Draw the map of one arm, with a menu of arms; all arms share the colours' scale, so that they
    can be compared."""
    figure = go.Figure()
    values = [rows.values[np.isfinite(rows.values)] for rows in data.arms.values()]
    low, high = min(float(v.min()) for v in values), max(float(v.max()) for v in values)
    number = "10^%{z:.2f}" if data.log else "%{z:.4g}"
    # one trace an arm, of which the menu shows one; arm_menu() relies on that order
    for i, (arm, rows) in enumerate(data.arms.items()):
        name = label(arm, 40)
        figure.add_heatmap(
            x=rows.epochs,
            y=[label(layer) for layer in rows.layers],
            z=rows.values,
            zmin=low,
            zmax=high,
            colorscale="Viridis",
            visible=i == 0,
            name=name,
            colorbar={"title": {"text": "log₁₀" if data.log else ""}, "thickness": 12},
            hovertemplate=f"epoch %{{x:.4g}}, %{{y}}: {number}<extra>{name}</extra>",
        )
    height = 190 + 22 * max(len(rows.layers) for rows in data.arms.values())
    figure.update_layout(
        layout(
            height=height,
            xaxis={"title": {"text": "epoch"}, "showgrid": False},
            yaxis={"autorange": "reversed", "showgrid": False},
            margin={"l": 10, "r": 10, "t": 70, "b": 10},
            updatemenus=arm_menu([*data.arms], height),
        )
    )
    return figure


def layers_text(data: LayerMap) -> FigureText:
    """Return the words around a map of layers."""
    return FigureText(
        f"{data.quantity.capitalize()} by layer",
        "Every layer over training, mean over runs, of the logarithm to base 10 where nothing is "
        "below 0 (zeros count as the smallest value above); all arms share the colours' scale.",
        "A map that fades from the output (bottom) towards the input (top) is a signal that "
        "vanishes on its way; one that brightens, one that explodes.",
    )
