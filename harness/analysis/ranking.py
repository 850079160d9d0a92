"""The arms from best to worst, on the metric that the study is about."""

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
        """Whether the arm is told apart from the best."""
        return self.p <= ALPHA


def primary(results: Results) -> str:
    """Return the metric that arms are ranked by: the study's own, or the searched one on test data, if it was recorded."""
    if results.study.metric is not None:
        return results.study.metric
    search = results.study.search
    objective = search.objective if search else "valid/loss"
    name = objective.partition("/")[2]
    options = [f"test/{name}", f"valid/{name}", objective, "train/loss"]
    return next((option for option in options if option in results.runs), "train/loss")


def rank(results: Results, metric: str, maximize: bool) -> tuple[Place, ...]:
    """Return the arms from best to worst, each compared with the best, paired by seed.

    The best is chosen by the same data, so p-values are Holm-corrected over all pairs of arms, not over those with it alone.
    Losses above 0 are compared by their logarithms: an arm with huge and scattered losses is then told apart.
    """
    arms = list(dict.fromkeys(results.confirmed["arm"]))
    values = {arm: values_of(results, arm, metric) for arm in arms}
    means = {arm: stats.mean_interval(v) for arm, v in values.items()}
    sign = -1 if maximize else 1
    order = sorted(arms, key=lambda arm: (math.isnan(means[arm].mean), sign * means[arm].mean))
    compared = (
        {a: _logs(v) for a, v in values.items()} if not maximize and _positive(values) else values
    )
    pairs = [stats.compare_paired(compared[a], compared[b]).p for a, b in combinations(order, 2)]
    p = stats.holm(pairs)[: len(order) - 1]
    bad = (
        results.confirmed[results.confirmed["status"].isin(["diverged", "failed"])]
        .groupby("arm")
        .size()
    )
    return tuple(
        Place(arm, means[arm], values[arm], int(bad.get(arm, 0)), q)
        for arm, q in zip(order, [1.0, *p], strict=False)
    )


def _positive(values: Mapping[str, Sequence[float]]) -> bool:
    return all(v > 0 for row in values.values() for v in row if not math.isnan(v))


def _logs(values: Sequence[float]) -> tuple[float, ...]:
    """Return the logarithms, of which differences are ratios; infinite values stay as they are."""
    return tuple(v if math.isinf(v) or math.isnan(v) else math.log(v) for v in values)


def summarize(metric: str, ranking: Sequence[Place]) -> str:
    """Return the ranking in a sentence or two."""
    best, *others = ranking
    seeds = len(best.values)
    lead = f"{best.arm} has the best {metric}: {show(best.interval)} over {seeds} seed{'s' if seeds > 1 else ''}."
    if not others:
        return lead
    close = [place.arm for place in others if not place.behind]
    if not close:
        many = f"all {len(others)} other arms" if len(others) > 1 else others[0].arm
        return f"{lead} It is told apart from {many}."
    names = ", ".join(close[:4]) + (f" and {len(close) - 4} more" if len(close) > 4 else "")
    return f"{lead} Not distinguishable from it with {seeds} seeds: {names}."


def show(interval: Interval) -> str:
    """Return a mean and its interval in four digits."""
    if math.isnan(interval.mean):
        return "not recorded"
    if not math.isfinite(interval.mean):
        return "diverged"
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return f"{interval.mean:.4g}"
    return f"{interval.mean:.4g} [{interval.low:.4g}, {interval.high:.4g}]"
