"""Evidence that an arm reaches a value sooner: the mean time saved, up to where both arms were
watched."""

from __future__ import annotations

from collections.abc import Sequence

from harness import stats
from harness.analysis.claims.evidence import SeedNumbers, Weighed, evidence_on
from harness.analysis.claims.times import times_to
from harness.analysis.ranking import show
from harness.analysis.results import Results
from harness.spec.claims import Faster
from harness.stats import Reached


@evidence_on.register
def evidence_on_faster(
    claim: Faster, results: Results, seeds: SeedNumbers, level: float
) -> Weighed:
    """Test mean(other − mine) > 0 of times restricted to a common horizon (Irwin 1949; Royston &
    Parmar 2013).

    Each time counts as min(time, h). The horizon h is the end of the runs of an arm of which one
    missed the target, the earlier end if both arms have such runs: up to there it is known of every
    run whether it had arrived.

    Args:
        claim: names the arms, the metric, the value to be reached and the unit of time.
        results: the study's tables.
        seeds: the seeds to go by.
        level: coverage of the effect's interval.

    Returns:
        Evidence whose effect is the mean time saved, in the claim's unit.
    """
    mine, other = (times_to(results, arm, claim.goal, seeds) for arm in claim.arms)
    horizon = stats.horizon_of([*mine, *other])
    evidence = stats.superior(
        stats.restricted(other, horizon), stats.restricted(mine, horizon), 0.0, level
    )
    means = [show(stats.restricted_mean(times, horizon)) for times in (mine, other)]
    missed = _missed(claim.arm, mine) + _missed(claim.than, other)
    # without a missed target the horizon is the last arrival, and restricts nothing
    unit = f"{claim.by}, restricted to {horizon:.5g}" if missed else claim.by
    note = f" ({'; '.join(missed)}, censored)" if missed else ""
    saved = f"Mean {claim.by} saved: {show(evidence.effect)}"
    return Weighed(evidence, f"{saved}; {' against '.join(means)} {unit}{note}.")


def _missed(arm: str, times: Sequence[Reached]) -> list[str]:
    """Return a remark on the runs of an arm that missed the target; none if all reached it."""
    count = sum(time.censored for time in times)
    return [f"{count} of {len(times)} seeds of {arm} missed the target"] if count else []
