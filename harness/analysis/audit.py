"""What could have biased a study, and what to do about it.

Each check is a generator of findings, and is listed in ``CHECKS``. A finding never changes a
verdict: it tells the reader how far to trust one. The thresholds below are rules of thumb.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from harness import stats
from harness.analysis.claims import judge_claims
from harness.analysis.claims.evidence import weigh
from harness.analysis.claims.times import times_to
from harness.analysis.ranking import ALPHA
from harness.analysis.results import Results
from harness.analysis.values import values_of
from harness.core.study_record import FrozenEntry
from harness.spec.arms import build_arms
from harness.spec.space import Choice, LogUniform, Range, Space

EDGE = 0.05
"""Share of a space, at either end, where a best value casts doubt on the space."""
SPREAD = 1.3
"""Ratio of the median to the fastest of an arm's timings above which they were disturbed."""
LOAD = 1.5
"""Processes for each core, besides the timed one, above which a timing was taken on a busy
machine."""
LUCK = 3.0
"""Standard deviations over fresh seeds by which a winning trial is too good to be true."""
SETTLED_FROM = 4
"""Trials of an arm from which on half of them are asked for their leader, too."""


class Finding(NamedTuple):
    """Something that could have biased the answer."""

    check: str
    """The kind of finding, which several checks' findings may share."""
    text: str
    """What was found, with the arms and numbers."""
    advice: str
    """What to do about it, in the imperative."""


def audit(results: Results) -> tuple[Finding, ...]:
    """Return what could have biased the study, in the order of the checks; nothing if all of them
    pass.

    Args:
        results: of a study that has been run to its end.
    """
    return tuple(finding for check in CHECKS.values() for finding in check(results))


def _unequal_budgets(results: Results) -> Iterator[Finding]:
    """Find arms that were tuned with fewer trials, or over more hyperparameters, than others.

    The better tuned arm may win for that alone. A grid's trials end with its points, and an arm
    without spaces has no trials.
    """
    counts = _trials_by_arm(results)
    tuned = {arm: count for arm, count in counts.items() if count}
    if len(set(tuned.values())) > 1:
        listed = ", ".join(f"{arm}: {count}" for arm, count in tuned.items())
        yield Finding(
            "unequal budgets",
            f"trials by arm: {listed}",
            "give a grid as many points as there are trials",
        )
    untuned = [arm for arm, count in counts.items() if not count]
    if untuned and tuned:
        most = max(tuned.values())
        yield Finding(
            "unequal budgets",
            f"not tuned at all: {_first_of(untuned)}, while {len(tuned)} arms had {most} trials",
            "tune every arm, or read their comparison as one of defaults against tuned settings",
        )
    sizes = [len(arm.recipe.spaces()) for arm in build_arms(results.study)]
    searched = [size for size in sizes if size]
    if len(set(searched)) > 1:
        yield Finding(
            "unequal budgets",
            f"arms have from {min(searched)} to {max(searched)} hyperparameters to tune "
            "with the same number of trials",
            "raise search.trials until the winner no longer changes with the budget",
        )


def _trials_by_arm(results: Results) -> dict[str, int]:
    """Return how many trials each arm had, in the arms' order; 0 for those that were not tuned."""
    counts = results.trials.groupby("arm").size() if len(results.trials) else pd.Series(dtype=int)
    return {arm.name: int(counts.get(arm.name, 0)) for arm in build_arms(results.study)}


def _values_at_edges(results: Results) -> Iterator[Finding]:
    """Find best values at an end of their space: a better one may lie beyond it."""
    for arm in build_arms(results.study):
        # settings() has the values by the same paths as spaces()
        frozen = [
            arm.recipe.model_validate(winner.recipe).settings()
            for winner in results.winners[arm.name]
        ]
        for path, space in arm.recipe.spaces().items():
            values = [own.get(path) for own in frozen]
            sides = [side for side in (find_edge(space, v) for v in values) if side is not None]
            if sides:
                side = sides[0]
                where = f"in {len(sides)} of {len(values)} searches " if len(values) > 1 else ""
                at = next(v for v in values if find_edge(space, v) == side)
                yield Finding(
                    "best value at the edge",
                    f"{arm.name}: {where}the best {path} = {at:.3g} lies at the {side} end of "
                    f"{space}",
                    f"widen the space of {path} at its {side} end and run again",
                )


def find_edge(space: Space, value: object) -> str | None:
    """Return the end of a space that a value lies at.

    Args:
        space: where the value was searched.
        value: the best value.

    Returns:
        "lower" or "upper", where the value is within 5 % of that end on the space's own scale; None
        for the middle, and for choices, which have no ends.

    >>> find_edge(LogUniform(1e-3, 1.0), 0.9), find_edge(LogUniform(1e-3, 1.0), 0.1)
    ('upper', None)
    """
    if isinstance(space, Choice) or not isinstance(value, (int, float)):
        return None
    assert isinstance(space, Range)
    # where the value lies between the ends, from 0 to 1, on the scale that is searched evenly
    scale = math.log if isinstance(space, LogUniform) else float
    low, high = scale(space.low), scale(space.high)
    place = (scale(value) - low) / (high - low)
    if place < EDGE:
        return "lower"
    return "upper" if place > 1 - EDGE else None


def _too_few_seeds(results: Results) -> Iterator[Finding]:
    """Find claims that stay undecided, and how many seeds an effect of the size seen would take.

    Claims without an effect size per pair of seeds (equality, trends, interactions) are passed
    over.
    """
    for result in judge_claims(results):
        if result.verdict.verdict != "undecided" or not result.claim.plannable:
            continue
        size = weigh(results, result.claim, results.look).evidence.size
        # As many claims share the risk of a wrong verdict, each gets its part of it (Bonferroni):
        # a plan must not count on the other claims to be decided first, as Holm's procedure may.
        needed = stats.seeds_needed(size, ALPHA / len(results.study.claims))
        # None: more than can be planned for. Fewer than there were: by the size seen the claim
        # should have been decided, so that the size is no guide.
        if needed is None or needed <= result.look.runs:
            advice = (
                "the effect is too small to plan for; "
                "if that is small enough, claim 'equal' with a margin"
            )
        else:
            effect = f"an effect of this size (d = {abs(size):.2f})"
            advice = f"{effect} takes about {needed} seeds (power 80 %)"
        text = f"undecided with {result.look}: {result.claim}"
        yield Finding("too few seeds to decide", text, advice)


def _censored_times(results: Results) -> Iterator[Finding]:
    """Find runs that never reached the target of a claim about speed: their times are unknown but
    for a lower bound."""
    for claim in results.study.claims:
        goal = claim.goal
        if goal is None:
            continue
        for arm in claim.arms:
            times = times_to(results, arm, goal)
            missed = sum(time.censored for time in times)
            if missed:
                yield Finding(
                    "censored times",
                    f"{missed} of {len(times)} runs of {arm} never reached "
                    f"{goal.metric} {goal.target:g}",
                    "means are restricted to the time watched; "
                    "train longer or choose a target that both arms reach",
                )


def _pruned_trials(results: Results) -> Iterator[Finding]:
    """Find trials that the pruner ended, which might have overtaken others later."""
    trials = results.trials
    pruned = trials[trials["status"] == "pruned"]
    if len(pruned):
        by_arm = ", ".join(f"{arm}: {count}" for arm, count in pruned.groupby("arm").size().items())
        yield Finding(
            "pruned trials",
            f"trials ended early: {by_arm}",
            "pruning favours settings that learn fast at first; check the winners with pruner none",
        )


def _unsettled_ranking(results: Results) -> Iterator[Finding]:
    """Find a search whose leading arm changed in its second half: with more trials it may change
    again."""
    search = results.study.search
    counts = [count for count in _trials_by_arm(results).values() if count]
    if search is None or len(counts) < 2 or min(counts) < SETTLED_FROM:
        return
    # by the arm with the fewest trials, so that all are compared at the same budget
    half = _leader(results.trials, min(counts) / 2, search.maximize)
    full = _leader(results.trials, min(counts), search.maximize)
    if half != full:
        yield Finding(
            "ranking not settled",
            f"after half of the trials {half} led on {search.objective}, after all of them {full}",
            "raise search.trials, or search.repeats so that a trial is judged over several seeds",
        )


def _leader(trials: pd.DataFrame, count: float, maximize: bool) -> str:
    """Return the arm with the best trial among the first ``count`` of each arm.

    Args:
        trials: ``results.trials``; objectives that are missing are passed over.
        count: how many; a half counts as a whole trial more.
        maximize: whether larger objectives are better.
    """
    values = trials[trials["trial"] < count].groupby("arm")["value"]
    return str(values.max().dropna().idxmax() if maximize else values.min().dropna().idxmin())


def _timings_under_load(results: Results) -> Iterator[Finding]:
    """Find clocks that were read while the machine did something else, as their scatter or the
    system's load says."""
    disturbed = [
        arm
        for arm, readings in results.clock.items()
        if any(reading.spread > SPREAD or reading.load > LOAD for reading in readings.values())
    ]
    if disturbed:
        yield Finding(
            "timings under load",
            f"the clock of {_first_of(disturbed)} was read on a busy machine",
            "read seconds with care; run again on a quiet machine, or compare steps",
        )


def _leaks(results: Results) -> Iterator[Finding]:
    """Find seeds or test data that the search has seen.

    The protocol refuses both; this looks at what was recorded, whoever recorded it.
    """
    shared = set(results.searched["seed"]) & set(results.confirmed["seed"])
    if shared:
        yield Finding(
            "leak",
            f"seeds {sorted(shared)} were used to tune and to confirm",
            "confirm with other seeds",
        )
    searched = results.searched
    columns = [str(column) for column in searched if str(column).startswith("test/")]
    seen = [column for column in columns if searched[column].notna().any()]
    if seen:
        yield Finding(
            "leak", f"search runs recorded {', '.join(seen)}", "tune on validation data only"
        )


def _different_paths(results: Results) -> Iterator[Finding]:
    """Find arms that trained one by one while others trained in cohorts: their seconds of training
    can't be compared, and sums are rounded otherwise."""
    alone = {
        arm: winners[0].why
        for arm, winners in results.winners.items()
        if winners and not winners[0].batched
    }
    if alone and len(alone) < len(results.winners):
        why = "; ".join(sorted(set(alone.values())))
        yield Finding(
            "other path",
            f"trained one by one, not in cohorts: {_first_of(list(alone))} ({why})",
            "the numbers are the same to rounding; compare steps, and seconds only by the clock",
        )


def _lucky_winners(results: Results) -> Iterator[Finding]:
    """Find winning trials that did far better than the same recipe does with fresh seeds.

    The best of many noisy trials is too good on average (the winner's curse); a lead of ``LUCK``
    standard deviations says that luck and not the recipe chose it.
    """
    search = results.study.search
    # Fresh seeds are compared by their closing values, which a best or mean over training is not.
    if search is None or search.reduce != "final" or not len(results.trials):
        return
    for arm, winners in results.winners.items():
        objectives = [_objective(results.trials, arm, winner) for winner in winners]
        won = float(np.mean(objectives)) if objectives else math.nan
        # as many as there are searches: the mean of winning trials is compared with theirs
        fresh_KS = values_of(results, arm, search.objective)
        fresh = fresh_KS.ravel() if len(fresh_KS) == 1 else fresh_KS.mean(axis=1)
        # a standard deviation of fewer than four seeds would call many winners lucky
        if math.isnan(won) or len(fresh) < 4 or not np.isfinite(fresh).all():
            continue
        lead = (won - fresh.mean()) * (1 if search.maximize else -1)
        if lead > LUCK * fresh.std(ddof=1):
            yield Finding(
                "lucky winner",
                f"{arm}: its best trial had {search.objective} {won:.4g}, "
                f"fresh seeds give {fresh.mean():.4g}",
                "judge trials over several seeds: search.repeats=3",
            )


def _objective(trials: pd.DataFrame, arm: str, winner: FrozenEntry) -> float:
    """Return the objective of an arm's winning trial; NaN where there is none."""
    own = trials[(trials["arm"] == arm) & (trials["search"] == winner.search)]
    values = own[own["trial"] == winner.trial]["value"].astype(float)
    return float(values.iloc[0]) if len(values) else math.nan


CHECKS: dict[str, Callable[[Results], Iterator[Finding]]] = {
    "equal budgets": _unequal_budgets,
    "best values inside their spaces": _values_at_edges,
    "enough seeds": _too_few_seeds,
    "no censored times": _censored_times,
    "no pruned trials": _pruned_trials,
    "ranking settled over the search": _unsettled_ranking,
    "winners no flukes": _lucky_winners,
    "timings on a quiet machine": _timings_under_load,
    "no leak between search and confirm": _leaks,
    "one path for all arms": _different_paths,
}
"""Checks by what holds where they find nothing, in the order of the report."""


def _first_of(names: Sequence[str], most: int = 5) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
