"""One number a seed: closing values of runs, and numbers derived of them or of their curves.

All statistics start from these numbers, and it is decided here what a run counts as that diverged
or failed: the worst there is, so that an arm never gains by losing its bad runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from harness.analysis.results import Results
from harness.core.metric_names import DERIVED, describe, recorded_sources

Summarize = Callable[[pd.DataFrame], float]
"""From a run's curves, one column a recorded metric and in the order of steps, to one number."""


def values_of(
    results: Results,
    arm: str,
    metric: str,
    seeds: Sequence[int] | None = None,
    maximize: bool | None = None,
) -> tuple[float, ...]:
    """Return an arm's values of a metric, by seed; NaN where it was not recorded.

    A run that diverged or failed counts as the worst that there is.

    Args:
        results: the study's tables.
        arm: name of the arm.
        metric: a closing value (``test/loss``) or one derived of such, as
            :mod:`harness.core.metric_names` lists them.
        seeds: the seeds in the order wanted; all of the confirm stage by default.
        maximize: whether larger is better, which says what the worst is; by default as for the
            metric by itself.

    Returns:
        (seeds,) in the order of ``seeds``, else rising by seed; NaN for a seed without a run.

    Raises:
        KeyError: the arm has no confirm runs.
    """
    runs = results.by_arm[arm]
    ended_badly = runs["status"].isin(["diverged", "failed"])
    # where() keeps what the mask is true for
    column = _column(results, metric, runs).where(~ended_badly, _worst(metric, maximize))
    wanted = list(runs.index) if seeds is None else list(seeds)
    return tuple(float(v) if pd.notna(v) else math.nan for v in column.reindex(wanted))


def _worst(metric: str, maximize: bool | None) -> float:
    """Return the worst value of a metric: the least there can be, or infinity where less is better.

    Infinite values stay in the tables: means become infinite with them, and tests go by ranks.
    """
    known = describe(metric)
    if maximize is None:
        maximize = known.larger_is_better
    if not maximize:
        return math.inf
    # A direction may be asked for that is not the metric's own: then no value is the worst but
    # minus infinity. An accuracy, to be maximised anyway, can't be worse than 0.
    return known.least if known.larger_is_better else -math.inf


def _column(results: Results, metric: str, runs: pd.DataFrame) -> pd.Series:
    """Return a metric of the given runs, which are indexed by seed.

    A recorded closing value goes before a derivation of the same name; NaN for what is neither.
    """
    if metric in runs:
        return runs[metric]
    word, _, rest = metric.partition("/")
    if word == "gap" and rest:
        return _gap(results, rest, runs)
    if word in SUMMARIES:
        return _over_curves(results, SUMMARIES[word], list(recorded_sources(metric)), runs)
    return pd.Series(math.nan, index=runs.index)


def _gap(results: Results, name: str, runs: pd.DataFrame) -> pd.Series:
    """Return how much worse a metric is on test data than on training data."""
    test, train = (_column(results, f"{part}/{name}", runs) for part in ("test", "train"))
    return train - test if describe(f"test/{name}").larger_is_better else test - train


def _over_curves(
    results: Results, summarize: Summarize, names: list[str], runs: pd.DataFrame
) -> pd.Series:
    """Return one number for each run's curves of the named metrics; NaN where one of them was not
    recorded. Only steps at which all of them were measured count."""
    curves = results.confirmed_curves
    if not set(names) <= set(curves.columns):
        return pd.Series(math.nan, index=runs.index)
    own = curves[curves["run_id"].isin(runs["run_id"])].sort_values("step").dropna(subset=names)
    by_run = {str(run_id): summarize(rows[names]) for run_id, rows in own.groupby("run_id")}
    return runs["run_id"].map(by_run)


def _rank_correlation(curves: pd.DataFrame) -> float:
    """Return Spearman's ρ of two columns: Pearson's correlation of their ranks (Spearman 1904).

    0 where one of them never changes, for which it is undefined, and for fewer than three points,
    of which any two would be in perfect order.
    """
    if len(curves) < 3 or (curves.nunique() < 2).any():
        return 0.0
    return float(np.corrcoef(curves.rank().to_numpy().T)[0, 1])


def _mean(curves: pd.DataFrame) -> float:
    """Return the mean of one column; of two, of which the first is divided by the second, the ratio
    of their means: Σaᵢ/Σbᵢ and not the mean of aᵢ/bᵢ (McCandlish et al. 2018, appendix A.1)."""
    means = curves.mean().to_numpy()
    return float(means[0] if len(means) == 1 else means[0] / means[1])


SUMMARIES: dict[str, Summarize] = {
    "initial": lambda curve: float(curve.to_numpy()[0, 0]),
    "lowest": lambda curve: float(curve.iloc[:, 0].min()),
    "highest": lambda curve: float(curve.iloc[:, 0].max()),
    "mean": _mean,
    "rank_correlation": _rank_correlation,
}
"""How the curves of a run become one number, by the word in front of the metric's name."""
assert SUMMARIES.keys() | {"gap"} == DERIVED.keys(), (
    "each derived metric is computed, and described"
)
