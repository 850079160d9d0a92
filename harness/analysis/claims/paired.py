"""The values of two arms that a claim compares, paired by search and seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from harness.analysis.bounds import cut_difference
from harness.analysis.results import Results
from harness.analysis.values import resolution_of, values_of
from harness.core.metric_names import describe
from harness.core.metric_table import Description
from harness.spec.claims.two_arms import Contest
from harness.spec.looks import Look
from harness.stats import Evidence, Scope


class PairedValues(NamedTuple):
    """What a test of two arms takes."""

    mine_KS: np.ndarray
    """(K, S) values of the claim's arm, turned so that more is better."""
    other_KS: np.ndarray
    """(K, S) those of the other arm."""
    scope: Scope
    """What the claim speaks of."""
    resolution: float
    """The metric's smallest step, as these values show it."""
    known: Description
    """What is known of the metric."""
    sign: int
    """1 where more of the metric is better, else −1."""

    def weigh(self, test: Callable[..., Evidence], margin: float, level: float) -> Evidence:
        """Return what a test of two arms says of them; the effect's interval ends where two values
        of the metric can't be further apart.

        Args:
            test: :func:`harness.stats.superior` or :func:`harness.stats.equivalent`.
            margin: in the unit of the metric.
            level: coverage of the effect's interval.
        """
        evidence = test(
            self.mine_KS,
            self.other_KS,
            margin,
            level,
            scope=self.scope,
            resolution=self.resolution,
        )
        values = self.sign * np.concatenate([self.mine_KS.ravel(), self.other_KS.ravel()])
        return evidence._replace(effect=cut_difference(evidence.effect, values, self.known))


def pair_arms(results: Results, claim: Contest, look: Look) -> PairedValues:
    """Return the values of the two arms that a claim compares, paired by search and seed.

    Args:
        results: the study's tables.
        claim: names the arms, the metric and which values are better.
        look: the runs to go by.
    """
    sign = 1 if claim.maximize else -1
    mine_KS, other_KS = (
        sign * values_of(results, arm, claim.on, look, claim.maximize) for arm in claim.arms
    )
    step = resolution_of([mine_KS, other_KS])
    known = describe(claim.on, results.study.recipe.declared)
    return PairedValues(mine_KS, other_KS, results.study.scope_of(claim), step, known, sign)
