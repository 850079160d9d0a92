"""One number a run: closing values of runs, and numbers derived of them or of their curves.

All statistics start from these numbers, and it is decided here what a run counts as that diverged
or failed: the worst there is, so that an arm never gains by losing its bad runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from harness.analysis.results import Results
from harness.core.lazy import Lazy
from harness.core.metric_names import larger_is_better, recorded_sources
from harness.core.metric_table import DERIVED
from harness.spec.looks import Look
from harness.stats import Scope
from harness.stats.hierarchy import ROUNDING

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = Lazy("pandas")

Summarize: TypeAlias = "Callable[[pd.DataFrame], float]"
"""From a run's curves, one column a recorded metric and in the order of steps, to one number."""


def values_of(
    results: Results,
    arm: str,
    metric: str,
    look: Look | None = None,
    maximize: bool | None = None,
) -> np.ndarray:
    """Return an arm's values of a metric, by search and seed; NaN where it was not recorded.

    A run that diverged or failed counts as the worst that there is.

    Args:
        results: the study's tables.
        arm: name of the arm.
        metric: a closing value (``test/loss``) or one derived of such, as
            :mod:`harness.core.metric_names` lists them.
        look: the runs wanted; all of the confirm stage by default.
        maximize: whether larger is better, which says what the worst is; by default as for the
            metric by itself.

    Returns:
        (K, S) in the order of ``look``; NaN where there is no such run.

    Raises:
        KeyError: the arm has no confirm runs.
    """
    runs = results.by_arm[arm]
    ended_badly = runs["status"].isin(["diverged", "failed"])
    # where() keeps what the mask is true for
    column = _column(results, metric, runs).where(~ended_badly, _worst(results, metric, maximize))
    wanted = results.look if look is None else look
    return column.reindex(np.ravel(wanted.seeds)).to_numpy(dtype=float).reshape(wanted.shape)


def resolution_of(values: Iterable[np.ndarray]) -> float:
    """Return the smallest step that values of a metric were seen to make; 0 where there is none.

    An accuracy over n samples has steps of 1/n, and times have those of the evaluations. The step
    of a continuous metric is the smallest gap of its values, too small to matter.

    Args:
        values: of all arms, in any shapes; those that are not finite are passed over.

    >>> resolution_of([np.array([0.5, 0.52]), np.array([0.54, np.inf])])
    0.02
    """
    seen = np.concatenate([np.ravel(own) for own in values])
    gaps = np.diff(np.unique(seen[np.isfinite(seen)]))
    # numbers that differ by rounding alone are the same
    gaps = gaps[gaps > ROUNDING * np.abs(seen[np.isfinite(seen)]).max(initial=0.0)]
    return float(round(gaps.min(), 15)) if len(gaps) else 0.0


def in_blocks(values_KS: np.ndarray, scope: Scope) -> np.ndarray:
    """Return what is repeated: the searches' means for a method, the runs for winners.

    Figures take these as independent; the same places of two arms are paired.

    Args:
        values_KS: (K, S) values.
        scope: what the study speaks of.

    Returns:
        (K,) or (K·S,).
    """
    return np.asarray(values_KS.mean(axis=1)) if scope == "method" else values_KS.ravel()


def _worst(results: Results, metric: str, maximize: bool | None) -> float:
    """Return what a run counts as that diverged: −∞ where more is better, else ∞.

    Never the metric's least value: an accuracy of 0 would be a value among others, which spreads
    the arm's so widely that the arm it lost to is no longer told apart. Infinite values stay in
    the tables, and the tests know them for what they are (:func:`harness.stats.superior`).
    """
    if maximize is None:
        maximize = larger_is_better(metric, results.study.recipe.declared)
    return -math.inf if maximize else math.inf


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
    declared = results.study.recipe.declared
    return train - test if larger_is_better(f"test/{name}", declared) else test - train


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
