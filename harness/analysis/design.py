"""What a study's runs say of the next one: where the spread of its arms' differences comes from."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from harness.analysis.results import Results
from harness.analysis.values import values_of
from harness.core.errors import StoreError
from harness.spec.arms import build_arms
from harness.spec.claims.two_arms import TwoArms
from harness.spec.study import Study
from harness.stats import Variances, spread_of
from harness.stats.verdict import differences

ArmPair = tuple[str, str]
"""Two arms that are compared."""


def spread_of_pairs(results: Results, metric: str) -> dict[ArmPair, Variances]:
    """Return the variances of the paired differences of a metric, by pair of arms.

    The pairs are those that the study's claims compare, or all where none compares two arms. Runs
    that diverged are left out; pairs of which too few are left have no entry.

    Args:
        results: of a study that has been run.
        metric: what is compared.

    Raises:
        StoreError: there is one search, or one seed of each, which tell nothing of their spread.
    """
    if results.study.tuned and len(results.look.searches) < 2:
        raise StoreError(
            f"study {results.study.name!r} has one search, which does not tell what another would "
            "give: run it with search.searches=3 or more"
        )
    found = {pair: _variances(results, pair, metric) for pair in pairs_of(results.study)}
    known = {pair: variances for pair, variances in found.items() if variances is not None}
    if not known:
        raise StoreError(
            f"study {results.study.name!r} has too few runs with {metric} to tell their spread: "
            "run it with two seeds or more"
        )
    return known


def pairs_of(study: Study) -> list[ArmPair]:
    """Return the pairs of arms that the claims compare, each once; all pairs where none does."""
    claimed = [claim.arms for claim in study.claims if isinstance(claim, TwoArms)]
    once = {frozenset(arms): (arms[0], arms[1]) for arms in claimed}
    return list(once.values()) or list(combinations((arm.name for arm in build_arms(study)), 2))


def _variances(results: Results, pair: ArmPair, metric: str) -> Variances | None:
    """Return the two variances of a pair's differences; None for too few runs."""
    d_KS = differences(*(values_of(results, arm, metric) for arm in pair))
    spread = spread_of(d_KS)
    if spread is not None:
        return Variances(spread.searches, spread.seeds)
    ended = d_KS[np.isfinite(d_KS)]
    # nothing is tuned: the seeds of one search are all the spread there is
    if results.study.tuned or len(ended) < 2:
        return None
    return Variances(0.0, float(ended.var(ddof=1)))


def length_of_trials(results: Results) -> float:
    """Return how long a trial's run is in runs of the confirmation, by steps: below 1 where trials
    are pruned; 1 where nothing was searched."""
    searched, confirmed = results.searched, results.confirmed
    if not len(searched) or "cost/steps" not in searched:
        return 1.0
    ratio = (
        searched.groupby("arm")["cost/steps"].mean() / confirmed.groupby("arm")["cost/steps"].mean()
    )
    return float(ratio.mean()) if np.isfinite(ratio.mean()) else 1.0
