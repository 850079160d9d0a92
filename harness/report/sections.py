"""The figures of a report, section by section, drawn from the registry."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from harness.analysis.results import Results
from harness.report.figures.base import FigureContext, Section
from harness.report.figures.curve_data import (
    MAIN_METRICS,
    MOST_SINGLES,
    longest_curve,
    most_runs,
    other_metrics,
    paired_metrics,
    units_of,
)
from harness.report.figures.registry import FIGURES
from harness.report.page_figure import PageFigure
from harness.report.thinning import POINTS_PER_CURVE

NUMBERS_PER_PAGE = 64_000
"""Numbers of single runs' curves on a page, from which on each curve gets fewer points.

They are most of a page's bytes: some 160 kB, however many arms, seeds and metrics a study has,
until every curve has :data:`FEWEST_POINTS`.
"""
FEWEST_POINTS = 20
"""Points that a single run's curve keeps however many runs there are: both ends, and the lowest and
the highest of nine stretches between; fewer would not show its shape."""


class Sections(NamedTuple):
    """All figures of a page."""

    ranking: list[PageFigure]
    curves: list[PageFigure]
    metrics: list[PageFigure]
    """Every other metric's curves; one is shown at a time."""
    statistics: list[PageFigure]
    diagnostics: list[PageFigure]
    search: list[PageFigure]
    units: tuple[str, ...]
    """Units that the curves' horizontal axis can be switched to."""
    thinned: int
    """Points that longer curves of single runs were thinned to; 0 where all are shown."""
    singles: int
    """Runs of an arm that are drawn one by one at most; 0 where all are."""


def draw_sections(context: FigureContext) -> Sections:
    """Return the figures of each section that have something to show, in the registry's order.

    Args:
        context: what the figures are computed from; its ``points`` hold for the whole page.
    """
    by_section: dict[Section, list[PageFigure]] = {
        "ranking": [],
        "curves": [],
        "metrics": [],
        "statistics": [],
        "diagnostics": [],
        "search": [],
    }
    for entry in FIGURES:
        for figure in entry.figures(context):
            drawn = figure.on_page(context)
            if drawn is not None:
                by_section[figure.section].append(drawn)
    is_thinned = longest_curve(context.curves) > context.points
    return Sections(
        **by_section,
        units=units_of(context.curves),
        thinned=context.points if is_thinned else 0,
        singles=MOST_SINGLES if most_runs(context.curves) > MOST_SINGLES else 0,
    )


def take_hero(sections: Sections, name: str) -> tuple[Sections, PageFigure | None]:
    """Take the figure that stands on the first screen out of its section, and return both.

    Args:
        sections: all figures of the page.
        name: the figure's name; empty where the claims alone stand there.
    """
    key = name.replace("_", "-")
    for section in ("ranking", "statistics", "diagnostics", "search"):
        figures: list[PageFigure] = getattr(sections, section)
        hero = next((figure for figure in figures if key and figure.key == key), None)
        if hero is not None:
            figures.remove(hero)
            return sections, hero
    return sections, None


def page_context(results: Results) -> FigureContext:
    """Return what a page's figures are computed from, with as many points as a page has room for.

    Args:
        results: of a finished study.
    """
    return FigureContext.of(results, points_on_page(results))


def points_on_page(results: Results) -> int:
    """Return the points for each curve that keep those of all runs within the page's budget.

    Returns:
        ``NUMBERS_PER_PAGE`` shared by all curves of single runs, but no fewer points than show a
        curve's shape, and no more than a screen can. Centres keep theirs.
    """
    # loss, accuracy and the recipe's metrics have a curve each of training and held-out data
    table = results.confirmed_curves
    paired = len(MAIN_METRICS) + len(paired_metrics(table))
    curves_per_run = 2 * paired + len(other_metrics(table))
    curves = max(1, len(results.confirmed) * curves_per_run)
    return int(np.clip(NUMBERS_PER_PAGE // curves, FEWEST_POINTS, POINTS_PER_CURVE))
