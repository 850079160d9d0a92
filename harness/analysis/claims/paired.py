"""The values of two arms that a claim compares, paired by seed."""

from __future__ import annotations

import numpy as np

from harness.analysis.claims.evidence import SeedNumbers
from harness.analysis.results import Results
from harness.analysis.values import values_of
from harness.spec.claims.two_arms import Contest


def paired_values(
    results: Results, claim: Contest, seeds: SeedNumbers
) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of the two arms that a claim compares, paired by seed.

    Args:
        results: the study's tables.
        claim: names the arms, the metric and which values are better.
        seeds: the seeds, in order.

    Returns:
        Values (seeds,) of the claim's arm and of the other, turned so that more is better.
    """
    sign = 1 if claim.maximize else -1
    mine, other = (
        sign * np.array(values_of(results, arm, claim.on, seeds, claim.maximize))
        for arm in claim.arms
    )
    return mine, other
