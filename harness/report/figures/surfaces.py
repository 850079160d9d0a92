"""The arms' update rules on functions of two numbers, step by step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from harness.core.surfaces import SURFACES, Surface
from harness.report.figures.base import Figure, FigureContext, Looks
from harness.report.figures.movement import (
    Panel,
    Way,
    add_mark,
    add_way,
    all_steps,
    panels_figure,
)
from harness.report.page_figure import FigureText

CONTOUR_POINTS = 61
"""Of each side of a contour plot."""
LEAST = 1e-2
"""Height above the minimum below which contours are no longer told apart."""


class SurfacePaths(NamedTuple):
    """Where each arm's update rule goes."""

    arms: dict[str, np.ndarray]
    """Places (functions, 2, steps + 1) of the first run of an arm; only arms that differ."""
    rates: dict[str, np.ndarray]
    """Learning rates (functions,) that they were made at."""
    same: dict[str, str]
    """Arms that move as another does, and which."""


def compute_surfaces(context: FigureContext) -> SurfacePaths | None:
    """Gather the paths of :class:`harness.probes.surfaces.Surfaces`.

    Returns:
        None where no run has any: without the probe, or with other libraries' optimizers alone.
    """
    arms: dict[str, np.ndarray] = {}
    rates: dict[str, np.ndarray] = {}
    same: dict[str, str] = {}
    # in the study's order, so that of equal arms the first one is drawn
    for arm in context.looks:
        arrays = context.arrays.get(arm, {})
        if "surfaces/paths" not in arrays:
            continue
        own = arrays["surfaces/paths"][0]
        twin = next((name for name, paths in arms.items() if np.array_equal(paths, own)), None)
        if twin is not None:
            same[arm] = twin
            continue
        arms[arm], rates[arm] = own, arrays["surfaces/rates"][0]
    return SurfacePaths(arms, rates, same) if arms else None


def plot_surfaces(data: SurfacePaths, looks: Looks) -> go.Figure:
    """Draw a panel for each function, with the ways of all arms."""
    ways = {
        arm: [Way(np.arange(path.shape[1]), *path) for path in paths]
        for arm, paths in data.arms.items()
    }
    steps = all_steps(way for own in ways.values() for way in own)
    figure = panels_figure([_panel(surface) for surface in SURFACES.values()], steps)
    for i, surface in enumerate(SURFACES.values()):
        add_mark(figure, i, surface.start, "circle-open")
        add_mark(figure, i, surface.minimum, "star")
        for arm, own in ways.items():
            rate = f", η = {data.rates[arm][i]:.2g}"
            add_way(figure, i, arm, looks[arm], own[i], in_legend=i == 0, unit=rate)
    return figure


def _panel(surface: Surface) -> Panel:
    """Return the contours of log₁₀ of the height above the minimum."""
    x, y = (np.linspace(*side, CONTOUR_POINTS) for side in surface.box)
    above = surface.value(*np.meshgrid(x, y)) - surface.value(*surface.minimum)
    return Panel(surface.title, x, y, np.log10(above + LEAST).round(2))


def _words(data: SurfacePaths) -> FigureText:
    """Return the words around the figure, with the arms that move alike."""
    alike = "; ".join(f"{arm} moves as {twin}" for arm, twin in data.same.items())
    return FigureText(
        "The update rules on functions of two numbers",
        "Every rule begins at the circle; the star is the minimum, darker is higher. Move the "
        "slider, or press Play, to watch. Each function has the learning rate whose mean value "
        "along the way is lowest, unless the probe took the arm's own (a point's text tells it); "
        "all other numbers are the arm's, no data are involved."
        + (f" Alike: {alike}." if alike else ""),
        "A way that jumps across a valley again and again: the rate is at the edge of what is "
        "stable there. One that ends at the picture's edge has diverged.",
    )


SURFACES_FIGURE = Figure(
    name="surfaces",
    section="diagnostics",
    needs="the probe Surfaces",
    text=_words,
    compute=compute_surfaces,
    plot=plot_surfaces,
)
