"""Curves in panels, one for each level of a factor, that share their axes.

The page's script (``assets/page/panels.js``) arranges them anew for the width of the screen.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.style import label, layout

PANEL_HEIGHT = 240
"""Pixels of a row of panels."""
PANELS_ACROSS = 3
"""Panels side by side, where nothing is known of the screen."""
PANEL_GAP = 0.05
"""Share of the width between two panels."""

_Axis = dict[str, object]


def panel_axes(place: int) -> dict[str, object]:
    """Return the axes of a panel's traces; nothing for the first, which has Plotly's own.

    Args:
        place: the panel's, from 0.
    """
    return {"xaxis": f"x{place + 1}", "yaxis": f"y{place + 1}"} if place else {}


def panel_layout(panels: Sequence[str], xaxis: _Axis, yaxis: _Axis, legend: int) -> _Axis:
    """Return the layout of curves in panels.

    Args:
        panels: their titles; one panel has none.
        xaxis: what all horizontal axes share.
        yaxis: what all vertical axes share.
        legend: pixels below for the legend.
    """
    # hovermode "x" would list all arms and seeds at once
    if len(panels) < 2:
        return layout(xaxis=xaxis, yaxis=yaxis, height=440 + legend, hovermode="closest")
    rows = -(-len(panels) // PANELS_ACROSS)
    axes: dict[str, object] = {}
    for place in range(len(panels)):
        row, column = divmod(place, PANELS_ACROSS)
        number = str(place + 1) if place else ""
        shared = {} if place == 0 else {"matches": "x"}, {} if place == 0 else {"matches": "y"}
        axes[f"xaxis{number}"] = {
            **xaxis,
            **shared[0],
            "anchor": f"y{number}",
            "domain": _span(column, PANELS_ACROSS, PANEL_GAP),
        }
        axes[f"yaxis{number}"] = {
            **yaxis,
            **shared[1],
            "anchor": f"x{number}",
            "domain": _span(rows - 1 - row, rows, 0.35 / rows),
        }
    titles = [_title(panel, place) for place, panel in enumerate(panels)]
    return layout(
        **axes,
        annotations=titles,
        height=80 + PANEL_HEIGHT * rows + legend,
        hovermode="closest",
        meta={"panels": [label(panel, 40) for panel in panels]},
    )


def grid_meta(plots: int, across: int, row: int) -> dict[str, object]:
    """Return what the page's script needs to put fewer of a figure's plots side by side.

    Args:
        plots: their number; where they have titles, these are the first annotations.
        across: plots in a row, where the screen is wide enough.
        row: pixels of a row.
    """
    return {"grid": {"plots": plots, "across": across, "row": row}}


def _span(place: int, count: int, gap: float) -> list[float]:
    """Return the domain of one of several panels side by side."""
    width = (1 - gap * (count - 1)) / count
    start = place * (width + gap)
    return [round(start, 4), round(min(1.0, start + width), 4)]


def _title(panel: str, place: int) -> dict[str, object]:
    number = str(place + 1) if place else ""
    return {
        "text": label(panel, 40),
        "xref": f"x{number} domain",
        "yref": f"y{number} domain",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
    }
