"""Evidence that an arm reaches a value sooner: the mean time saved, up to where both arms were
watched."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from harness import stats
from harness.analysis.bounds import cut_to_bounds
from harness.analysis.claims.evidence import Weighed, evidence_on
from harness.analysis.claims.times import times_to
from harness.analysis.claims.wording import Words
from harness.analysis.quantities import say, three_digits
from harness.analysis.results import Results
from harness.analysis.values import resolution_of
from harness.core.metric_table import Description
from harness.spec.claims import Faster
from harness.spec.looks import Look
from harness.stats import Interval, Reached

_TIME = Description("time to a value", least=0.0)


@evidence_on.register
def evidence_on_faster(claim: Faster, results: Results, look: Look, level: float) -> Weighed:
    """Test mean(other − mine) > 0 of times restricted to a common horizon (Irwin 1949; Royston &
    Parmar 2013).

    Each time counts as min(time, h). The horizon h is the planned length of an arm of which a run
    missed the target, the shorter one if both arms have such runs: up to there it is known of every
    run whether it had arrived.

    Args:
        claim: names the arms, the metric, the value to be reached and the unit of time.
        results: the study's tables.
        look: the runs to go by.
        level: coverage of the effect's interval.

    Returns:
        Evidence whose effect is the mean time saved, in the claim's unit.
    """
    mine, other = (times_to(results, arm, claim.goal, look) for arm in claim.arms)
    if not mine or not other:
        unknown = Interval(math.nan, math.nan, math.nan)
        return Weighed(stats.Evidence(unknown, 1.0, favours=False), "")
    horizon = stats.horizon_of([*mine, *other])
    mine_KS, other_KS = (
        np.reshape(stats.restricted(times, horizon), look.shape) for times in (mine, other)
    )
    scope = results.study.scope_of(claim)
    step = resolution_of([mine_KS, other_KS])
    evidence = stats.superior(other_KS, mine_KS, 0.0, level, scope=scope, resolution=step)
    means = [
        say(
            cut_to_bounds(
                stats.mean_test(own, scope=scope, level=level, resolution=step).interval, _TIME
            )
        )
        for own in (mine_KS, other_KS)
    ]
    missed = _missed(claim.arm, mine) + _missed(claim.than, other)
    # without a missed target the horizon is the last arrival, and restricts nothing
    unit = f"{claim.by}, restricted to {three_digits(horizon)}" if missed else claim.by
    note = f" ({'; '.join(missed)}, censored)" if missed else ""
    saved = f"Mean {claim.by} saved: {Words.of(results, claim).effect(evidence)}"
    return Weighed(evidence, f"{saved}; {' against '.join(means)} {unit}{note}.")


def _missed(arm: str, times: Sequence[Reached]) -> list[str]:
    """Return a remark on the runs of an arm that missed the target; none if all reached it."""
    count = sum(time.censored for time in times)
    return [f"{count} of {len(times)} runs of {arm} missed the target"] if count else []
