"""Evidence that two factors interact: the share of the variance that only both together explain."""

from __future__ import annotations

import math

import numpy as np

from harness import stats
from harness.analysis.claims.by_level import values_by_level
from harness.analysis.claims.evidence import SeedNumbers, Weighed, evidence_on
from harness.analysis.results import Results
from harness.spec.claims import Interaction
from harness.stats import Evidence, Interval

RESAMPLES = 200
"""Bootstrap samples for the interval of the share, which is shown and decides nothing."""


@evidence_on.register
def evidence_on_interaction(
    claim: Interaction, results: Results, seeds: SeedNumbers, level: float
) -> Weighed:
    """Test the interaction's F of a two-way repeated-measures analysis of variance; its share has a
    bootstrap interval.

    F = MS_AB / MS_{AB×seeds} and η² = SS_AB / SS_total (:func:`harness.stats.factorial_effects`).

    Args:
        claim: names the two factors and the metric.
        results: the study's tables.
        seeds: the seeds to go by; of one alone the share is unknown, since nothing says how far
            seeds differ.
        level: coverage of the share's interval.

    Returns:
        Evidence whose effect is the share η², from 0 to 1.
    """
    values_ABS = values_by_level(results, claim, seeds)
    # Such a claim stays undecided, with an infinite share for "unknown" (NaN would say that nothing
    # was recorded).
    unknown = Evidence(Interval(math.inf, -math.inf, math.inf), 1.0, favours=True)
    if not np.isfinite(values_ABS).all():  # sums of squares of infinite values are no numbers
        return Weighed(unknown, "Some of these runs diverged.")
    if len(seeds) < 2:
        return Weighed(unknown, "An interaction shows between seeds: it takes two or more.")
    # single factors come first, the pair last
    *single, both = stats.factorial_effects(values_ABS, claim.factors)
    low, high = _share_interval(values_ABS, claim.factors, level)
    alone = ", ".join(f"{effect.factors[0]} {effect.share:.0%}" for effect in single)
    shares = f"together {both.share:.1%} [{low:.1%}, {high:.1%}], alone {alone}"
    return Weighed(
        # An F test has no other side: a large F favours the claim, a small one decides nothing.
        Evidence(Interval(both.share, low, high), both.p, favours=True),
        f"Share of the variance: {shares}; F{both.df} = {both.f:.3g}.",
    )


def _share_interval(
    values_ABS: np.ndarray, factors: tuple[str, str], level: float
) -> tuple[float, float]:
    """Return the percentile interval of the interaction's share, over seeds drawn with replacement.

    Whole seeds are drawn, with their runs of all levels, since these are paired.

    Args:
        values_ABS: levels of the first factor, of the second, seeds; all finite.
        factors: their names.
        level: coverage.
    """
    rng = np.random.default_rng(0)  # judging a study again gives the same interval
    count = values_ABS.shape[-1]
    shares = []
    for _ in range(RESAMPLES):
        drawn_S = rng.integers(0, count, count)
        shares.append(stats.factorial_effects(values_ABS[..., drawn_S], factors)[-1].share)
    low, high = np.quantile(shares, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
