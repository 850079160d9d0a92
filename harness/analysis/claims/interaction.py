"""Evidence that two factors interact: what only both together explain."""

from __future__ import annotations

import math

import numpy as np

from harness import stats
from harness.analysis.claims.by_level import values_by_level
from harness.analysis.claims.evidence import Weighed, evidence_on
from harness.analysis.results import Results
from harness.analysis.values import resolution_of
from harness.core.metric_names import describe
from harness.spec.claims import Interaction
from harness.spec.looks import Look
from harness.stats import Evidence


@evidence_on.register
def evidence_on_interaction(
    claim: Interaction, results: Results, look: Look, level: float
) -> Weighed:
    """Test the interaction's contrasts (:func:`harness.stats.factorial_effects`).

    Args:
        claim: names the two factors and the metric.
        results: the study's tables.
        look: the runs to go by.
        level: coverage of the interval of ω².

    Returns:
        Evidence whose effect is the partial ω², from 0 to 1. It is unknown of one
        replicate, since nothing says how far replicates differ, and of runs that diverged where
        the metric has no worst value.
    """
    known = describe(claim.on, results.study.recipe.declared)
    # F has no place for an infinite value: a network that diverged classifies nothing rightly
    values_ABKS = np.nan_to_num(
        values_by_level(results, claim, look),
        nan=math.nan,
        neginf=known.least,
        posinf=known.most,
    )
    # single factors come first, the pair last
    *single, both = stats.factorial_effects(
        values_ABKS,
        claim.factors,
        level=level,
        scope=results.study.scope_of(claim),
        resolution=resolution_of([values_ABKS]),
    )
    # The test has no other side: a large one favours the claim, a small one decides nothing.
    evidence = Evidence(both.omega, both.p, favours=True)
    if both.omega.mean > 1:
        return Weighed(evidence, "Some of these runs diverged.")
    if math.isnan(both.f):
        return Weighed(evidence, "An interaction shows between replicates: it takes two or more.")
    share, low, high = both.omega
    alone = ", ".join(f"{effect.factors[0]} {effect.omega.mean:.0%}" for effect in single)
    return Weighed(
        evidence,
        f"Partial ω², of the variance that is the effect's or the error's: together {share:.1%} "
        f"[{low:.1%}, {high:.1%}], alone {alone}; "
        f"F({both.df[0]:.3g}, {both.df[1]:.3g}) = {both.f:.3g}.",
    )
