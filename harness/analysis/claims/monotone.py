"""Evidence that a metric rises or falls at every step along the levels of a factor."""

from __future__ import annotations

import numpy as np

from harness import stats
from harness.analysis.claims.by_level import values_by_level
from harness.analysis.claims.evidence import Weighed, evidence_on
from harness.analysis.claims.wording import Words
from harness.analysis.number_column import value_column
from harness.analysis.quantities import Quantity
from harness.analysis.results import Results
from harness.analysis.values import resolution_of
from harness.spec.claims import Monotone
from harness.spec.looks import Look


@evidence_on.register
def evidence_on_monotone(claim: Monotone, results: Results, look: Look, level: float) -> Weighed:
    """Test all steps between neighbouring levels (:func:`harness.stats.monotone_steps`).

    Args:
        claim: names the factor, the metric, the direction and the margin.
        results: the study's tables.
        look: the runs to go by.
        level: coverage of the effect's interval.

    Returns:
        Evidence whose effect is the smallest step in the claimed direction, in the metric's unit.
    """
    values_LKS = values_by_level(results, claim, look)
    found = stats.monotone_steps(
        values_LKS,
        claim.margin,
        level,
        rising=claim.rising,
        scope=results.study.scope_of(claim),
        resolution=resolution_of([values_LKS]),
    )
    levels = list(results.study.compare[claim.factor])
    step = f"from {levels[found.step]} to {levels[found.step + 1]}"
    favours = found.evidence.favours
    which = "The least sure step is" if favours else "Most against it is the step"
    words = Words.of(results, claim)
    smallest = f"smallest step {words.effect(found.evidence)}"
    means = level_means(values_LKS, words.values)
    return Weighed(found.evidence, f"{means}; {smallest}. {which} {step}.")


def level_means(values: np.ndarray, quantity: Quantity) -> str:
    """Return the mean at each level, in their order, for people.

    Args:
        values: (levels, …) one number a run; NaN for one that is missing.
        quantity: how they are written.
    """
    there = [own[~np.isnan(own)] for own in values]
    means = [float(np.mean(own)) if len(own) else None for own in there]
    column = value_column(means, quantity, missing="none")
    return f"{' → '.join(column.cells)} {column.unit}".rstrip()
