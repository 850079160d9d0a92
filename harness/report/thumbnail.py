"""Small pictures for the index's cards: a study's claims as a forest, and its figure as lines."""

from __future__ import annotations

import base64
import gzip
import json
import math
from collections.abc import Sequence
from typing import Any, TypedDict

from harness.report.forest import ForestRow
from harness.report.page_figure import PageFigure

WIDTH, HEIGHT = 240, 110
"""Of the picture of a figure, in its own units."""
MOST_LINES, MOST_PLACES = 10, 40
"""Of a picture: lines, and points of each."""


class CardClaim(TypedDict):
    """A claim as a card's forest shows it: where its effect stands from −1 to 1."""

    verdict: str
    mean: float
    low: float
    high: float


class CardLine(TypedDict):
    """A curve of a picture."""

    colour: str
    points: str
    """As SVG has them, in a box of :data:`WIDTH` by :data:`HEIGHT`."""


def card_forest(rows: Sequence[ForestRow]) -> list[CardClaim]:
    """Return the claims whose effects can be drawn, for a card's picture."""
    return [
        {
            "verdict": row.verdict,
            "mean": round(row.line.mean, 3),
            "low": round(row.line.low, 3),
            "high": round(row.line.high, 3),
        }
        for row in rows
        if row.line is not None
    ]


def card_lines(hero: PageFigure | None) -> list[CardLine]:
    """Return the lines of a page's first figure, for a card's picture.

    Args:
        hero: the figure; of one that has no lines in its first panel nothing is drawn.
    """
    if hero is None:
        return []
    figure = json.loads(gzip.decompress(base64.b64decode(hero.packed)))
    found = [trace for trace in figure["data"] if _is_line(trace)][:MOST_LINES]
    logarithmic = [
        figure["layout"].get(f"{axis}axis", {}).get("type") == "log" for axis in ("x", "y")
    ]
    curves = [_points(trace, logarithmic) for trace in found]
    every = [point for curve in curves for point in curve]
    if not every:
        return []
    columns = [sorted(own) for own in zip(*every, strict=True)]
    bounds = [(column[0], column[-1]) for column in columns]
    return [
        {"colour": _colour(trace), "points": _placed(curve, bounds)}
        for trace, curve in zip(found, curves, strict=True)
        if curve
    ]


def _is_line(trace: dict[str, Any]) -> bool:
    """Return whether a trace is a line of the first panel that is shown from the beginning."""
    first = trace.get("xaxis", "x") == "x" and trace.get("yaxis", "y") == "y"
    plain = trace.get("type", "scatter") in ("scatter", "scattergl") and "fill" not in trace
    return first and plain and trace.get("visible", True) is True and "y" in trace


def _points(trace: dict[str, Any], logarithmic: Sequence[bool]) -> list[tuple[float, float]]:
    """Return a trace's points that have a place, thinned; on logarithmic axes their logarithms."""
    ys = trace["y"]
    xs = trace.get("x") or list(range(len(ys)))
    if any(isinstance(x, str) for x in xs):  # names of levels: one place each
        xs = list(range(len(ys)))
    pairs = [pair for pair in zip(xs, ys, strict=False) if _has_place(pair, logarithmic)]
    points = [_scaled(pair, logarithmic) for pair in pairs]
    return points[:: max(1, math.ceil(len(points) / MOST_PLACES))]


def _has_place(pair: tuple[Any, Any], logarithmic: Sequence[bool]) -> bool:
    return all(
        isinstance(value, (int, float)) and (value > 0 or not log)
        for value, log in zip(pair, logarithmic, strict=True)
    )


def _scaled(pair: tuple[Any, Any], logarithmic: Sequence[bool]) -> tuple[float, float]:
    x, y = (math.log(v) if log else float(v) for v, log in zip(pair, logarithmic, strict=True))
    return x, y


def _placed(curve: Sequence[tuple[float, float]], bounds: Sequence[tuple[float, float]]) -> str:
    """Return points within the picture as SVG has them."""
    places = []
    for point in curve:
        x, y = (
            (value - low) / (high - low) if high > low else 0.5
            for value, (low, high) in zip(point, bounds, strict=True)
        )
        places.append(f"{4 + x * (WIDTH - 8):.0f},{HEIGHT - 4 - y * (HEIGHT - 8):.0f}")
    return " ".join(places)


def _colour(trace: dict[str, Any]) -> str:
    """Return a trace's colour, if it is one colour; grey for others."""
    for part in ("line", "marker"):
        colour = trace.get(part, {}).get("color")
        if isinstance(colour, str) and colour.startswith(("#", "rgb")):
            return colour
    return "#7F7F7F"
