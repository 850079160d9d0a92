"""How many runs ended well, as a result of its own: a run that diverged has no value to compare."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.hierarchy import FEWEST_RUNS, Scope, as_table, mean_test


class Success(NamedTuple):
    """How many runs of two arms ended well."""

    mine: int
    """Runs of the first arm that ended with a finite value."""
    other: int
    """Those of the second."""
    runs: int
    """Runs that each arm had."""
    p: float
    """Two-sided p-value of arms that end well equally often."""


def success_of(a_KS: ArrayLike, b_KS: ArrayLike, scope: Scope = "winner") -> Success:
    """Compare how often two arms end well.

    One search's runs are compared by Barnard's test (:func:`barnard`), which takes them as
    independent: seeds in pairs make it more careful than it needs to be. Runs of several searches
    are not independent, since a winner that diverges does so in most of its runs: then the shares
    that ended well are compared by a t-test over searches, floored at their step of 1/S.

    Args:
        a_KS: (K, S) values, infinite where a run diverged; NaN where it is missing.
        b_KS: (K, S) those of the other arm.
        scope: whether it is said of the method; then one search says nothing.

    >>> inf = float("inf")
    >>> round(success_of([-inf] * 5, [1.0] * 5).p, 4)
    0.002
    """
    x, y = as_table(a_KS), as_table(b_KS)
    known = ~np.isnan(x) & ~np.isnan(y)
    mine_KS, other_KS = np.isfinite(x) & known, np.isfinite(y) & known
    mine, other, runs = int(mine_KS.sum()), int(other_KS.sum()), int(known.sum())
    if mine == other or runs < FEWEST_RUNS:
        return Success(mine, other, runs, 1.0)
    if len(x) == 1:
        p = barnard(mine, other, runs) if scope == "winner" else 1.0
        return Success(mine, other, runs, p)
    # a search's share of S runs has steps of 1/S: as a resolution of single runs that is 1/√S
    shares = np.where(known, mine_KS.astype(float) - other_KS, np.nan)
    step = 1 / float(np.sqrt(known.sum(axis=1).max()))
    return Success(mine, other, runs, mean_test(shares, scope="method", resolution=step).p)


@lru_cache(maxsize=4096)  # the same few tables are asked for again and again
def barnard(mine: int, other: int, runs: int) -> float:
    """Return the two-sided p of two equal binomial shares (Barnard 1945).

    p = max over π of P(|Z| ≥ |z|) with Z the pooled Wald statistic of two binomials (runs, π).

    Args:
        mine: successes of the first.
        other: successes of the second.
        runs: runs of each.

    >>> round(barnard(4, 0, 4), 4), barnard(3, 3, 5)
    (0.0078, 1.0)
    """
    from scipy.special import comb

    count = np.arange(runs + 1)
    z = _wald(count[:, None], count, runs)
    # a relative 1e-9 less: the same statistic, rounded in another order, must count as equal
    extreme = z >= _wald(np.array(mine), np.array(other), runs) * (1 - 1e-9)
    pi = np.linspace(0, 1, 401)
    of_n = count[:, None]
    mass_nP = comb(runs, of_n) * pi**of_n * (1 - pi) ** (runs - of_n)
    return float(min(1.0, np.einsum("ip,ij,jp->p", mass_nP, extreme, mass_nP).max()))


def _wald(x: np.ndarray, y: np.ndarray, runs: int) -> np.ndarray:
    """Return |x − y|/√(2n p̄(1 − p̄)) with p̄ = (x + y)/2n; 0 where both are all or none."""
    pooled = (x + y) / (2 * runs)
    error = np.sqrt(2 * runs * pooled * (1 - pooled))
    return np.asarray(np.abs(x - y) / np.where(error > 0, error, 1))
