"""A figure as the page holds it: its words, and its Plotly JSON, compressed."""

from __future__ import annotations

import json
from typing import NamedTuple, TypedDict

import plotly.graph_objects as go

from harness.report.compact import compact_traces, short_numbers
from harness.report.library import pack_text


class FigureText(NamedTuple):
    """The words around a figure."""

    title: str
    shows: str
    """What is drawn, and how to read it."""
    trouble: str = ""
    """What would be a sign of trouble."""


class PlainFigure(TypedDict):
    """A figure as Plotly's JSON, without the checks of every number that ``go.Figure`` makes."""

    data: list[dict[str, object]]
    layout: dict[str, object]


class PageFigure(NamedTuple):
    """What the page's template needs of one figure."""

    key: str
    """The id of its element, unique on the page."""
    text: FigureText
    packed: str
    """Its Plotly JSON, made compact, as :func:`harness.report.library.pack_text`."""
    linked: bool = False
    """Whether it is one of the curves that share switches and zoom."""
    frames: int = 0
    """Places of its slider; 0 for a figure that does not move."""


def page_figure(key: str, text: FigureText, figure: go.Figure) -> PageFigure:
    """Return a figure as the page holds it.

    Args:
        key: id of its element, unique on the page.
        text: the words around it.
        figure: what is drawn; it is not changed.
    """
    # by way of Plotly's JSON, since that packs NumPy's arrays into what JSON can hold; without a
    # check of every number, which was made when the figure was
    plain = json.loads(figure.to_json(validate=False))
    # Plotly's default template is 7 kB a figure, and every figure sets its own look
    plain["layout"].pop("template", None)
    frames = len(plain["layout"].get("meta", {}).get("steps", ()))
    return PageFigure(key, text, _pack_json(plain), frames=frames)


def linked_page_figure(key: str, text: FigureText, figure: PlainFigure) -> PageFigure:
    """Return curves as the page holds them; the page's script fills in their coordinates.

    Args:
        key: id of its element, unique on the page.
        text: the words around it.
        figure: curves without coordinates, as
            :func:`harness.report.figures.curves.plot_linked_curves` makes them.
    """
    return PageFigure(key, text, _pack_json(figure), linked=True)


def _pack_json(plain: PlainFigure) -> str:
    data, layout = compact_traces(plain["data"]), short_numbers(plain["layout"])
    return pack_text(json.dumps({"data": data, "layout": layout}, separators=(",", ":")))
