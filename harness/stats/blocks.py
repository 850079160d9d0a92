"""What is repeated: whole sets of runs, one at every level, that share a search and a seed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.hierarchy import Scope


class Blocks(NamedTuple):
    """Repetitions of an experiment over levels; the runs of one are compared with each other."""

    values: np.ndarray
    """(n, levels of each factor, …): a block's value at every level."""
    searches: np.ndarray
    """(n,) the number of the search that a block belongs to."""
    runs: float
    """Runs that a block's value is the mean of."""


def blocks_of(values: ArrayLike, factors: int, scope: Scope) -> Blocks:
    """Return the blocks of K searches with S seeds each: n = K for a method, up to K·S for winners.

    - *method*: a block is a search; its values are means over the seeds.
    - *winner*: a block is a seed of a search.

    Args:
        values: (levels of each factor, …, K, S), or (levels, …, S) of one search; NaN for a run
            that is missing, with which its seed is left out at all levels.
        factors: number of factors, each with an axis of levels.
        scope: what is spoken of.

    Raises:
        ValueError: the shape does not fit the number of factors.

    >>> blocks_of([[[1.0, 2.0]], [[3.0, 6.0]]], factors=1, scope="method").values
    array([[1.5, 4.5]])
    """
    x = np.asarray(values, dtype=float)
    if x.ndim == factors + 1:
        x = x[..., np.newaxis, :]
    if x.ndim != factors + 2:
        raise ValueError(
            f"expected an axis for each of {factors} factors, then (searches, seeds) or (seeds,), "
            f"got shape {x.shape}"
        )
    x = np.moveaxis(x, (-2, -1), (0, 1))  # (K, S, levels, …)
    whole_KS = ~np.isnan(x).any(axis=tuple(range(2, x.ndim)))
    if scope == "winner":
        return Blocks(x[whole_KS], np.nonzero(whole_KS)[0], 1.0)
    searches = np.flatnonzero(whole_KS.any(axis=1))
    means = np.empty((len(searches), *x.shape[2:]))
    for place, k in enumerate(searches):
        with np.errstate(invalid="ignore"):  # +∞ and −∞ in one search have no mean: NaN
            means[place] = x[k, whole_KS[k]].mean(axis=0)
    runs = float(whole_KS.sum() / len(searches)) if len(searches) else 0.0
    return Blocks(means, searches, runs)
