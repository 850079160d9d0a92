"""Intervals cover the truth, and nothing is seen where nothing is: a small form of
``python -m benchmarks.calibration``, on the same stored runs and through the same code."""

from itertools import islice

import numpy as np
import pytest

import harness as h
from benchmarks.calibration import TASKS, measure
from benchmarks.calibration_page import page
from benchmarks.covering import covering, shares
from benchmarks.drawn_results import ARMS, DrawnResults, make_study
from benchmarks.draws import CONDITIONS, draw_null, whole
from benchmarks.null_studies import KINDS, calls_at_looks, claims_of, false_calls, family
from benchmarks.pools import load, save
from harness.analysis.claims import judge_claims
from harness.spec.claims import Claim
from tests.analysis.made import results

POOLS = [load(name) for name in TASKS]
STUDIES = 40


def most(studies):
    """Three standard errors above 5 %."""
    return 0.05 + 3 * (0.05 * 0.95 / studies) ** 0.5


def test_intervals_of_methods_cover_and_those_of_winners_do_not():
    rng = np.random.default_rng(0)
    found = shares(
        [
            one
            for pool in POOLS
            for one in islice(
                covering(pool, "test/loss", ("SGD", "Adam"), "stored runs", (5, 10), rng), 100
            )
        ]
    )
    assert found.method == pytest.approx(0.95, abs=3 * (0.05 * 0.95 / 300) ** 0.5)
    assert found.winner < 0.8 < found.winners_own


@pytest.mark.parametrize("condition, shape", [("stored runs", (1, 5)), ("discrete", (5, 5))])
def test_no_kind_of_claim_is_decided_too_often_without_a_difference(condition, shape):
    called = false_calls(POOLS, condition, shape, STUDIES, np.random.default_rng(1))
    assert set(KINDS) - {"faster"} < called.keys()
    assert max(called.values()) <= most(STUDIES)


def test_three_seeds_decide_nothing():
    called = false_calls(POOLS, "divergences", (1, 3), 5, np.random.default_rng(2))
    assert set(called.values()) == {0.0}


def test_looks_are_paid_for_planned_or_not():
    rates = calls_at_looks(POOLS, STUDIES // 2, np.random.default_rng(3))
    assert max(rates.values()) <= most(STUDIES // 2)


@pytest.mark.parametrize("condition", ["stored runs", "divergences"])
def test_drawn_results_are_judged_as_results_from_a_store_are(condition):
    drawn = draw_null(POOLS[0], "test/loss", condition, (1, 10), np.random.default_rng(4))
    # far apart, so that verdicts differ
    values = {arm: {"test/loss": x + 0.05 * i} for i, (arm, x) in enumerate(drawn.values.items())}
    claims = tuple(
        claim.model_copy(update={"on": "test/loss"})
        for kind, claim in claims_of("test/loss", 0.02, 0.1).items()
        if kind != "faster"
    )
    study = make_study(10, 1, claims)
    lists = {arm: {m: x.ravel().tolist() for m, x in own.items()} for arm, own in values.items()}
    lost = {
        (arm, seed): "diverged"
        for arm, own in lists.items()
        for seed, value in enumerate(own["test/loss"])
        if np.isinf(value)
    }
    stored = judge_claims(results(study, lists, statuses=lost))
    given = judge_claims(DrawnResults(study, values))
    assert len({tested.verdict.verdict for tested in given}) > 1
    for one, other in zip(given, stored, strict=True):
        assert one.verdict.verdict == other.verdict.verdict
        np.testing.assert_allclose(one.verdict.effect, other.verdict.effect, rtol=1e-12)
        assert one.verdict.p == pytest.approx(other.verdict.p, rel=1e-12)


def test_times_come_from_the_pool():
    pool = POOLS[0]
    drawn = draw_null(pool, "test/loss", "stored runs", (1, 6), np.random.default_rng(5))
    mine, other = (drawn.times[arm] for arm in (ARMS[0], ARMS[2]))
    claim = Claim.faster(ARMS[0], than=ARMS[2], to=("valid/loss", pool.target), by="epochs")
    study = make_study(6, 1, (claim,))
    values = {arm: {"test/loss": x} for arm, x in drawn.values.items()}
    goal = ("valid/loss", pool.target)
    (found,) = judge_claims(DrawnResults(study, values, drawn.times, goal, pool.epochs))
    cut = pool.epochs if np.isinf([mine, other]).any() else np.max([mine, other])
    saved = np.minimum(other, cut).mean() - np.minimum(mine, cut).mean()
    assert found.verdict.effect.mean == pytest.approx(saved)


def test_the_page_has_a_row_for_everything():
    text = page(measure(1, ["digits"]))
    assert all(f"{name.capitalize()}: " in text for name in CONDITIONS)
    assert "started again" in text and "digits: SGD − Adam" in text


def test_pools_are_read_as_they_were_written(tmp_path):
    for pool in POOLS:
        save(pool, tmp_path)
        np.testing.assert_equal(load(pool.name, tmp_path), pool)
        assert len(whole(pool)) >= 30


def test_growing_studies_can_be_drawn():
    study = make_study(h.Seeds(min=5, max=10), 1, family("test/loss"))
    assert [look.shape for look in study.looks] == [(1, 5), (1, 10)]
