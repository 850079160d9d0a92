"""Evidence that a metric rises or falls along the levels of a factor: its trend, and no significant
turn back."""

from __future__ import annotations

from harness import stats
from harness.analysis.claims.by_level import values_by_level
from harness.analysis.claims.evidence import SeedNumbers, Weighed, evidence_on
from harness.analysis.ranking import ALPHA, show
from harness.analysis.results import Results
from harness.spec.claims import Monotone
from harness.stats import Evidence, Interval


@evidence_on.register
def evidence_on_monotone(
    claim: Monotone, results: Results, seeds: SeedNumbers, level: float
) -> Weighed:
    """Test the trend by Page's test; the effect is Kendall's τ between level and metric, mean over
    seeds.

    A step back between two neighbouring levels that is itself significant refutes the claim,
    whatever the trend is.

    Args:
        claim: names the factor, the metric and the direction.
        results: the study's tables.
        seeds: the seeds to go by.
        level: not used; the interval of τ is one of 95 %.

    Returns:
        Evidence whose effect is τ, from −1 to 1, turned so that 1 is the claim at every step.
    """
    # τ and the trend's direction are turned so that positive favours the claim; the two-sided p of
    # Page's test is the same either way.
    values_LS = values_by_level(results, claim, seeds)
    trend = stats.monotone_trend(values_LS.T)
    tau = trend.tau if claim.rising else _negated(trend.tau)
    means = " → ".join(f"{mean:.4g}" for mean in values_LS.mean(axis=1))
    text = f"{means}; mean τ {show(tau)}."
    if trend.reversal and trend.reversal[1] <= ALPHA and tau.mean > 0:
        # only where the trend itself goes the claimed way: else the trend refutes the claim
        place, p = trend.reversal
        levels = list(results.study.compare[claim.factor])
        turn = f" It turns from {levels[place]} to {levels[place + 1]}."
        return Weighed(Evidence(tau, p, favours=False), text + turn)
    return Weighed(Evidence(tau, trend.p, favours=tau.mean > 0), text)


def _negated(interval: Interval) -> Interval:
    """Return the interval of −x, whose ends change places."""
    return Interval(-interval.mean, -interval.high, -interval.low)
