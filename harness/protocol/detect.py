"""What it takes a study to find an effect: searches, seeds, runs and time.

For ``harness plan --detect``: planned before anything runs, and not told afterwards from the effect
that happened to be seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from harness import stats
from harness.analysis.looks import ALPHA
from harness.protocol.plan import StudyPlan
from harness.spec.study import Study
from harness.stats import Design, Variances
from harness.stats.sequential import RESERVE

POWER = 0.8
"""Probability with which an effect is to be found."""


class PairPlan(NamedTuple):
    """What it takes to find an effect between two arms."""

    pair: str
    """Names of the arms."""
    variances: Variances
    """Of their paired differences."""
    power: float | None
    """Probability that the study as it is finds the effect; None for too few searches."""
    wanted: Design | None
    """The cheapest design that finds it; None where it is too small to be found."""
    split: Design | None
    """The surest design with as many runs as the study has; None where they are too few."""


class DetectionPlan(NamedTuple):
    """What it takes to find an effect between any of the pairs."""

    effect: float
    alpha: float
    """Level of each claim's test."""
    search_cost: float
    """What a search of an arm costs, in confirm runs: the mean over arms."""
    pairs: tuple[PairPlan, ...]
    arms: int
    seconds_a_run: float
    """Mean over the arms, divided by the workers."""

    @property
    def wanted(self) -> Design | None:
        """The design that finds the effect between any of the pairs; None where none does."""
        designs = [pair.wanted for pair in self.pairs]
        known = [design for design in designs if design is not None]
        return max(known, key=lambda design: design.cost) if len(known) == len(designs) else None

    def runs(self, design: Design) -> int:
        """Return the runs of all arms together."""
        return round(design.cost * self.arms)

    def seconds(self, design: Design) -> float:
        """Return how long a design trains."""
        return design.cost * self.arms * self.seconds_a_run


def plan_detection(
    study: Study,
    plan: StudyPlan,
    workers: int,
    effect: float,
    spread: Mapping[str, Variances],
    trial_length: float = 1.0,
) -> DetectionPlan:
    """Return the searches and seeds that find an effect with a probability of 80 %.

    A claim is tested at α/m, as one of m that share the risk: a plan must not count on the others
    to be decided first (Bonferroni). Arms that nothing tunes take seeds in the place of searches.

    Args:
        study: the study.
        plan: its plan, which has the runs of a search and their time.
        workers: worker processes; 0 trains in this process.
        effect: the mean difference to be found, in the unit of the metric.
        spread: variances of paired differences by pair of arms.
        trial_length: length of a trial's run, in runs of the confirmation.
    """
    alpha = ALPHA * (1 - RESERVE) / max(1, len(study.claims))
    repeats = study.search.repeats if study.search else 0
    trials = sum(arm.trials * repeats for arm in plan.arms) / len(plan.arms)
    cost = trials * trial_length
    seconds = sum(arm.seconds for arm in plan.arms) / len(plan.arms) / max(1, workers)
    searches, seeds = study.looks[-1].shape
    # without a search every seed is a replicate of its own
    now = (searches, seeds) if study.tuned else (seeds, 1)
    pairs = tuple(
        _plan_pair(pair, variances, effect, cost, now, alpha) for pair, variances in spread.items()
    )
    return DetectionPlan(effect, alpha, cost, pairs, len(plan.arms), seconds)


def _plan_pair(
    pair: str,
    variances: Variances,
    effect: float,
    cost: float,
    now: tuple[int, int],
    alpha: float,
) -> PairPlan:
    """Return what one pair takes.

    Args:
        pair: names of the arms.
        variances: of their differences.
        effect: to be found.
        cost: of a search of an arm, in runs.
        now: searches and seeds that the study has.
        alpha: level of the test.
    """
    searches, seeds = now
    power = stats.power_of(effect, variances, *now, alpha) if searches > 1 else None
    wanted = stats.cheapest_design(effect, variances, cost, alpha=alpha, power=POWER)
    split = stats.best_split(effect, variances, cost, searches * (cost + seeds), alpha)
    return PairPlan(pair, variances, power, wanted, split)
