"""The look of arms by their places alone, and the look that all figures share."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from harness.core.palette import PALETTE

REST = "#9A9A9A"
"""Colour of arms that are neither among the best nor named, where there are many."""
HUES = tuple(colour for colour in PALETTE if colour != "#7F7F7F")
"""Colours that stand out from the grey of the rest."""
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross")
GRID = "rgba(128,128,128,.2)"
"""Colour of grid lines; half transparent grey shows on both pages."""
REFERENCE_LINE = {"color": "rgba(128,128,128,.7)", "dash": "dash", "width": 1}
"""Lines that data are compared with, such as a diagonal."""
MENU_BACKGROUND = "rgba(128,128,128,.1)"
AXIS: dict[str, object] = {
    "showgrid": True,
    "gridcolor": GRID,
    "zeroline": False,
    "automargin": True,
    "exponentformat": "power",  # 10⁻⁴, and not 100µ
}
"""What all axes share; those of subplots are not named in a layout, and are given it by their
figures."""
WIDE_RANGE = 30
"""Ratio of the largest to the smallest value above which a figure over training is logarithmic."""
LEGEND_ROW = 20
"""Pixels of a row of the legend; the page's script subtracts the same where it hides the legend."""


class ArmStyle(NamedTuple):
    """How an arm is drawn."""

    colour: str
    dash: str
    symbol: str
    panel: str = ""
    """The panel that its curves are in, where a factor has one for each level."""
    end_label: str = ""
    """What stands at the end of its line; nothing at those of the rest."""

    @property
    def is_rest(self) -> bool:
        """Whether it is drawn as one of many, in grey."""
        return self.colour == REST


def assign_looks(arms: Sequence[str], prominent: Sequence[str] = ()) -> dict[str, ArmStyle]:
    """Return the look of each arm: a colour, or grey where there are more than colours.

    An arm's look follows from its place alone, so it is the same in all figures of a page that are
    given the same arms. Dashes are not used: they would mean nothing.

    Args:
        arms: names in the order of the study.
        prominent: those that have colours where there are too many; the first ones by default.
    """
    if len(arms) <= len(PALETTE):
        return {arm: _look(PALETTE[i], i, arm) for i, arm in enumerate(arms)}
    known = [arm for arm in prominent if arm in arms]
    coloured = (known or list(arms))[: len(HUES)]
    return {
        arm: _look(HUES[coloured.index(arm)], coloured.index(arm), arm)
        if arm in coloured
        else ArmStyle(REST, "solid", "circle")
        for arm in arms
    }


def _look(colour: str, place: int, arm: str) -> ArmStyle:
    return ArmStyle(colour, "solid", SYMBOLS[place % len(SYMBOLS)], end_label=arm)


def faint(colour: str, alpha: float) -> str:
    """Return a colour with an opacity, as CSS.

    Args:
        colour: as ``#RRGGBB``.
        alpha: from 0, which can't be seen, to 1.

    >>> faint("#0072B2", 0.5)
    'rgba(0,114,178,0.5)'
    """
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


def label(text: object, limit: int = 60) -> str:
    """Return text that Plotly shows as it is: its markup escaped, cut to ``limit`` characters.

    Plotly takes the texts of titles, names, ticks and hover boxes for HTML: whatever a user may
    have named (arms, metrics, levels) goes through here.

    >>> label("<b>a & b</b>", 6)
    '&lt;b&gt;a …'
    """
    plain = str(text)
    return escape(plain if len(plain) <= limit else plain[: limit - 1] + "…")


def legend_height(entries: int) -> int:
    """Return the pixels that a legend needs below a figure; about five entries fit in a row."""
    return LEGEND_ROW * -(-entries // 5)


def layout(**own: object) -> dict[str, object]:
    """Return a figure's layout: transparent, light grid, legend below.

    Args:
        own: what the figure itself sets; axes are added to the shared axis, anything else takes its
            place.
    """
    shared: dict[str, object] = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        # a grey that can be read on light and dark; the page's script puts its own colour there
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "#555"},
        "margin": {"l": 10, "r": 10, "t": 30, "b": 10},
        "modebar": {
            "bgcolor": "rgba(0,0,0,0)",
            "color": "rgba(128,128,128,.6)",
            "activecolor": PALETTE[0],
        },
        "hoverlabel": {"namelength": -1},  # the whole name; by default it is cut to 15 characters
        "colorway": list(PALETTE),
        # at the lower edge of the figure and not of the plotting area, which margins move
        "legend": {"orientation": "h", "yref": "container", "yanchor": "bottom", "y": 0, "x": 0},
    }
    for name, value in own.items():
        if name.startswith(("xaxis", "yaxis")) and isinstance(value, dict):
            shared[name] = AXIS | value
        else:
            shared[name] = value
    return shared


def dropdown(buttons: Sequence[dict[str, object]], top: float) -> list[dict[str, object]]:
    """Return a menu above a figure; none where there is nothing to choose.

    Args:
        buttons: Plotly's buttons.
        top: the menu's upper edge, in heights of the plotting area.
    """
    if len(buttons) < 2:
        return []
    place = {"x": 0, "xanchor": "left", "y": top, "yanchor": "top"}
    return [{"buttons": list(buttons), "bgcolor": MENU_BACKGROUND, **place}]


def arm_menu(arms: Sequence[str], height: int) -> list[dict[str, object]]:
    """Return the menu of a figure that shows one arm at a time, with one trace for each arm.

    Args:
        arms: the arms in the order of their traces.
        height: of the figure, in pixels.
    """
    buttons: list[dict[str, object]] = [
        {
            "label": label(arm, 40),
            "method": "restyle",
            "args": [{"visible": [other == arm for other in arms]}],
        }
        for arm in arms
    ]
    # 60 pixels above a plotting area that margins and titles leave about 120 pixels less than the
    # figure's height
    return dropdown(buttons, top=1 + 60 / max(60, height - 120))
