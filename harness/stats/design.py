"""How many searches, and how many seeds of each winner, it takes to find an effect.

The paired difference of search k and seed j is d_kj = μ + a_k + e_kj
(:mod:`harness.stats.hierarchy`). Searches are dear and seeds are cheap, but only searches tell what
another search would give.
"""

from __future__ import annotations

import math
from typing import NamedTuple

ENOUGH_SEARCHES = 5
"""Searches below which no design is proposed: t with fewer degrees of freedom is very wide, and
leans on a_k being normal."""
LARGEST_DESIGN = 10_000
"""Searches beyond which an effect counts as too small to be found."""
MOST_SEEDS = 200
"""Seeds of a winner that are tried at most; more add next to nothing to what one search tells."""


class Variances(NamedTuple):
    """Where the spread of a paired difference comes from."""

    searches: float
    """σ²_search, of a_k; 0 for arms that are not tuned."""
    seeds: float
    """σ²_seed, of e_kj."""


class Design(NamedTuple):
    """So many searches of every arm, and so many runs of each winner."""

    searches: int
    """K."""
    seeds: int
    """S."""
    power: float
    """Probability of finding the effect."""
    cost: float
    """K(C + S) of each arm, in runs."""


def power_of(
    effect: float, variances: Variances, searches: int, seeds: int, alpha: float = 0.05
) -> float:
    """Return the probability that K searches of S seeds show an effect.

    The test is Student's over search means: P(T > t) with t the 1 − α/2 quantile of its
    distribution with K − 1 degrees of freedom and T noncentral with
    δ/√(σ²_search/K + σ²_seed/(KS)). The chance of the wrong sign is left out.

    Args:
        effect: δ, the mean difference; its sign does not matter.
        variances: of paired differences.
        searches: K, 2 at least.
        seeds: S of each.
        alpha: level of the two-sided test.

    >>> round(power_of(0.5, Variances(0.0, 1.0), 34, 1), 3)
    0.808
    """
    from scipy.special import nctdtr, stdtrit

    error = math.sqrt((variances.searches + variances.seeds / seeds) / searches)
    if error == 0:
        return float(effect != 0)
    t = stdtrit(searches - 1, 1 - alpha / 2)
    power = 1 - float(nctdtr(searches - 1, abs(effect) / error, t))
    # far out in the tail the noncentral distribution is not computed: all of it lies beyond t
    return 1.0 if math.isnan(power) else power


def best_seeds(variances: Variances, search_cost: float) -> float:
    """Return the seeds of a winner that tell most for what they cost, n* = √(C σ²_seed/σ²_search).

    K searches of S seeds cost K(C + S) and have the variance (σ²_search + σ²_seed/S)/K: of all
    designs of one cost, the product (C + S)(σ²_search + σ²_seed/S) is least at n* (Cochran 1977,
    10.6, two-stage sampling). With C = T·r and ρ = σ²_search/σ²_seed it is √(T·r/ρ).

    Args:
        variances: of paired differences.
        search_cost: C, what a search of an arm costs in confirm runs: T trials of a relative
            length r.

    Returns:
        n*, no whole number; infinite where the search adds no spread, 0 where seeds add none.

    >>> best_seeds(Variances(0.25, 1.0), search_cost=16)
    8.0
    """
    if variances.searches == 0:
        return math.inf if search_cost else 0.0
    return math.sqrt(search_cost * variances.seeds / variances.searches)


def cheapest_design(
    effect: float,
    variances: Variances,
    search_cost: float,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
) -> Design | None:
    """Return the design of least cost that finds an effect with the given power.

    All S up to some way beyond n* are tried with the least K that suffices: with few searches more
    of them and fewer seeds are better than n*, since they add degrees of freedom.

    Args:
        effect: δ.
        variances: of paired differences.
        search_cost: what a search of an arm costs, in confirm runs; 0 for arms that are not tuned,
            whose "searches" are seeds, one run each.
        alpha: level of the two-sided test.
        power: probability of finding the effect.

    Returns:
        The design; None where the effect is 0, or takes more than 10,000 searches.

    >>> design = cheapest_design(0.01, Variances(1e-4, 4e-4), search_cost=16)
    >>> design.searches, design.seeds, round(design.power, 2)
    (14, 8, 0.81)
    """
    found = (
        _least_searches(effect, variances, seeds, search_cost, alpha, power)
        for seeds in _seeds_to_try(variances, search_cost)
    )
    return min(filter(None, found), key=lambda design: design.cost, default=None)


def best_split(
    effect: float, variances: Variances, search_cost: float, budget: float, alpha: float = 0.05
) -> Design | None:
    """Return the design that finds an effect most surely among those that a budget pays for.

    Args:
        effect: δ.
        variances: of paired differences.
        search_cost: what a search of an arm costs, in confirm runs.
        budget: runs of an arm, K(C + S) at most.
        alpha: level of the two-sided test.

    Returns:
        The design; None where the budget does not pay for 5 searches.
    """
    designs = [
        _design(effect, variances, searches, seeds, search_cost, alpha)
        for searches in range(ENOUGH_SEARCHES, min(LARGEST_DESIGN, int(budget)) + 1)
        # what is left for the seeds of each; within rounding a run is paid for
        if (seeds := math.floor(budget / searches - search_cost + 1e-9)) > 0
    ]
    return max(designs, key=lambda design: design.power, default=None)


def _seeds_to_try(variances: Variances, search_cost: float) -> range:
    """Return the numbers of seeds among which the cheapest design is."""
    most = 2 * best_seeds(variances, search_cost) + 8
    return range(1, 1 + math.ceil(min(MOST_SEEDS, most)))


def _least_searches(
    effect: float,
    variances: Variances,
    seeds: int,
    search_cost: float,
    alpha: float,
    power: float,
) -> Design | None:
    """Return the fewest searches of S seeds that find an effect; None for more than 10,000."""

    def enough(searches: int) -> bool:
        return power_of(effect, variances, searches, seeds, alpha) >= power

    if effect == 0 or not enough(LARGEST_DESIGN):
        return None
    # the power grows with the searches: bisect for the first number that suffices
    low, high = ENOUGH_SEARCHES, LARGEST_DESIGN
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return _design(effect, variances, low, seeds, search_cost, alpha)


def _design(
    effect: float,
    variances: Variances,
    searches: int,
    seeds: int,
    search_cost: float,
    alpha: float,
) -> Design:
    """Return the design with its power and cost."""
    power = power_of(effect, variances, searches, seeds, alpha)
    return Design(searches, seeds, power, searches * (search_cost + seeds))
