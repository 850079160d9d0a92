"""What could have biased a study, and what to do about it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from harness import stats
from harness.analysis.claims import tested
from harness.analysis.claims.evidence import weigh
from harness.analysis.claims.times import times_to
from harness.analysis.ranking import ALPHA
from harness.analysis.results import Results
from harness.analysis.values import values_of
from harness.spec.arms import arms
from harness.spec.space import Choice, LogUniform, Range, Space

EDGE = 0.05
"""Share of a space, at either end, where a best value casts doubt on the space."""
SPREAD = 1.3
"""Ratio of the median to the fastest of an arm's timings above which they were disturbed."""


class Finding(NamedTuple):
    """Something that could have biased the answer."""

    check: str
    text: str
    advice: str


def audit(results: Results) -> tuple[Finding, ...]:
    """Return what could have biased the study, in the order of the checks; nothing if all of them pass."""
    return tuple(finding for check in CHECKS.values() for finding in check(results))


def _budgets(results: Results) -> Iterator[Finding]:
    counts = _trials_by_arm(results)
    tuned = {arm: n for arm, n in counts.items() if n}
    if len(set(tuned.values())) > 1:
        said = ", ".join(f"{arm}: {n}" for arm, n in tuned.items())
        yield Finding(
            "unequal budgets",
            f"trials by arm: {said}",
            "give a grid as many points as there are trials",
        )
    untuned = [arm for arm, n in counts.items() if not n]
    if untuned and tuned:
        yield Finding(
            "unequal budgets",
            f"not tuned at all: {_some(untuned)}, while {len(tuned)} arms had {max(tuned.values())} trials",
            "tune every arm, or read their comparison as one of defaults against tuned settings",
        )
    sizes = {
        arm.name: len(arm.recipe.spaces()) for arm in arms(results.study) if arm.recipe.spaces()
    }
    if len(set(sizes.values())) > 1:
        low, high = min(sizes.values()), max(sizes.values())
        yield Finding(
            "unequal budgets",
            f"arms have from {low} to {high} hyperparameters to tune with the same number of trials",
            "raise search.trials until the winner no longer changes with the budget",
        )


def _trials_by_arm(results: Results) -> dict[str, int]:
    counts = results.trials.groupby("arm").size() if len(results.trials) else pd.Series(dtype=int)
    return {arm.name: int(counts.get(arm.name, 0)) for arm in arms(results.study)}


def _edges(results: Results) -> Iterator[Finding]:
    for arm in arms(results.study):
        frozen = arm.recipe.model_validate(results.winners[arm.name]["recipe"]).settings()
        for path, space in arm.recipe.spaces().items():
            if (side := edge(space, frozen.get(path))) is not None:
                yield Finding(
                    "best value at the edge",
                    f"{arm.name}: the best {path} = {frozen[path]:.3g} lies at the {side} end of {space}",
                    f"widen the space of {path} at its {side} end and run again",
                )


def edge(space: Space, value: Any) -> str | None:
    """Return the end of the space that the value is within 5 % of, on the space's own scale; None for the middle.

    >>> edge(LogUniform(1e-3, 1.0), 0.9), edge(LogUniform(1e-3, 1.0), 0.1)
    ('upper', None)
    """
    if isinstance(space, Choice) or not isinstance(value, (int, float)):
        return None
    assert isinstance(space, Range)
    low, high = space.low, space.high
    scale = math.log if isinstance(space, LogUniform) else float
    place = (scale(value) - scale(low)) / (scale(high) - scale(low))
    if place < EDGE:
        return "lower"
    return "upper" if place > 1 - EDGE else None


def _seeds(results: Results) -> Iterator[Finding]:
    for found in tested(results):
        claim = found.claim
        if found.verdict.verdict != "undecided" or not claim.plannable:
            continue
        size = weigh(results, claim, sorted(set(results.confirmed["seed"]))).evidence.size
        need = stats.seeds_needed(size, ALPHA / len(results.study.claims))
        text = f"undecided with {found.seeds} seeds: {claim}"
        if need is None or need <= found.seeds:
            advice = "the effect is too small to plan for; if that is small enough, claim 'equal' with a margin"
        else:
            advice = f"an effect of this size (d = {abs(size):.2f}) takes about {need} seeds (power 80 %)"
        yield Finding("too few seeds to decide", text, advice)


def _censoring(results: Results) -> Iterator[Finding]:
    for claim in results.study.claims:
        goal = claim.goal
        if goal is None:
            continue
        for arm in claim.arms:
            times = times_to(results, arm, goal)
            missed = sum(t.censored for t in times)
            if missed:
                yield Finding(
                    "censored times",
                    f"{missed} of {len(times)} seeds of {arm} never reached {goal.metric} {goal.target:g}",
                    "means are restricted to the time watched; train longer or choose a target that both arms reach",
                )


def _pruning(results: Results) -> Iterator[Finding]:
    pruned = (
        results.trials[results.trials["status"] == "pruned"]
        if len(results.trials)
        else results.trials
    )
    if len(pruned):
        by_arm = ", ".join(f"{arm}: {n}" for arm, n in pruned.groupby("arm").size().items())
        yield Finding(
            "pruned trials",
            f"trials ended early: {by_arm}",
            "pruning favours settings that learn fast at first; check the winners with pruner none",
        )


def _ranking(results: Results) -> Iterator[Finding]:
    trials, search = results.trials, results.study.search
    counts = [n for n in _trials_by_arm(results).values() if n]
    if search is None or len(counts) < 2 or min(counts) < 4:
        return
    pick = "max" if search.maximize else "min"
    half, whole = (
        trials[trials["trial"] < share * min(counts)].groupby("arm")["value"].agg(pick).dropna()
        for share in (0.5, 1)
    )
    leader = {
        name: str(best.idxmax() if search.maximize else best.idxmin())
        for name, best in (("half", half), ("all", whole))
    }
    if leader["half"] != leader["all"]:
        yield Finding(
            "ranking not settled",
            f"after half of the trials {leader['half']} led on {search.objective}, after all of them {leader['all']}",
            "raise search.trials, or search.repeats so that a trial is judged over several seeds",
        )


def _clock(results: Results) -> Iterator[Finding]:
    disturbed = [
        arm for arm, read in results.clock.items() if read["spread"] > SPREAD or read["load"] > 1.5
    ]
    if disturbed:
        yield Finding(
            "timings under load",
            f"the clock of {_some(disturbed)} was read on a busy machine",
            "read seconds with care; run again on a quiet machine, or compare steps",
        )


def _leaks(results: Results) -> Iterator[Finding]:
    shared = set(results.searched["seed"]) & set(results.confirmed["seed"])
    if shared:
        yield Finding(
            "leak",
            f"seeds {sorted(shared)} were used to tune and to confirm",
            "confirm with other seeds",
        )
    names = [str(c) for c in results.searched]
    tests = [c for c in names if c.startswith("test/") and results.searched[c].notna().any()]
    if tests:
        yield Finding(
            "leak", f"search runs recorded {', '.join(tests)}", "tune on validation data only"
        )


def _paths(results: Results) -> Iterator[Finding]:
    alone = {
        arm: w["path"]
        for arm, w in results.winners.items()
        if not w.get("path", {}).get("batched", True)
    }
    if alone and len(alone) < len(results.winners):
        why = "; ".join(sorted({path["why"] for path in alone.values()}))
        yield Finding(
            "other path",
            f"trained one by one, not in cohorts: {_some(list(alone))} ({why})",
            "the numbers are the same to rounding; compare steps, and seconds only by the clock",
        )


def _flukes(results: Results) -> Iterator[Finding]:
    search = results.study.search
    if search is None or search.reduce != "final" or not len(results.trials):
        return
    for arm, winner in results.winners.items():
        mine = results.trials[
            (results.trials["arm"] == arm) & (results.trials["trial"] == winner["trial"])
        ]["value"]
        values = np.array(values_of(results, arm, search.objective))
        if (
            not len(mine)
            or pd.isna(mine.iloc[0])
            or len(values) < 4
            or not np.isfinite(values).all()
        ):
            continue
        gap = (float(mine.iloc[0]) - values.mean()) * (1 if search.maximize else -1)
        if gap > 3 * values.std(ddof=1):
            yield Finding(
                "lucky winner",
                f"{arm}: its best trial had {search.objective} {mine.iloc[0]:.4g}, fresh seeds give {values.mean():.4g}",
                "judge trials over several seeds: search.repeats=3",
            )


CHECKS: dict[str, Callable[[Results], Iterator[Finding]]] = {
    "equal budgets": _budgets,
    "best values inside their spaces": _edges,
    "enough seeds": _seeds,
    "no censored times": _censoring,
    "no pruned trials": _pruning,
    "ranking settled over the search": _ranking,
    "winners no flukes": _flukes,
    "timings on a quiet machine": _clock,
    "no leak between search and confirm": _leaks,
    "one path for all arms": _paths,
}
"""Checks by what they hold."""


def _some(names: list[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
