"""The ways of the weights in their principal planes, step by step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

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
from harness.report.style import label

MOST_WAYS = 8
"""Arms drawn at most: more would fill screens, and the page."""


class PlaneWay(NamedTuple):
    """The way of one run, and the loss around it."""

    way: Way
    x: np.ndarray
    y: np.ndarray
    losses: np.ndarray
    """Over the plane, by y and x."""
    shares: tuple[float, float]
    """Of the squared distances to the last weights along the two directions."""


class Trajectories(NamedTuple):
    """The first run of each arm."""

    arms: dict[str, PlaneWay]
    left_out: int
    """Arms that had no place, the worst ones."""


def compute_trajectories(context: FigureContext) -> Trajectories | None:
    """Gather the ways of :class:`harness.probes.trajectory.Trajectory`.

    Returns:
        None where no run has one with its plane of losses.
    """
    measured = [arm for arm in context.arms if _is_known(context.arrays.get(arm, {}))]
    kept = set(measured[:MOST_WAYS])
    # in the study's order, as the chips and the legend have them
    arms = {arm: _plane_way(context, arm) for arm in context.looks if arm in kept}
    return Trajectories(arms, len(measured) - len(arms)) if arms else None


def _is_known(arrays: dict[str, np.ndarray]) -> bool:
    """Return whether an arm's first run has a way with losses around it, and is finite."""
    names = ("trajectory/path", "trajectory/plane", "trajectory/sides")
    return all(name in arrays for name in names) and bool(
        np.isfinite(arrays["trajectory/path"][0]).all()
    )


def _plane_way(context: FigureContext, arm: str) -> PlaneWay:
    arrays = context.arrays[arm]
    # what fills the array up stands where the way ends already
    _, first = np.unique(arrays["trajectory/path"][0][0], return_index=True)
    steps, x, y = arrays["trajectory/path"][0][:, first]
    along, across = arrays["trajectory/sides"][0]
    names = ["trajectory/first", "trajectory/second"]
    # of the last update alone; the arrays' first run is that of the lowest seed, as here
    own = context.curves[context.curves["arm"] == arm].dropna(subset=names).sort_values("seed")
    shares = float(own[names[0]].iloc[0]), float(own[names[1]].iloc[0])
    return PlaneWay(Way(steps, x, y), along, across, arrays["trajectory/plane"][0], shares)


def plot_trajectories(data: Trajectories, looks: Looks) -> go.Figure:
    """Draw a panel for each arm, with the loss over its own plane and its way."""
    panels = [
        Panel(f"{label(arm, 28)}<br>{_percent(own.shares)}", own.x, own.y, _heights(own.losses))
        for arm, own in data.arms.items()
    ]
    figure = panels_figure(panels, all_steps(own.way for own in data.arms.values()))
    for i, (arm, own) in enumerate(data.arms.items()):
        add_mark(figure, i, (float(own.way.x[0]), float(own.way.y[0])), "circle-open")
        add_mark(figure, i, (0.0, 0.0), "star")
        add_way(figure, i, arm, looks[arm], own.way, in_legend=True)
    return figure


def _percent(shares: tuple[float, float]) -> str:
    return " + ".join(f"{100 * share:.0f} %" for share in shares)


def _heights(losses: np.ndarray) -> np.ndarray:
    """Return what contours are drawn of: log₁₀ of the losses where all are above 0."""
    known = losses[np.isfinite(losses)]
    # with losses of 0 or below there is no logarithm
    heights: np.ndarray = np.log10(losses) if (known > 0).all() else losses
    return heights


def _words(data: Trajectories) -> FigureText:
    """Return the words around the figure, and how many arms are not in it."""
    left_out = f" The best {len(data.arms)} arms." if data.left_out else ""
    return FigureText(
        "The way of the weights, seen in its principal plane",
        "The first run of each arm, in the plane of the first two principal directions of its own "
        "way (Li et al. 2018), with the training loss over that plane, darker where it is higher. "
        "The circle is the start, the star the last weights; the percentages are the shares of the "
        "squared distances to these that lie along the two directions. Each direction "
        "has its own scale, in the units of the weights. Move the slider, or press Play, to watch."
        + left_out,
        "A way that circles or zigzags at its end: the rate is too large there. One that ends in "
        "the middle of a slope: not converged. Shares alone show nothing: a random walk has large "
        "ones too.",
    )


TRAJECTORIES_FIGURE = Figure(
    name="trajectories",
    section="diagnostics",
    needs="the probe Trajectory",
    text=_words,
    compute=compute_trajectories,
    plot=plot_trajectories,
)
