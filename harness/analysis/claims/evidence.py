"""What the runs say of a claim: found by the claim's kind, each of which registers how it is
weighed.

Evidence is weighed here for one claim and the runs of one look. Corrections for other claims and
other looks follow in verdicts.py.
"""

from __future__ import annotations

import math
from functools import singledispatch
from typing import NamedTuple

from harness.analysis.claims.times import untimed_arms
from harness.analysis.results import Results
from harness.spec.claims import Claim
from harness.spec.looks import Look
from harness.stats import Evidence


class Weighed(NamedTuple):
    """The evidence on a claim, and its size in words."""

    evidence: Evidence
    """Effect with its interval, two-sided p, and whether the data lean to the claim."""
    detail: str
    """One or two sentences with the numbers, for the report."""


@singledispatch
def evidence_on(claim: Claim, results: Results, look: Look, level: float) -> Weighed:
    """Return what runs say of a claim; each kind of claim registers its own way.

    Args:
        claim: the claim.
        results: the study's tables.
        look: the runs to go by.
        level: coverage of the effect's interval.

    Raises:
        NotImplementedError: the kind has no evidence registered.
    """
    raise NotImplementedError(f"no evidence is registered for claims of kind {claim.kind!r}")


def weigh(results: Results, claim: Claim, look: Look, level: float = 0.95) -> Weighed:
    """Return what the runs of a look say of a claim.

    Args:
        results: the study's tables.
        claim: the claim.
        look: the runs to go by.
        level: coverage of the effect's interval.

    Returns:
        The evidence and its size in words; p is 1 where the claim is on what was not recorded, and
        where there is a single run, so that it stays undecided.
    """
    weighed = evidence_on(claim, results, look, level)
    # A NaN among the values makes the mean and its bounds NaN; the test's own p must not decide
    # anything then. (Infinite bounds of a NaN are an effect that is not defined.)
    if math.isnan(weighed.evidence.effect.low):
        return Weighed(weighed.evidence._replace(p=1.0), _lacking(results, claim))
    if look.runs < 2:  # a trend over levels has a p of its own, which knows of no other run
        return weighed._replace(evidence=weighed.evidence._replace(p=1.0))
    return weighed


def _lacking(results: Results, claim: Claim) -> str:
    """Return what a claim can't be judged without, in words."""
    goal, untimed = claim.goal, list[str]()
    if goal and goal.metric in results.confirmed_curves:
        untimed = [arm for arm in untimed_arms(results, goal) if arm in (claim.arms or [arm])]
    if untimed and goal and goal.unit == "seconds":
        return (
            f"The clock of {', '.join(untimed)} was not read, so that seconds are not known; "
            "start the study again."
        )
    if untimed and goal:
        field = {"epochs": "epoch"}.get(goal.unit, goal.unit)
        return (
            f"The {goal.unit} of {', '.join(untimed)} are not known: a loop tells them by "
            f"run.log(step, {field}=...)."
        )
    return f"{claim.on} was not recorded by all of these runs."
