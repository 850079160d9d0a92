"""Evidence that an arm takes away what another suffers from, or a share of it."""

from __future__ import annotations

import numpy as np

from harness import stats
from harness.analysis.claims.evidence import Weighed, evidence_on
from harness.analysis.claims.monotone import level_means
from harness.analysis.claims.wording import Words
from harness.analysis.quantities import say
from harness.analysis.results import Results
from harness.analysis.values import resolution_of, values_of
from harness.spec.claims import Cured
from harness.spec.looks import Look


@evidence_on.register
def evidence_on_cured(claim: Cured, results: Results, look: Look, level: float) -> Weighed:
    """Test mean((1 − share) base − cured) > 0 where base > 0 (:func:`harness.stats.share_taken`).

    Args:
        claim: names the arms, the metric and the share.
        results: the study's tables.
        look: the runs to go by.
        level: coverage of the effect's interval.

    Returns:
        Evidence whose effect is the share taken away, (base − cured)/base.
    """
    # in the order of ``claim.arms``: the arm with the cure, and the one without
    cured, base = (values_of(results, arm, claim.on, look, maximize=False) for arm in claim.arms)
    found = stats.share_taken(
        base,
        cured,
        claim.share,
        level,
        scope=results.study.scope_of(claim),
        resolution=resolution_of([base, cured]),
    )
    words = Words.of(results, claim)
    if not found.defined:
        nothing = "not surely above 0, and of nothing no share is taken away"
        base_is = f"{words.metric} of {claim.than} is {say(found.base, words.values)}"
        return Weighed(found.evidence, f"{base_is}: {nothing}.")
    means = level_means(np.stack([base, cured]), words.values)
    share = f"share taken away: {words.effect(found.evidence)}"
    return Weighed(found.evidence, f"{words.metric} {means}; {share}.")
