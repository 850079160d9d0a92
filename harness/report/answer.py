"""The answer to a study's question: a ranking with intervals, and a verdict on each claim."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from harness import stats
from harness.results import Results
from harness.spec.study import Claim
from harness.stats import Interval, Reached, Verdict

ALPHA = 0.05


class Place(NamedTuple):
    """An arm's place in the ranking."""

    arm: str
    interval: Interval
    """Mean over the confirm seeds."""
    values: tuple[float, ...]
    """One number a seed; infinite (or zero accuracy) where the run diverged."""
    ended_badly: int
    """Seeds whose run diverged or failed."""
    p: float
    """Adjusted p-value of no difference from the best arm; 1 for the best itself."""

    @property
    def behind(self) -> bool:
        """Whether the arm is told apart from the best."""
        return self.p <= ALPHA


class Tested(NamedTuple):
    """A claim with its verdict."""

    claim: Claim
    verdict: Verdict
    sentence: str


class Answer(NamedTuple):
    """The answer in full."""

    metric: str
    maximize: bool
    ranking: tuple[Place, ...]
    """Best first."""
    claims: tuple[Tested, ...]
    sentence: str


def answer(results: Results) -> Answer:
    """Rank the arms on the study's metric and judge its claims."""
    metric = primary(results)
    maximize = metric.endswith("accuracy")
    ranking = rank(results, metric, maximize)
    return Answer(metric, maximize, ranking, tested(results), summarize(metric, ranking))


def primary(results: Results) -> str:
    """Return the metric that arms are ranked by: the searched one on test data, if it was recorded."""
    search = results.study.search
    objective = search.objective if search else "valid/loss"
    name = objective.partition("/")[2]
    options = [f"test/{name}", f"valid/{name}", objective, "train/loss"]
    return next((option for option in options if option in results.runs), "train/loss")


def values_of(results: Results, arm: str, metric: str) -> tuple[float, ...]:
    """Return an arm's closing values by seed; a run that diverged or failed counts as the worst there is."""
    mine = results.confirmed[results.confirmed["arm"] == arm].sort_values("seed")
    worst = 0.0 if metric.endswith("accuracy") else math.inf
    column = mine[metric] if metric in mine else pd.Series(math.nan, index=mine.index)
    return tuple(float(v) if pd.notna(v) else worst for v in column)


def rank(results: Results, metric: str, maximize: bool) -> tuple[Place, ...]:
    """Return the arms from best to worst, each compared with the best, paired by seed, with Holm's correction."""
    arms = list(dict.fromkeys(results.confirmed["arm"]))
    values = {arm: values_of(results, arm, metric) for arm in arms}
    means = {arm: stats.mean_interval(v) for arm, v in values.items()}
    sign = -1 if maximize else 1
    order = sorted(arms, key=lambda arm: sign * means[arm].mean)
    p = stats.holm([stats.compare_paired(values[order[0]], values[arm]).p for arm in order[1:]]) if order else []
    bad = results.confirmed[results.confirmed["status"].isin(["diverged", "failed"])].groupby("arm").size()
    return tuple(
        Place(arm, means[arm], values[arm], int(bad.get(arm, 0)), q) for arm, q in zip(order, [1.0, *p], strict=False)
    )


def summarize(metric: str, ranking: Sequence[Place]) -> str:
    """Return the ranking in a sentence or two."""
    best, *others = ranking
    seeds = len(best.values)
    lead = f"{best.arm} has the best {metric}: {show(best.interval)} over {seeds} seed{'s' if seeds > 1 else ''}."
    if not others:
        return lead
    close = [place.arm for place in others if not place.behind]
    if not close:
        return (
            f"{lead} It is told apart from all {len(others)} other arms."
            if len(others) > 1
            else f"{lead} It is told apart from {others[0].arm}."
        )
    names = ", ".join(close[:4]) + (f" and {len(close) - 4} more" if len(close) > 4 else "")
    return f"{lead} Not distinguishable from it with {seeds} seeds: {names}."


def show(interval: Interval) -> str:
    """Return a mean and its interval in four digits."""
    if not math.isfinite(interval.mean):
        return "diverged"
    if not math.isfinite(interval.low):
        return f"{interval.mean:.4g}"
    return f"{interval.mean:.4g} [{interval.low:.4g}, {interval.high:.4g}]"


def tested(results: Results) -> tuple[Tested, ...]:
    """Return a verdict on each claim, their p-values corrected together."""
    claims = results.study.claims
    compared = [_faster(results, c) if c.kind == "faster" else _better(results, c) for c in claims]
    adjusted = stats.holm([c.p for c, _ in compared])
    found = []
    for claim, (comparison, detail), p in zip(claims, compared, adjusted, strict=True):
        verdict = stats.judge(comparison.difference, p, ALPHA)
        found.append(Tested(claim, verdict, f"{str(claim)[0].upper()}{str(claim)[1:]}. {detail}"))
    return tuple(found)


def _better(results: Results, claim: Claim) -> tuple[stats.Comparison, str]:
    mine, other = (values_of(results, arm, claim.on) for arm in (claim.arm, claim.than))
    found = stats.compare_paired(mine, other) if claim.maximize else stats.compare_paired(other, mine)
    return found, f"Mean advantage in {claim.on}: {show(found.difference)} over {len(mine)} paired seeds."


def _faster(results: Results, claim: Claim) -> tuple[stats.Comparison, str]:
    mine, other = (times_to(results, arm, claim) for arm in (claim.arm, claim.than))
    horizon = min(max(t.time for t in times) for times in (mine, other))
    found = stats.compare_paired(stats.restricted(other, horizon), stats.restricted(mine, horizon))
    missed = [
        f"{sum(t.censored for t in times)} of {len(times)} seeds of {arm} missed the target"
        for arm, times in ((claim.arm, mine), (claim.than, other))
        if any(t.censored for t in times)
    ]
    note = f" ({'; '.join(missed)}, counted as {horizon:g} {claim.by})" if missed else ""
    return found, f"Mean {claim.by} saved: {show(found.difference)}{note}."


def times_to(results: Results, arm: str, claim: Claim) -> list[Reached]:
    """Return when each seed's run of an arm reached the claim's target, by seed."""
    mine = results.confirmed[results.confirmed["arm"] == arm].sort_values("seed")
    curves = results.curves_of(mine, [claim.on])
    unit = {"steps": "step", "epochs": "epoch", "samples": "samples"}[claim.by]
    assert claim.target is not None
    found = []
    for run_id in mine["run_id"]:
        curve = curves[curves["run_id"] == run_id].sort_values("step")
        found.append(stats.first_reach(list(curve[unit]), list(curve[claim.on]), claim.target, claim.maximize))
    return found
