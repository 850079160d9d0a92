"""Checks of the claims: late ones, undecided ones, and targets that were missed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from harness.analysis.audit.finding import Finding
from harness.analysis.claims import judge_claims
from harness.analysis.claims.by_level import arms_within
from harness.analysis.claims.times import times_to
from harness.analysis.claims.wording import claim_in_words
from harness.analysis.quantities import (
    Quantity,
    quantity_of,
    quantity_of_effect,
    say_given,
    say_value,
)
from harness.analysis.results import Results
from harness.core.metric_names import describe
from harness.spec.claims import Claim
from harness.spec.claims.over_levels import OverLevels
from harness.stats import Interval


def late_claims(results: Results) -> Iterator[Finding]:
    """Find claims that were not said yet when their runs were shown.

    A claim that was chosen by what came out is true of these runs more often than of others, and no
    correction knows how many others might have been chosen.
    """
    declared = results.study.recipe.declared
    for claim in results.study.claims:
        before = [
            look
            for look in results.looks_shown
            if look.claims is not None and str(claim) not in look.claims
        ]
        if before:
            seen = max(look.searches * look.seeds for look in before)
            yield Finding(
                "claim said afterwards",
                f"{claim_in_words(claim, declared)}: it was not claimed yet when an answer by "
                f"{seen} runs of each arm was shown",
                "read it as an idea that these runs gave; to test it, claim it in a study of "
                "another name with seeds that were not used (seeds: [100, 101, …])",
            )


def undecided_claims(results: Results) -> Iterator[Finding]:
    """Find claims that stay undecided, and say what their intervals exclude nevertheless.

    How many runs the effect that happened to be seen would take is not told: of studies without an
    effect nine in ten would be promised one. What takes how many is planned from an effect that
    matters.
    """
    declared = results.study.recipe.declared
    for result in judge_claims(results):
        if result.verdict.verdict == "undecided":
            quantity = quantity_of_effect(result.claim, declared)
            yield Finding(
                "undecided",
                f"{claim_in_words(result.claim, declared)} ({result.look}): "
                f"{_excluded(result.verdict.effect, quantity)}",
                "say which effect would matter: 'harness plan SPEC --detect EFFECT' gives the "
                "searches and seeds that find it; one that is small enough may be claimed 'equal'",
            )


def _excluded(effect: Interval, quantity: Quantity) -> str:
    """Return what an interval excludes, in words."""
    if not (math.isfinite(effect.low) and math.isfinite(effect.high)):
        return "its interval excludes no effect at all"
    low, high = (say_value(bound, quantity) for bound in (effect.low, effect.high))
    return f"its interval excludes effects below {low} and above {high}"


def censored_times(results: Results) -> Iterator[Finding]:
    """Find runs that never reached the target of a claim about speed: their times are unknown but
    for a lower bound."""
    declared = results.study.recipe.declared
    for claim in results.study.claims:
        goal = claim.goal
        if goal is None:
            continue
        for arm in _arms_of(results, claim):
            times = times_to(results, arm, goal)
            missed = sum(time.censored for time in times)
            if missed:
                yield Finding(
                    "censored times",
                    f"{missed} of {len(times)} runs of {arm} never reached "
                    f"{describe(goal.metric, declared).label} "
                    f"{say_given(goal.target, quantity_of(goal.metric, declared))}",
                    "means are restricted to the time watched; "
                    "train longer or choose a target that both arms reach",
                )


def _arms_of(results: Results, claim: Claim) -> Sequence[str]:
    """Return the arms that a claim names, or those whose levels it is about."""
    if isinstance(claim, OverLevels):
        return [arm.name for arm in arms_within(results, claim)]
    return claim.arms
