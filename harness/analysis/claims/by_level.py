"""A metric, or the time to a target, at each combination of the levels of some factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from harness import stats
from harness.analysis.claims.evidence import SeedNumbers
from harness.analysis.claims.times import times_to
from harness.analysis.results import Results
from harness.analysis.values import values_of
from harness.spec.arms import build_arms
from harness.spec.claims.over_levels import OverLevels


def values_by_level(results: Results, claim: OverLevels, seeds: SeedNumbers) -> np.ndarray:
    """Return the claim's metric at each combination of its factors' levels.

    Args:
        results: the study's tables.
        claim: names the factors, the metric, and levels of other factors to keep to.
        seeds: the seeds, in order.

    Returns:
        (levels of each factor, …, seeds): the mean over the arms that share these levels. Factors
        stand in the order of ``claim.factor_names``, levels in the study's.
    """
    names = [list(results.study.compare[factor]) for factor in claim.factor_names]
    kept = [arm for arm in build_arms(results.study) if _has(arm.levels, claim.among)]
    # every combination has an arm, since the study's factors cross
    values = np.empty((*map(len, names), len(seeds)))
    for place in np.ndindex(values.shape[:-1]):
        levels = {
            factor: own[i] for factor, own, i in zip(claim.factor_names, names, place, strict=True)
        }
        sharing = [arm.name for arm in kept if _has(arm.levels, levels)]
        values[place] = np.mean([_outcomes(results, claim, arm, seeds) for arm in sharing], axis=0)
    return values


def _has(levels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Return whether an arm has the wanted levels."""
    return all(levels[factor] == level for factor, level in wanted.items())


def _outcomes(results: Results, claim: OverLevels, arm: str, seeds: SeedNumbers) -> Sequence[float]:
    """Return the metric by seed, or the time to its target; a missed target counts as the whole
    time watched.

    Args:
        results: the study's tables.
        claim: whether it is about a metric or a time.
        arm: name of the arm.
        seeds: the seeds, in order.
    """
    if claim.goal is None:
        return values_of(results, arm, claim.on, seeds)
    times = times_to(results, arm, claim.goal, seeds)
    # At the arm's own longest time, so that no time that was reached is cut.
    return stats.restricted(times, max(t.time for t in times))
