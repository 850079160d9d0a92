"""A study's claims and its ranking as SVG files: pictures that need no script and no library.

They are artifacts of the study's run, where MLflow's UI shows them, and can go into a document as
they are. A row is a name at the left, a mark with its interval, and the number in words at the
right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from harness.analysis.answer import Answer
from harness.analysis.quantities import quantity_of, say
from harness.core.metric_names import Declared, describe
from harness.report.forest import forest_of
from harness.report.style import assign_looks

ROW = 24
"""Pixels of a row."""
NAMES, DRAWN, NUMBERS = 430, 300, 220
"""Pixels of the three columns."""
CHARACTERS = 66
"""Characters of a name that fit into its column."""
VERDICT_COLOURS = {"supported": "#12704a", "opposite": "#a3340b"}
"""Colours of marks, as on the page; grey for the other verdicts."""


class SvgRow(NamedTuple):
    """A row of a picture; places go from −1 to 1."""

    name: str
    number: str
    mean: float
    low: float
    high: float
    colour: str


def answer_pictures(answer: Answer, declared: Declared) -> dict[str, str]:
    """Return the pictures of an answer by their file names.

    Args:
        answer: of a study that has been run to its end.
        declared: what the study declares of metrics of its own.

    Returns:
        ``claims.svg`` where a claim's effect can be drawn, ``ranking.svg`` where an arm's mean can.
    """
    claims, arms = _claim_rows(answer, declared), _arm_rows(answer, declared)
    label = describe(answer.metric, declared).label
    pictures = {
        "claims.svg": (claims, "Claims: against, and in favour", True),
        "ranking.svg": (arms, f"Closing value of each arm: {label}", False),
    }
    return {name: draw_rows(*given) for name, given in pictures.items() if given[0]}


def _claim_rows(answer: Answer, declared: Declared) -> list[SvgRow]:
    return [
        SvgRow(
            f"{row.mark} {row.claim}",
            row.effect,
            row.line.mean,
            row.line.low,
            row.line.high,
            VERDICT_COLOURS.get(row.verdict, "#777777"),
        )
        for row in forest_of(answer, declared)
        if row.line is not None
    ]


def _arm_rows(answer: Answer, declared: Declared) -> list[SvgRow]:
    """Return the arms with a finite mean, on one scale from the lowest end to the highest."""
    places = [place for place in answer.ranking if math.isfinite(place.interval.mean)]
    ends = [end for place in places for end in place.interval if math.isfinite(end)]
    if not ends:
        return []
    low, span = min(ends), (max(ends) - min(ends)) or 1.0
    quantity, looks = quantity_of(answer.metric, declared), assign_looks([p.arm for p in places])

    rows = []
    for place in places:
        mean = place.interval.mean
        # one run allows no interval: its ends are the mean
        ends = [end if math.isfinite(end) else mean for end in place.interval]
        at = [2 * (end - low) / span - 1 for end in ends]
        said = say(place.interval, quantity)
        rows.append(SvgRow(place.arm, said, at[0], at[1], at[2], looks[place.arm].colour))
    return rows


def draw_rows(rows: Sequence[SvgRow], title: str, zero: bool) -> str:
    """Return a picture of rows.

    Args:
        rows: one at least.
        title: stands above.
        zero: whether a line in the middle says where no effect is.
    """
    width, height = NAMES + DRAWN + NUMBERS, ROW * (len(rows) + 2)
    middle = NAMES + DRAWN / 2
    axis = (
        f'<line x1="{middle}" x2="{middle}" y1="{1.4 * ROW}" y2="{height - ROW / 2}" '
        'stroke="#999" stroke-dasharray="3 3"/>'
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="system-ui, sans-serif" '
            'font-size="12" fill="#222">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{width}" height="{height}" fill="#fff"/>',
            f'<text x="8" y="{ROW - 7}" font-weight="bold">{escape(title)}</text>',
            *([axis] if zero else []),
            *(_drawn(row, ROW * (place + 2)) for place, row in enumerate(rows)),
            "</svg>\n",
        ]
    )


def _drawn(row: SvgRow, y: float) -> str:
    """Return a row whose middle is at a height."""
    low, mean, high = (
        # the interval ends within the column, with room for the mark
        f"{NAMES + DRAWN * (0.5 + 0.46 * max(-1.0, min(1.0, at))):.1f}"
        for at in (row.low, row.mean, row.high)
    )
    short = len(row.name) <= CHARACTERS
    name = escape(row.name if short else row.name[: CHARACTERS - 1] + "…")
    return (
        f'<g><title>{escape(row.name)}</title><text x="8" y="{y + 4}">{name}</text>'
        f'<line x1="{low}" x2="{high}" y1="{y}" y2="{y}" stroke="{row.colour}" stroke-width="2"/>'
        f'<circle cx="{mean}" cy="{y}" r="4" fill="{row.colour}"/>'
        f'<text x="{NAMES + DRAWN + 8}" y="{y + 4}">{escape(row.number)}</text></g>'
    )
