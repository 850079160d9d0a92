"""A metric, or the time to a target, at each combination of the levels of some factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from harness import stats
from harness.analysis.claims.times import times_to
from harness.analysis.results import Results
from harness.analysis.values import values_of
from harness.spec.arms import Arm
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
    kept = arms_within(results, claim)
    outcomes = _outcomes(results, claim, [arm.name for arm in kept], look)
    # every combination has an arm, since the study's factors cross
    values = np.empty((*map(len, names), *look.shape))
    for place in np.ndindex(values.shape[:-2]):
        levels = {
            factor: own[i] for factor, own, i in zip(claim.factor_names, names, place, strict=True)
        }
        sharing = [outcomes[arm.name] for arm in kept if _has(arm.levels, levels)]
        values[place] = np.mean(sharing, axis=0)
    return values


def arms_within(results: Results, claim: OverLevels) -> list[Arm]:
    """Return the arms that a claim goes by: those with the levels that it keeps to."""
    return [arm for arm in results.arms if _has(arm.levels, claim.among)]


def _has(levels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Return whether an arm has the wanted levels."""
    return all(levels[factor] == level for factor, level in wanted.items())


def _outcomes(
    results: Results, claim: OverLevels, arms: Sequence[str], look: Look
) -> dict[str, np.ndarray]:
    """Return the metric (K, S) of each arm, or the time to its target.

    Times are restricted to what is known of all arms: levels may be planned with different lengths
    (a batch size's steps), and a run that misses its target would else be the faster, the shorter
    it was planned.

    Args:
        results: the study's tables.
        claim: whether it is about a metric or a time.
        arms: names of the arms.
        look: the runs to go by.
    """
    if claim.goal is None:
        return {arm: values_of(results, arm, claim.on, look) for arm in arms}
    times = {arm: times_to(results, arm, claim.goal, look) for arm in arms}
    horizon = stats.horizon_of([time for own in times.values() for time in own])
    unknown = np.full(look.shape, np.nan)
    return {
        arm: np.reshape(stats.restricted(own, horizon), look.shape) if own else unknown
        for arm, own in times.items()
    }
