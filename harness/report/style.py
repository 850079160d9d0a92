"""One colour, dash and symbol for each arm in every figure, and the look that all figures share."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

# Okabe & Ito 2008, told apart by all common kinds of colour vision; grey stands for black and wine for yellow, for contrast
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#882255")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross")


class Look(NamedTuple):
    """How an arm is drawn."""

    colour: str
    dash: str
    symbol: str


def looks(arms: Sequence[str]) -> dict[str, Look]:
    """Return the look of each arm; 40 are told apart."""
    found = {}
    for i, arm in enumerate(arms):
        turn = i // len(PALETTE) % len(DASHES)
        found[arm] = Look(PALETTE[i % len(PALETTE)], DASHES[turn], SYMBOLS[turn])
    return found


def faint(colour: str, alpha: float) -> str:
    """Return the colour with the given opacity."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


def label(text: object, limit: int = 60) -> str:
    """Return text that Plotly shows as it is: its markup escaped, cut to ``limit`` characters."""
    plain = str(text)
    return escape(plain if len(plain) <= limit else plain[: limit - 1] + "…")


def legend_height(entries: int) -> int:
    """Return the pixels that a legend of so many entries needs below a figure."""
    return 20 * -(-entries // 5)


def layout(**own: Any) -> dict[str, Any]:
    """Return the layout of a figure: transparent, quiet grid, legend below."""
    axis = {
        "showgrid": True,
        "gridcolor": "rgba(128,128,128,.2)",
        "zeroline": False,
        "automargin": True,
    }
    shared: dict[str, Any] = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "#555"},
        "margin": {"l": 10, "r": 10, "t": 30, "b": 10},
        "modebar": {
            "bgcolor": "rgba(0,0,0,0)",
            "color": "rgba(128,128,128,.6)",
            "activecolor": PALETTE[0],
        },
        "hoverlabel": {"namelength": -1},
        "colorway": list(PALETTE),
        "legend": {"orientation": "h", "yref": "container", "yanchor": "bottom", "y": 0, "x": 0},
    }
    for name in [key for key in own if key.startswith(("xaxis", "yaxis"))]:
        own[name] = axis | own[name]
    return shared | own


def arm_menu(arms: Sequence[str], owners: Sequence[str], height: int) -> list[dict[str, Any]]:
    """Return the menu of a figure that shows one arm at a time; none for a single arm.

    Args:
        arms: the arms to choose from.
        owners: the arm of each trace.
        height: of the figure, in pixels.
    """
    buttons = [
        {
            "label": label(arm, 40),
            "method": "restyle",
            "args": [{"visible": [owner == arm for owner in owners]}],
        }
        for arm in arms
    ]
    place = {"x": 0, "xanchor": "left", "y": 1 + 60 / max(60, height - 120), "yanchor": "top"}
    return (
        [{"buttons": buttons, "bgcolor": "rgba(128,128,128,.1)", **place}]
        if len(buttons) > 1
        else []
    )
