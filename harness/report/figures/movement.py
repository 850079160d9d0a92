"""Panels with contours and ways over them, whose ends the page's slider moves.

The page's script (``assets/page/film.js``) cuts every trace of kind "way" where the slider stands,
and puts the "head" behind it to its last point. ``layout.meta.steps`` are the places of the slider.
Without a script, and in print, the whole ways are seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from harness.report.style import GRID, ArmStyle, label, layout
from harness.report.thinning import round_digits

PANELS_IN_ROW = 2
"""Panels side by side: as many as can be read on a phone."""
ROW_HEIGHT = 300
"""Pixels of a row of panels, with the titles above it."""
AROUND_PANELS = {"l": 40, "r": 10, "t": 50, "b": 30}
"""Pixels around them."""
# higher is greyer, on light and dark pages alike
SHADES = [[0.0, "rgba(128,128,128,0)"], [1.0, "rgba(128,128,128,.4)"]]
LONG_TITLE = 22
"""Letters from which a title is set smaller."""
MARK = "rgba(128,128,128,1)"


class Way(NamedTuple):
    """Places on a plane, one after the other."""

    steps: np.ndarray
    """Updates made before each."""
    x: np.ndarray
    y: np.ndarray


class Panel(NamedTuple):
    """One plane with its contours."""

    title: str
    """As Plotly shows it: names in it have gone through :func:`harness.report.style.label`."""
    x: np.ndarray
    y: np.ndarray
    heights: np.ndarray
    """By y and x; NaN is left blank."""


def panels_figure(panels: Sequence[Panel], steps: Sequence[int]) -> go.Figure:
    """Return a figure with a contour plot for each panel, side by side in two columns.

    Args:
        panels: in reading order.
        steps: the places of the slider.
    """
    rows = -(-len(panels) // PANELS_IN_ROW)
    figure = make_subplots(
        rows=rows,
        cols=min(PANELS_IN_ROW, len(panels)),
        subplot_titles=[panel.title for panel in panels],
        horizontal_spacing=0.11,
        vertical_spacing=80 / (ROW_HEIGHT * rows),
    )
    for i, panel in enumerate(panels):
        figure.add_contour(
            x=round_digits(panel.x),
            y=round_digits(panel.y),
            z=[round_digits(row) for row in panel.heights],
            colorscale=SHADES,
            showscale=False,
            ncontours=16,
            line={"width": 0.6, "color": GRID},
            hoverinfo="skip",
            **panel_place(i),
        )
    figure.update_layout(
        layout(
            height=ROW_HEIGHT * rows + 40, margin=AROUND_PANELS, meta={"steps": [*map(int, steps)]}
        )
    )
    for i, panel in enumerate(panels):
        for axes, side in ((figure.update_xaxes, panel.x), (figure.update_yaxes, panel.y)):
            axes(
                range=[float(side[0]), float(side[-1])],
                nticks=4,
                exponentformat="e",
                automargin=True,
                showgrid=False,
                zeroline=False,
                tickfont={"size": 11},
                **panel_place(i),
            )
    for panel, title in zip(panels, figure.layout.annotations, strict=True):
        # on a phone a panel is as wide as some 22 letters of the larger size
        title.font.size = 12 if len(panel.title.partition("<br>")[0]) <= LONG_TITLE else 10
    return figure


def add_way(
    figure: go.Figure,
    panel: int,
    arm: str,
    look: ArmStyle,
    way: Way,
    *,
    in_legend: bool,
    unit: str = "",
) -> None:
    """Draw an arm's way into a panel, and a mark at its end.

    Args:
        figure: as :func:`panels_figure` makes it.
        panel: its place among the panels.
        arm: the arm's name.
        look: its colour and dash.
        way: where it goes.
        in_legend: whether this way stands for the arm in the legend.
        unit: what is told of a point besides.
    """
    name = label(arm, 40)
    steps = [*map(int, way.steps)]
    x, y = round_digits(way.x), round_digits(way.y)
    own = {} if steps == figure.layout.meta["steps"] else {"steps": steps}
    figure.add_scatter(
        x=x,
        y=y,
        customdata=steps,
        mode="lines",
        line={"color": look.colour, "dash": look.dash, "width": 2},
        name=name,
        legendgroup=arm,
        showlegend=in_legend,
        meta={"kind": "way", "arm": arm, **own},
        hovertemplate=f"update %{{customdata}}: (%{{x}}, %{{y}}){unit}<extra>{name}</extra>",
        **panel_place(panel),
    )
    figure.add_scatter(
        x=x[-1:],
        y=y[-1:],
        mode="markers",
        marker={"color": look.colour, "symbol": look.symbol, "size": 10},
        legendgroup=arm,
        showlegend=False,
        meta={"kind": "head", "arm": arm},
        hoverinfo="skip",
        **panel_place(panel),
    )


def add_mark(figure: go.Figure, panel: int, at: tuple[float, float], symbol: str) -> None:
    """Mark a place of a panel that belongs to no arm, such as a start or a minimum."""
    figure.add_scatter(
        x=[at[0]],
        y=[at[1]],
        mode="markers",
        marker={"color": MARK, "symbol": symbol, "size": 9},
        showlegend=False,
        hoverinfo="skip",
        **panel_place(panel),
    )


def panel_place(panel: int) -> dict[str, int]:
    """Return the row and column of a panel, from 1, as Plotly counts."""
    return {"row": panel // PANELS_IN_ROW + 1, "col": panel % PANELS_IN_ROW + 1}


def all_steps(ways: Iterable[Way]) -> list[int]:
    """Return the places of a slider over some ways: every step that one of them has."""
    return sorted({int(step) for way in ways for step in way.steps})
