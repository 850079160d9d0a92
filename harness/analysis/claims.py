"""Verdicts on the claims that a study declared before it ran."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from harness import stats
from harness.analysis.ranking import ALPHA, show
from harness.analysis.results import Results
from harness.analysis.values import values_of
from harness.spec.arms import Arm, arms
from harness.spec.claims import Claim
from harness.stats import Evidence, Interval, Reached, Verdict

Seeds = Sequence[int]


class Tested(NamedTuple):
    """A claim with its verdict."""

    claim: Claim
    verdict: Verdict
    sentence: str
    seeds: int
    """Seeds that the verdict rests on."""


@lru_cache(maxsize=4)
def tested(results: Results) -> tuple[Tested, ...]:
    """Return a verdict on each claim; p-values are corrected for the claims and for the looks together."""
    study = results.study
    have = set(results.confirmed["seed"])
    looks = [seeds for seeds in study.looks if set(seeds) <= have] or [tuple(sorted(have))]
    levels = stats.spending([len(seeds) for seeds in study.looks], ALPHA)[: len(looks)] or [ALPHA]
    weighed = [
        [weigh(results, claim, seeds, 1 - level) for claim in study.claims]
        for seeds, level in zip(looks, levels, strict=True)
    ]
    decided = stats.decide([[w.evidence.p for w in row] for row in weighed], levels, ALPHA)
    found = []
    for i, (claim, (look, p)) in enumerate(zip(study.claims, decided, strict=True)):
        verdict = stats.judge(weighed[look][i].evidence, p, ALPHA)
        found.append(
            Tested(
                claim,
                verdict,
                _sentence(claim, weighed[look][i].detail, look, looks),
                len(looks[look]),
            )
        )
    return tuple(found)


def _sentence(claim: Claim, detail: str, look: int, looks: Sequence[Seeds]) -> str:
    when = (
        f" Decided at look {look + 1}, with {len(looks[look])} seeds."
        if look + 1 < len(looks)
        else ""
    )
    return f"{claim}. {detail}{when}"


class Weighed(NamedTuple):
    """The evidence on a claim, and its size in words."""

    evidence: Evidence
    detail: str


def weigh(results: Results, claim: Claim, seeds: Seeds, level: float = 0.95) -> Weighed:
    """Return what the runs with the given seeds say of a claim; a claim on what was not recorded stays undecided."""
    found = WAYS[claim.kind](results, claim, seeds, level)
    if math.isnan(found.evidence.effect.mean):
        return Weighed(
            found.evidence._replace(p=1.0), f"{claim.on} was not recorded by all of these runs."
        )
    return found


def _two(results: Results, claim: Claim, seeds: Seeds) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of both arms, turned so that more is better."""
    assert claim.arm and claim.than
    sign = 1 if claim.maximize else -1
    mine, other = (
        sign * np.array(values_of(results, arm, claim.on, seeds, claim.maximize))
        for arm in (claim.arm, claim.than)
    )
    return mine, other


def _better(results: Results, claim: Claim, seeds: Seeds, level: float) -> Weighed:
    mine, other = _two(results, claim, seeds)
    found = stats.superior(mine, other, claim.margin or 0.0, level)
    return Weighed(
        found, f"Mean advantage in {claim.on}: {show(found.effect)} over {len(mine)} paired seeds."
    )


def _no_worse(results: Results, claim: Claim, seeds: Seeds, level: float) -> Weighed:
    mine, other = _two(results, claim, seeds)
    found = stats.superior(mine, other, -(claim.margin or 0.0), level)
    return Weighed(
        found,
        f"Mean advantage in {claim.on}: {show(found.effect)}, to stay above −{claim.margin:g}.",
    )


def _equal(results: Results, claim: Claim, seeds: Seeds, level: float) -> Weighed:
    mine, other = _two(results, claim, seeds)
    found = stats.equivalent(mine, other, claim.margin or 0.0, level)
    return Weighed(
        found,
        f"Mean advantage in {claim.on}: {show(found.effect)}, to stay within ±{claim.margin:g}.",
    )


def _cured(results: Results, claim: Claim, seeds: Seeds, level: float) -> Weighed:
    assert claim.arm and claim.than
    mine, base = (
        np.array(values_of(results, arm, claim.on, seeds)) for arm in (claim.arm, claim.than)
    )
    found = stats.superior((1 - claim.share) * base, mine, 0.0, level)
    gone = stats.superior(base, mine, 0.0, level).effect
    before = f"{base.mean():.4g} → {mine.mean():.4g}"
    return Weighed(found._replace(effect=gone), f"{claim.on} {before}; taken away: {show(gone)}.")


def _faster(results: Results, claim: Claim, seeds: Seeds, level: float) -> Weighed:
    assert claim.arm and claim.than
    mine, other = (times_to(results, arm, claim, seeds) for arm in (claim.arm, claim.than))
    horizon = stats.horizon_of([*mine, *other])
    found = stats.superior(
        stats.restricted(other, horizon), stats.restricted(mine, horizon), 0.0, level
    )
    means = " against ".join(show(stats.restricted_mean(times, horizon)) for times in (mine, other))
    missed = [
        f"{sum(t.censored for t in times)} of {len(times)} seeds of {arm} missed the target"
        for arm, times in ((claim.arm, mine), (claim.than, other))
        if any(t.censored for t in times)
    ]
    note = f" ({'; '.join(missed)}, censored)" if missed else ""
    unit = claim.by + (f", restricted to {horizon:.5g}" if missed else "")
    return Weighed(found, f"Mean {claim.by} saved: {show(found.effect)}; {means} {unit}{note}.")


UNITS = {"steps": "step", "epochs": "epoch", "samples": "samples", "seconds": "seconds"}


def times_to(results: Results, arm: str, claim: Claim, seeds: Seeds | None = None) -> list[Reached]:
    """Return when each seed's run of an arm reached the claim's target, by seed.

    A run that diverged before is censored at the end of the longest run: it never arrives.
    """
    mine = results.by_arm[arm]
    curves = results.confirmed_curves
    if claim.on not in curves:
        return []
    curves = curves[curves["arm"] == arm].dropna(subset=[claim.on]).sort_values("step")
    by_run = dict(iter(curves.groupby("run_id")))
    assert claim.target is not None
    found = []
    for seed in mine.index if seeds is None else seeds:
        curve = by_run.get(mine["run_id"][seed], curves[:0])
        times = list(curve[UNITS[claim.by]].astype(float))
        found.append(stats.first_reach(times, list(curve[claim.on]), claim.target, claim.maximize))
    watched = float(curves[UNITS[claim.by]].max()) if len(curves) else 0.0
    return [Reached(watched, True) if t.censored else t for t in found]


def _monotone(results: Results, claim: Claim, seeds: Seeds, level: float) -> Weighed:
    assert claim.factor
    table = _by_level(results, claim, [claim.factor], seeds)
    found = stats.monotone_trend(table.T)
    sign = 1 if claim.rising else -1
    tau = found.tau if claim.rising else Interval(-found.tau.mean, -found.tau.high, -found.tau.low)
    levels = list(results.study.compare[claim.factor])
    means = " → ".join(f"{v:.4g}" for v in table.mean(axis=1))
    if found.reversal and found.reversal[1] <= ALPHA and sign * found.tau.mean > 0:
        at, p = found.reversal
        turn = f" It turns from {levels[at]} to {levels[at + 1]}."
        return Weighed(Evidence(tau, p, False), f"{means}; mean τ {show(tau)}.{turn}")
    return Weighed(Evidence(tau, found.p, tau.mean > 0), f"{means}; mean τ {show(tau)}.")


def _interaction(results: Results, claim: Claim, seeds: Seeds, level: float) -> Weighed:
    assert claim.factors
    table = _by_level(results, claim, list(claim.factors), seeds)
    if not np.isfinite(table).all():
        return Weighed(
            Evidence(Interval(math.inf, -math.inf, math.inf), 1.0, True),
            "Some of these runs diverged.",
        )
    *single, both = stats.factorial_effects(table, claim.factors)
    rng = np.random.default_rng(0)
    draws = [stats.factorial_effects(table[..., rng.integers(0, table.shape[-1], table.shape[-1])], claim.factors)[-1].share
             for _ in range(200)]  # fmt: skip
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    share = Interval(both.share, float(low), float(high))
    alone = ", ".join(f"{e.factors[0]} {e.share:.0%}" for e in single)
    said = (
        f"Share of the variance: together {share.mean:.1%} [{low:.1%}, {high:.1%}], alone {alone}"
    )
    return Weighed(Evidence(share, both.p, True), f"{said}; F{both.df} = {both.f:.3g}.")


def _by_level(results: Results, claim: Claim, factors: Sequence[str], seeds: Seeds) -> np.ndarray:
    """Return the metric (levels of each factor, …, seeds), its mean over the arms that share these levels."""
    compare = results.study.compare
    cells = np.empty((*(len(compare[f]) for f in factors), len(seeds)))
    mine = [
        a
        for a in arms(results.study)
        if all(a.levels[f] == level for f, level in claim.among.items())
    ]
    for place in np.ndindex(cells.shape[:-1]):
        wanted = {f: list(compare[f])[i] for f, i in zip(factors, place, strict=True)}
        cells[place] = np.mean(
            [_outcomes(results, claim, a.name, seeds) for a in mine if _at(a, wanted)], axis=0
        )
    return cells


def _outcomes(results: Results, claim: Claim, arm: str, seeds: Seeds) -> Sequence[float]:
    """Return the metric by seed, or the time to its target; a missed target counts as the whole time watched."""
    if claim.target is None:
        return values_of(results, arm, claim.on, seeds)
    times = times_to(results, arm, claim, seeds)
    return stats.restricted(times, max(t.time for t in times))


def _at(arm: Arm, wanted: dict[str, str]) -> bool:
    return all(arm.levels[factor] == level for factor, level in wanted.items())


def _bound(results: Results, claim: Claim, seeds: Seeds, level: float) -> Weighed:
    assert claim.arm and claim.value is not None
    sign = 1 if claim.kind == "above" else -1
    values = np.array(
        values_of(results, claim.arm, claim.on, seeds, maximize=claim.kind == "above")
    )
    found = stats.superior(sign * values, np.full(len(values), sign * claim.value), 0.0, level)
    mean = stats.mean_interval(values, level)
    return Weighed(
        found._replace(effect=mean), f"Mean {claim.on}: {show(mean)} over {len(values)} seeds."
    )


WAYS: dict[str, Callable[[Results, Claim, Seeds, float], Weighed]] = {
    "better": _better,
    "no worse": _no_worse,
    "equal": _equal,
    "cured": _cured,
    "faster": _faster,
    "monotone": _monotone,
    "interaction": _interaction,
    "above": _bound,
    "below": _bound,
}
