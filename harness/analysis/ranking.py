"""The arms from best to worst, on the metric that the study is about.

The ranking describes; claims that were declared before the run are judged in
:mod:`harness.analysis.claims`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from harness import stats
from harness.analysis.bounds import cut_difference, cut_to_bounds
from harness.analysis.looks import ALPHA, take_looks
from harness.analysis.quantities import quantity_of, say
from harness.analysis.results import Results
from harness.analysis.values import resolution_of, values_of
from harness.core.metric_names import NOTHING_DECLARED, Declared, describe
from harness.spec.looks import Look
from harness.stats import Interval, Scope


class Place(NamedTuple):
    """An arm's place in the ranking."""

    arm: str
    interval: Interval
    """Mean over the confirm runs that ended well, with an interval of which all arms' together
    hold with what the look leaves: 96 %, or more where it goes on from others."""
    values: np.ndarray
    """(K, S) one number a run; infinite, −∞ where more is better, where the run diverged."""
    ended_badly: int
    """Runs that diverged or failed."""
    p: float
    """p-value of no difference from the best arm, adjusted for all pairs and for other looks; 1
    for the best itself."""
    from_best: Interval
    """Mean difference from the best arm, with an interval of which all arms' together hold; 0 for
    the best itself."""

    @property
    def runs(self) -> int:
        """Runs of the arm that the ranking goes by, those that ended badly among them."""
        return int(np.sum(~np.isnan(self.values)))

    @property
    def lost(self) -> bool:
        """Whether none of its runs ended well."""
        return 0 < self.ended_badly == self.runs

    @property
    def measured(self) -> bool:
        """Whether the arm has the metric at all; one without it is compared with none."""
        return not math.isnan(self.interval.mean)

    @property
    def behind(self) -> bool:
        """Whether the arm is told apart from the best: p ≤ α; False for the best itself."""
        return self.p <= ALPHA


def choose_metric(results: Results) -> str:
    """Return the metric that arms are ranked by.

    It is the study's own, or else the searched one on test data if it was recorded, or else on
    validation data.

    Args:
        results: the study's tables, whose columns say what was recorded.

    Returns:
        The metric's name; ``train/loss`` where nothing better was recorded.
    """
    if results.study.metric is not None:
        return results.study.metric
    search = results.study.search
    objective = search.objective if search else "valid/loss"
    name = objective.partition("/")[2]
    options = [f"test/{name}", f"valid/{name}", objective, "train/loss"]
    return next((option for option in options if option in results.runs), "train/loss")


def rank(results: Results, metric: str, maximize: bool) -> tuple[Place, ...]:
    """Return the arms from best to worst, each compared with the best, paired by search and seed.

    Losses that are all positive are ordered and tested by their logarithms: an arm with huge and
    scattered losses is told apart then, whose plain differences have a deviation as large as their
    mean. The best is chosen by the same data, so p-values are Holm-corrected over all pairs of
    arms, not over those with it alone.

    Args:
        results: the study's tables.
        metric: what the arms are ranked by.
        maximize: whether larger is better.

    Returns:
        Best first. An arm that lost runs by divergence comes after those that lost fewer, whatever
        the values of its luckier runs, and one without the metric comes last.
    """
    # in the order of the record, which is the study's: equal means keep it, since sorts are stable
    arms = list(dict.fromkeys(results.confirmed["arm"]))
    values = {arm: values_of(results, arm, metric) for arm in arms}
    bad = _ended_badly(results)
    scaled = values
    if not maximize and _all_positive(values):
        scaled = {arm: _logarithms(v) for arm, v in values.items()}
    lost = {arm: _lost(results, arm) for arm in arms}
    centres = {arm: _centre(np.where(lost[arm], np.nan, scaled[arm])) for arm in arms}
    sign = -1 if maximize else 1
    order = sorted(
        arms, key=lambda arm: (_missing(values[arm]), bad.get(arm, 0), sign * centres[arm])
    )
    scope = results.study.scope
    risk = take_looks(results)[1][-1]
    adjusted = _told_apart([sign * -scaled[arm] for arm in order], scope, risk)
    level = 1 - risk / len(arms)
    known = describe(metric, results.declared)
    intervals = {
        arm: cut_to_bounds(_mean_of_the_rest(values[arm], lost[arm], scope, level, sign), known)
        for arm in arms
    }
    gaps = stats.differences_from_best(
        [values[arm] for arm in order],
        0,
        scope=scope,
        resolution=resolution_of(values.values()),
        level=1 - risk,
    )
    means = [interval.mean for interval in intervals.values()]
    gaps = [cut_difference(gap, means, known) for gap in gaps]
    return tuple(
        Place(arm, intervals[arm], values[arm], bad.get(arm, 0), p, gap)
        for arm, p, gap in zip(order, adjusted, gaps, strict=True)
    )


def _mean_of_the_rest(
    values_KS: np.ndarray, lost_KS: np.ndarray, scope: Scope, level: float, sign: int
) -> Interval:
    """Return the mean of the runs that ended well; infinitely bad where none did.

    Args:
        values_KS: (K, S) values.
        lost_KS: (K, S) whether a run did not end well.
        scope: what is spoken of.
        level: confidence.
        sign: 1 where less is better, else −1.
    """
    if lost_KS.all():
        return Interval(sign * math.inf, -math.inf, math.inf)
    return mean_of(np.where(lost_KS, np.nan, values_KS), scope, level)


def mean_of(values_KS: np.ndarray, scope: Scope, level: float = 0.95) -> Interval:
    """Return the mean of an arm's runs with its interval, for the method or for these winners.

    Args:
        values_KS: (K, S) values; NaN where one is missing or does not count.
        scope: what is spoken of.
        level: confidence.
    """
    step = resolution_of([values_KS])
    return stats.mean_test(values_KS, scope=scope, level=level, resolution=step).interval


def _told_apart(order: Sequence[np.ndarray], scope: Scope, risk: float) -> list[float]:
    """Return each arm's adjusted p of no difference from the first; 1 for the first itself.

    Args:
        order: (K, S) values of the arms, best first, turned so that more is better.
        scope: what is spoken of.
        risk: the look's; p is given as p·α/risk, to be read against α.
    """
    step = resolution_of(order)
    pairs = [
        stats.superior(a, b, scope=scope, resolution=step).p for a, b in combinations(order, 2)
    ]
    # combinations() pairs the first of the order, the best arm, with each other one first; those
    # p-values are the ones shown
    adjusted = stats.holm(pairs)[: len(order) - 1]
    return [1.0, *(min(1.0, p * ALPHA / risk) if risk else 1.0 for p in adjusted)]


def _lost(results: Results, arm: str) -> np.ndarray:
    """Return (K, S): whether a run diverged or failed; False where there is no such run."""
    bad = results.by_arm[arm]["status"].isin(["diverged", "failed"])
    known = bad.reindex(np.ravel(results.look.seeds), fill_value=False)
    return known.to_numpy(dtype=bool).reshape(results.look.shape)


def _centre(values_KS: np.ndarray) -> float:
    """Return the mean of the searches' means; infinite where no run ended well."""
    rows = values_KS[~np.isnan(values_KS).all(axis=1)]
    return float(np.nanmean(rows, axis=1).mean()) if len(rows) else math.inf


def _missing(values_KS: np.ndarray) -> bool:
    """Return whether an arm has no value at all."""
    return bool(np.isnan(values_KS).all())


def _ended_badly(results: Results) -> dict[str, int]:
    """Return how many confirm runs of each arm diverged or failed."""
    bad = results.confirmed["status"].isin(["diverged", "failed"])
    counts = results.confirmed[bad].groupby("arm").size()
    return {str(arm): int(count) for arm, count in counts.items()}


def _all_positive(values: Mapping[str, np.ndarray]) -> bool:
    """Return whether every value has a logarithm; missing ones are passed over."""
    return all(bool((own[~np.isnan(own)] > 0).all()) for own in values.values())


def _logarithms(values: np.ndarray) -> np.ndarray:
    """Return the logarithms; infinite and missing values stay as they are."""
    return np.asarray(np.log(values))


def summarize(
    metric: str,
    ranking: Sequence[Place],
    look: Look,
    first_look: bool = False,
    declared: Declared = NOTHING_DECLARED,
) -> str:
    """Return the ranking in a sentence or two.

    Args:
        metric: what the arms are ranked by.
        ranking: best first, of one arm at least.
        look: the runs that it rests on.
        first_look: whether nothing is told apart yet.
        declared: what the study declares of metrics of its own.

    Returns:
        The best arm with its interval, and the arms that are not told apart from it, four by name.
    """
    best, *rest = ranking
    if all(place.lost for place in ranking):
        return f"No run ended well, so that {metric} tells nothing: all failed or diverged."
    others = [place for place in rest if place.measured and not place.lost]
    value = say(best.interval, quantity_of(metric, declared))
    lead = f"{best.arm} has the best {describe(metric, declared).label}: {value} over {look}."
    if lost := [place.arm for place in rest if place.lost]:
        lead += f" No run of {_first_four(lost)} ended well."
    if first_look:
        return f"{lead} This is a first look, which tells no arms apart."
    if not others:
        return lead
    close = [place.arm for place in others if not place.behind]
    if not close:
        many = f"all {len(others)} other arms" if len(others) > 1 else others[0].arm
        return f"{lead} It is told apart from {many}."
    return f"{lead} Not distinguishable from it: {_first_four(close)}."


def _first_four(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
