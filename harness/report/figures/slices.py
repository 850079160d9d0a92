"""The loss along the way from the initial to the final weights, and around the final ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from harness.report.figures.base import Figure, FigureContext, Looks
from harness.report.page_figure import FigureText
from harness.report.style import arm_menu, label, layout, legend_height
from harness.report.thinning import round_digits

SMALLEST = 1e-12
"""Loss below which its logarithm is cut off, so that a perfect fit does not stretch the colours."""


class LossLines(NamedTuple):
    """Losses on the straight line through the initial (α = 0) and the final weights (α = 1)."""

    arms: dict[str, tuple[np.ndarray, np.ndarray]]
    """Places α (points,) and losses (seeds, points) by arm."""


class LossPlanes(NamedTuple):
    """Losses over two random directions around the final weights."""

    arms: dict[str, np.ndarray]
    """Losses (n, n) of the first seed by arm; both directions go from -1 to 1."""


def compute_loss_lines(context: FigureContext) -> LossLines | None:
    """Gather the lines of :class:`harness.probes.slices.LossSlice`.

    L(θ₀ + α(θ − θ₀)) for the initial weights θ₀ and the final ones θ.

    Returns:
        None where no run has one: without the probe, or where all ended before their last update.
    """
    arms = {
        # (seeds, 2, points): α and losses
        arm: (arrays["slice/line"][0, 0], arrays["slice/line"][:, 1])
        for arm, arrays in context.arrays.items()
        if "slice/line" in arrays
    }
    return LossLines(arms) if arms else None


def compute_loss_planes(context: FigureContext) -> LossPlanes | None:
    """Gather the planes of :class:`harness.probes.slices.LossSlice`.

    L(θ + αd₁ + βd₂) around the final weights θ, rows by β and columns by α. Of the first seed
    alone: each has weights and directions of its own, and a mean would be no network's loss.

    Returns:
        None where no run has one, or the probe was asked for lines alone.
    """
    arms = {
        arm: arrays["slice/plane"][0]
        for arm, arrays in context.arrays.items()
        if "slice/plane" in arrays
    }
    return LossPlanes(arms) if arms else None


def plot_loss_lines(data: LossLines, looks: Looks) -> go.Figure:
    """Draw the mean line of each arm and, thin, every seed's."""
    figure = go.Figure()
    for arm, (alpha, losses) in data.arms.items():
        look, name = looks[arm], label(arm, 40)
        # the mean last, so that it lies on top of the seeds
        seeds = [(row, 0.6) for row in losses]
        for row, width in [*seeds, (losses.mean(axis=0), 2.2)]:
            is_mean = width > 1
            figure.add_scatter(
                x=round_digits(alpha),
                y=round_digits(row),
                mode="lines",
                line={"color": look.colour, "dash": look.dash, "width": width},
                opacity=1.0 if is_mean else 0.45,
                name=name,
                legendgroup=arm,
                showlegend=is_mean,
                meta={"kind": "slice", "arm": arm},
                hovertemplate=f"α = %{{x:.2f}}: %{{y:.4g}}<extra>{name}</extra>",
            )
    positive = all((losses > 0).all() for _, losses in data.arms.values())
    figure.update_layout(
        layout(
            xaxis={"title": {"text": "α (0: initial weights, 1: final weights)"}},
            yaxis={"title": {"text": "training loss"}, "type": "log" if positive else "linear"},
            height=400 + legend_height(len(data.arms)),
        )
    )
    return figure


def plot_loss_planes(data: LossPlanes, looks: Looks) -> go.Figure:
    """Draw the plane of one arm as contours, with a menu of arms."""
    figure = go.Figure()
    for i, (arm, losses) in enumerate(data.arms.items()):
        side = np.linspace(-1, 1, len(losses))
        log = bool((losses > 0).all())
        values = np.log10(np.maximum(losses, SMALLEST)) if log else losses
        figure.add_contour(
            x=round_digits(side),
            y=round_digits(side),
            z=[round_digits(row) for row in values],
            colorscale="Viridis",
            visible=i == 0,
            colorbar={"title": {"text": "log₁₀ loss" if log else "loss"}, "thickness": 12},
            hovertemplate="(%{x:.2f}, %{y:.2f}): %{z:.3f}<extra>" + label(arm, 40) + "</extra>",
        )
    height = 460
    figure.update_layout(
        layout(
            height=height,
            xaxis={"title": {"text": "first random direction, as long as the weights"}},
            yaxis={"title": {"text": "second"}},
            margin={"l": 10, "r": 10, "t": 70, "b": 10},
            updatemenus=arm_menu([*data.arms], height),
        )
    )
    return figure


LOSS_LINES_FIGURE = Figure(
    name="loss_lines",
    section="diagnostics",
    needs="the probe LossSlice",
    text=FigureText(
        "Loss on the way from the initial to the final weights",
        "Training loss on the straight line through the initial (0) and the final weights (1), by "
        "seed and on average (Goodfellow et al. 2015).",
        "A bump between 0 and 1: training went around a barrier.",
    ),
    compute=compute_loss_lines,
    plot=plot_loss_lines,
)

LOSS_PLANES_FIGURE = Figure(
    name="loss_planes",
    section="diagnostics",
    needs="the probe LossSlice",
    text=FigureText(
        "Loss around the final weights",
        "Training loss over two random directions whose filters are as long as the weights' own "
        "(Li et al. 2018), first seed.",
        "Lines close to each other around the middle: a sharp minimum; a middle that is not the "
        "lowest place: not converged.",
    ),
    compute=compute_loss_planes,
    plot=plot_loss_planes,
)
