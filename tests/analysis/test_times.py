"""When runs reach a target: those that never do are censored at their planned length."""

import numpy as np
import pytest

import harness as h
from harness.analysis.audit.deciding import censored_times
from harness.analysis.claims import judge_claims
from harness.analysis.claims.times import times_to
from harness.core.study_record import Length
from tests.analysis.made import results, study

GOAL = h.Claim.faster("A", than="B", to=("valid/accuracy", 0.5))


def made(curves, statuses=None, planned=40, claims=(GOAL,)):
    seeds = len(next(iter(curves.values())))
    spec = study(seeds=seeds, claims=claims)
    losses = {arm: {"test/loss": [1.0] * seeds} for arm in "ABC"}
    own = {arm: {"valid/accuracy": curve} for arm, curve in curves.items()}
    tables = results(spec, losses, curves=own, statuses=statuses)
    length = Length(planned, float(planned), 10 * planned)
    tables.winners = {
        arm: tuple(winner._replace(length=length) for winner in own)
        for arm, own in tables.winners.items()
    }
    return tables


def reaching(step, length=40, seeds=6):
    return [[0.0] * step + [0.9] * (length - step) for _ in range(seeds)]


def test_a_run_that_diverges_at_once_is_not_fast():
    """It was censored at its arm's own last point: dead at step 0, it "arrived" at 0."""
    curves = {"A": [[0.0]] * 6, "B": reaching(20), "C": reaching(20)}
    tables = made(curves, {("A", seed): "diverged" for seed in range(6)})
    assert {(t.time, t.censored) for t in times_to(tables, "A", GOAL.goal)} == {(40.0, True)}
    (verdict,) = judge_claims(tables)
    assert verdict.verdict.verdict == "opposite"
    assert verdict.verdict.effect.mean < -15


def test_a_run_that_stopped_early_is_censored_at_its_planned_length():
    curves = {"A": [[0.0] * 10] * 6, "B": reaching(20), "C": reaching(20)}
    tables = made(curves, {("A", seed): "stopped" for seed in range(6)})
    assert {t.time for t in times_to(tables, "A", GOAL.goal)} == {40.0}


@pytest.mark.parametrize("told", [0.0, np.nan])
def test_times_in_a_unit_that_nobody_told_decide_nothing(told):
    """A loop of one's own that logs no epochs had 0 everywhere: both arms "reached" it at once."""
    goal = h.Claim.faster("A", than="B", to=("valid/accuracy", 0.5), by="epochs")
    tables = made({"A": reaching(10), "B": reaching(20), "C": reaching(20)}, claims=(goal, GOAL))
    by_epochs, by_steps = judge_claims(tables)
    assert by_epochs.verdict.verdict == by_steps.verdict.verdict == "supported"
    curves = tables.confirmed_curves
    curves["epoch"] = told
    judge_claims.cache_clear()
    by_epochs, by_steps = judge_claims(tables)
    assert by_steps.verdict.verdict == "supported" and by_epochs.verdict.verdict == "undecided"
    assert "The epochs of A, B are not known" in by_epochs.sentence


def test_the_order_of_rates_from_slow_to_dead_is_no_trend_to_faster():
    """266 → 79 → 0 steps was "supported": the 0 had diverged at once."""
    trend = h.Claim.trend(
        "optimizer", on="valid/accuracy", target=0.5, rising=False, direction="maximize"
    )
    curves = {"A": reaching(30), "B": reaching(10), "C": [[0.0]] * 6}
    tables = made(curves, {("C", seed): "diverged" for seed in range(6)}, claims=(trend,))
    (verdict,) = judge_claims(tables)
    assert verdict.verdict.verdict != "supported"


def test_a_level_that_is_planned_shorter_is_not_faster_for_missing_the_target():
    """Larger batches are planned with fewer steps: runs of 10 and 5 steps that missed the target
    counted as reaching it at 10 and 5, a "fall" in every block."""
    claims = [
        getattr(h.Claim, kind)(
            "optimizer", on="valid/accuracy", target=0.5, rising=False, direction="maximize"
        )
        for kind in ("trend", "monotone")
    ]
    curves = {"A": reaching(20), "B": [[0.0] * 10] * 6, "C": [[0.0] * 5] * 6}
    tables = made(curves, claims=claims)
    for arm, steps in {"B": 10, "C": 5}.items():
        length = Length(steps, float(steps), 10 * steps)
        tables.winners[arm] = tuple(w._replace(length=length) for w in tables.winners[arm])
    verdicts = judge_claims(tables)
    # nothing is known of the three beyond 5 steps, up to which none arrived
    assert [tested.verdict.verdict for tested in verdicts] == ["undecided"] * 2
    missed = [finding.text for finding in censored_times(tables)]
    assert [found.split(" never")[0] for found in missed] == [
        "6 of 6 runs of B",
        "6 of 6 runs of C",
    ] * 2


def test_stores_of_earlier_versions_go_by_the_longest_run_that_ended_as_planned():
    curves = {"A": [[0.0]] * 3 + reaching(20)[:3], "B": reaching(20), "C": reaching(20)}
    tables = made(curves, {("A", seed): "diverged" for seed in range(3)})
    tables.winners = {}
    assert {t.time for t in times_to(tables, "A", GOAL.goal)} == {20.0, 39.0}
    assert np.isfinite(judge_claims(tables)[0].verdict.effect.mean)
