"""Evidence that an arm takes away what another suffers from, or a share of it."""

from __future__ import annotations

import numpy as np

from harness import stats
from harness.analysis.claims.evidence import SeedNumbers, Weighed, evidence_on
from harness.analysis.ranking import show
from harness.analysis.results import Results
from harness.analysis.values import values_of
from harness.spec.claims import Cured


@evidence_on.register
def evidence_on_cured(claim: Cured, results: Results, seeds: SeedNumbers, level: float) -> Weighed:
    """Test mean((1 − share) base − cured) > 0; the effect shown is what is taken away, mean(base −
    cured).

    Args:
        claim: names the arms, the metric and the share.
        results: the study's tables.
        seeds: the seeds to go by.
        level: coverage of the effect's interval.

    Returns:
        Evidence on the claim, with the effect shown in the place of the one tested. They differ by
        the share, so that an effect above 0 may still leave the claim undecided.
    """
    # in the order of ``claim.arms``: the arm with the cure, and the one without
    cured, base = (np.array(values_of(results, arm, claim.on, seeds)) for arm in claim.arms)
    evidence = stats.superior((1 - claim.share) * base, cured, 0.0, level)
    taken = stats.superior(base, cured, 0.0, level).effect
    means = f"{base.mean():.4g} → {cured.mean():.4g}"
    return Weighed(
        evidence._replace(effect=taken), f"{claim.on} {means}; taken away: {show(taken)}."
    )
