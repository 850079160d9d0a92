"""A metric, or the time to a target, at each combination of the levels of some factors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness import stats
from harness.analysis.claims.times import times_to
from harness.analysis.results import Results
from harness.analysis.values import values_of
from harness.spec.claims.over_levels import OverLevels
from harness.spec.looks import Look


def values_by_level(results: Results, claim: OverLevels, look: Look) -> np.ndarray:
    """Return the claim's metric at each combination of its factors' levels.

    Args:
        results: the study's tables.
        claim: names the factors, the metric, and levels of other factors to keep to.
        look: the runs to go by.

    Returns:
        (levels of each factor, …, K, S): the mean over the arms that share these levels. Factors
        stand in the order of ``claim.factor_names``, levels in the study's.
    """
    names = [list(results.study.compare[factor]) for factor in claim.factor_names]
    kept = [arm for arm in results.arms if _has(arm.levels, claim.among)]
    # every combination has an arm, since the study's factors cross
    values = np.empty((*map(len, names), *look.shape))
    for place in np.ndindex(values.shape[:-2]):
        levels = {
            factor: own[i] for factor, own, i in zip(claim.factor_names, names, place, strict=True)
        }
        sharing = [arm.name for arm in kept if _has(arm.levels, levels)]
        values[place] = np.mean([_outcomes(results, claim, arm, look) for arm in sharing], axis=0)
    return values


def _has(levels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Return whether an arm has the wanted levels."""
    return all(levels[factor] == level for factor, level in wanted.items())


def _outcomes(results: Results, claim: OverLevels, arm: str, look: Look) -> np.ndarray:
    """Return the metric (K, S), or the time to its target; a missed target counts as the whole
    planned length.

    Args:
        results: the study's tables.
        claim: whether it is about a metric or a time.
        arm: name of the arm.
        look: the runs to go by.
    """
    if claim.goal is None:
        return values_of(results, arm, claim.on, look)
    times = times_to(results, arm, claim.goal, look)
    if not times:
        return np.full(look.shape, np.nan)
    # at the arm's own longest time, so that no time that was reached is cut
    cut = stats.restricted(times, max(t.time for t in times))
    return np.reshape(cut, look.shape)
