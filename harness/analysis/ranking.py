"""The arms from best to worst, on the metric that the study is about.

The ranking describes; claims that were declared before the run are judged in
:mod:`harness.analysis.claims`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from harness import stats
from harness.analysis.results import Results
from harness.analysis.values import values_of
from harness.stats import Interval

ALPHA = 0.05
"""Risk of calling a difference where there is none, over all comparisons of a family."""


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
    """Return the arms from best to worst, each compared with the best, paired by seed.

    The best is chosen by the same data, so p-values are Holm-corrected over all pairs of arms, not
    over those with it alone.

    Args:
        results: the study's tables.
        metric: what the arms are ranked by.
        maximize: whether larger is better.

    Returns:
        Best mean first; an arm of which a run diverged has an infinitely bad mean (an accuracy of 0
        in it), and one without the metric comes last.
    """
    # in the order of the record, which is the study's: equal means keep it, since sorts are stable
    arms = list(dict.fromkeys(results.confirmed["arm"]))
    values = {arm: values_of(results, arm, metric) for arm in arms}
    means = {arm: stats.mean_interval(v) for arm, v in values.items()}
    sign = -1 if maximize else 1
    # An arm without a mean comes last, whichever way is better.
    order = sorted(arms, key=lambda arm: (math.isnan(means[arm].mean), sign * means[arm].mean))
    compared = values
    if not maximize and _all_positive(values):
        # Differences of logarithms: an arm with huge and scattered losses is told apart, whose
        # plain differences have a deviation as large as their mean.
        compared = {arm: _logarithms(v) for arm, v in values.items()}
    pairs = [stats.compare_paired(compared[a], compared[b]).p for a, b in combinations(order, 2)]
    # combinations() pairs the first of the order, the best arm, with each other one first; those
    # p-values are the ones shown.
    adjusted = [1.0, *stats.holm(pairs)[: len(order) - 1]]
    ended_badly = _ended_badly(results)
    return tuple(
        Place(arm, means[arm], values[arm], ended_badly.get(arm, 0), p)
        for arm, p in zip(order, adjusted, strict=False)
    )


def _ended_badly(results: Results) -> dict[str, int]:
    """Return how many confirm runs of each arm diverged or failed."""
    bad = results.confirmed["status"].isin(["diverged", "failed"])
    counts = results.confirmed[bad].groupby("arm").size()
    return {str(arm): int(count) for arm, count in counts.items()}


def _all_positive(values: Mapping[str, Sequence[float]]) -> bool:
    """Return whether every value has a logarithm; missing ones are passed over."""
    return all(v > 0 for own in values.values() for v in own if not math.isnan(v))


def _logarithms(values: Sequence[float]) -> tuple[float, ...]:
    """Return the logarithms; infinite and missing values stay as they are."""
    return tuple(math.log(v) if math.isfinite(v) else v for v in values)


def summarize(metric: str, ranking: Sequence[Place]) -> str:
    """Return the ranking in a sentence or two.

    Args:
        metric: what the arms are ranked by.
        ranking: best first, of one arm at least.

    Returns:
        The best arm with its interval, and the arms that are not told apart from it, four by name.
    """
    best, *others = ranking
    seeds = f"{len(best.values)} seed{'s' if len(best.values) > 1 else ''}"
    lead = f"{best.arm} has the best {metric}: {show(best.interval)} over {seeds}."
    if not others:
        return lead
    close = [place.arm for place in others if not place.behind]
    if not close:
        many = f"all {len(others)} other arms" if len(others) > 1 else others[0].arm
        return f"{lead} It is told apart from {many}."
    names = ", ".join(close[:4]) + (f" and {len(close) - 4} more" if len(close) > 4 else "")
    return f"{lead} Not distinguishable from it with {len(best.values)} seeds: {names}."


def show(interval: Interval) -> str:
    """Return a mean and its interval in four digits, for people.

    NaN means that the metric was not recorded, or with infinite bounds that the effect is not
    defined, an infinite mean that a run diverged, and infinite bounds that there was one seed.

    >>> show(Interval(0.51234, 0.4, 0.6)), show(Interval(0.5, -math.inf, math.inf))
    ('0.5123 [0.4, 0.6]', '0.5')
    """
    if math.isnan(interval.mean):
        return "not recorded" if math.isnan(interval.low) else "not defined"
    if not math.isfinite(interval.mean):
        return "diverged"
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return f"{interval.mean:.4g}"
    return f"{interval.mean:.4g} [{interval.low:.4g}, {interval.high:.4g}]"
