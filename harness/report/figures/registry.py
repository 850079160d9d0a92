"""The report's figures in the order of the page.

A new figure is its own file, an import here, and a place in the list.
"""

from __future__ import annotations

from harness.core.errors import SpecError, nearest
from harness.report.figures.base import AnyFigure, Figure, FigureSet
from harness.report.figures.budget import BUDGET_FIGURE
from harness.report.figures.confusion import CONFUSION_FIGURE
from harness.report.figures.critical_difference import CRITICAL_DIFFERENCE_FIGURE
from harness.report.figures.curves import CURVES_FIGURES
from harness.report.figures.generalization_gap import GENERALIZATION_GAP_FIGURE
from harness.report.figures.importance import IMPORTANCE_FIGURE
from harness.report.figures.improvement import IMPROVEMENT_FIGURE
from harness.report.figures.interactions import INTERACTIONS_FIGURE
from harness.report.figures.noise_batch import NOISE_BATCH_FIGURE
from harness.report.figures.pairs import PAIRS_FIGURE
from harness.report.figures.parallel import PARALLEL_FIGURE
from harness.report.figures.probes import PROBES_FIGURES
from harness.report.figures.profile import PROFILE_FIGURE
from harness.report.figures.ranking import RANKING_FIGURE
from harness.report.figures.reliability import RELIABILITY_FIGURE
from harness.report.figures.sensitivity import SENSITIVITY_FIGURE
from harness.report.figures.slices import LOSS_LINES_FIGURE, LOSS_PLANES_FIGURE
from harness.report.figures.surfaces import SURFACES_FIGURE
from harness.report.figures.survival import SURVIVAL_FIGURES
from harness.report.figures.trajectories import TRAJECTORIES_FIGURE

FIGURES: tuple[AnyFigure | FigureSet, ...] = (
    RANKING_FIGURE,
    SURVIVAL_FIGURES,
    CURVES_FIGURES,
    IMPROVEMENT_FIGURE,
    CRITICAL_DIFFERENCE_FIGURE,
    PROFILE_FIGURE,
    INTERACTIONS_FIGURE,
    SURFACES_FIGURE,
    TRAJECTORIES_FIGURE,
    GENERALIZATION_GAP_FIGURE,
    PROBES_FIGURES,
    NOISE_BATCH_FIGURE,
    CONFUSION_FIGURE,
    RELIABILITY_FIGURE,
    LOSS_LINES_FIGURE,
    LOSS_PLANES_FIGURE,
    BUDGET_FIGURE,
    SENSITIVITY_FIGURE,
    PAIRS_FIGURE,
    PARALLEL_FIGURE,
    IMPORTANCE_FIGURE,
)
"""Each stands in the section that it names; within a section they follow this order."""


def check_hero(name: str) -> None:
    """Refuse a figure for the first screen that there is not, before anything trains.

    Args:
        name: the study's ``hero``; empty where the claims alone stand there.

    Raises:
        SpecError: no figure that can stand alone has the name.
    """
    alone = [figure.name for figure in FIGURES if isinstance(figure, Figure)]
    if name and name not in alone:
        raise SpecError(f"hero: unknown figure {name!r}; {nearest(name, alone)}")
