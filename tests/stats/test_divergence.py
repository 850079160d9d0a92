"""Verdicts where runs diverged: how many ended well is a result, and no shield for the values."""

import math

import numpy as np
import pytest
import scipy.stats

from harness import stats

INF = math.inf


def worst(arm, *places):
    """Return an arm's values with some runs diverged."""
    arm = np.array(arm, dtype=float)
    for place in places:
        arm[place] = -INF
    return arm


def verdict(evidence):
    return stats.judge(evidence, evidence.p).verdict


def good(*shape, seed=0, mean=1.0, deviation=0.01):
    return mean + deviation * np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("runs, p, arms", [(5, 4 / 2**10, 2), (10, 4 / 2**20, 27)])
@pytest.mark.parametrize("deviation", [0.01, 0.0])
def test_an_arm_of_which_all_runs_diverged_is_behind(runs, p, arms, deviation):
    """5 of 5 were "not distinguishable"; 10 of 10, among 27 arms, p = .0508 after Holm."""
    b = good(runs, deviation=deviation)
    dead = np.full(runs, -INF)
    ahead, behind = stats.superior(b, dead), stats.superior(dead, b)
    assert ahead.p == behind.p == pytest.approx(p) and p * (arms - 1) < 0.05
    assert verdict(ahead) == "supported" and verdict(behind) == "opposite"
    assert ahead.effect == (INF, -INF, INF) and behind.effect.mean == -INF
    assert behind.success == (0, runs, runs, pytest.approx(p / 2))


def test_a_dead_arm_of_several_searches_is_behind():
    dead = np.full((5, 3), -INF)
    evidence = stats.superior(dead, good(5, 3), scope="method")
    assert evidence.p < 0.001 and verdict(evidence) == "opposite"


def test_arms_that_diverged_in_turn_lean_to_no_side():
    evidence = stats.superior(worst(good(4), 0, 1), worst(good(4), 2, 3))
    assert evidence.p == 1.0 and not evidence.favours and evidence.success[:3] == (2, 2, 4)


@pytest.mark.parametrize("scope", ["method", "winner"])
def test_one_diverged_run_among_worse_ones_shields_no_arm(scope):
    """It made p = .146 of 2e-10."""
    a, b = good(5, 4, seed=1), good(5, 4, seed=2, mean=0.9)
    if scope == "winner":
        a, b = a[:2].ravel(), b[:2].ravel()
    whole = stats.superior(a, b, scope=scope)
    lost = worst(b, (2, 1) if scope == "method" else 3)
    evidence = stats.superior(a, lost, scope=scope)
    assert whole.p < 1e-4 and evidence.p < 0.001
    assert verdict(evidence) == "supported" and verdict(stats.superior(lost, a)) == "opposite"
    assert evidence.success[:3] == (a.size, a.size - 1, a.size)
    # the pair counts as the largest difference seen, at half the risk
    d = a - np.where(np.isinf(lost), 0.0, lost)
    d[np.isinf(lost)] = np.max(np.where(np.isinf(lost), 0, d))
    assert evidence.p == pytest.approx(2 * stats.mean_test(d, scope=scope).p)


@pytest.mark.parametrize("lost", [1, 2, 3])
@pytest.mark.parametrize("scope", ["method", "winner"])
@pytest.mark.parametrize("margin", [-0.2, 0.0, 0.2])
def test_values_never_decide_for_the_arm_that_diverged_more_often(lost, scope, margin):
    """What is left of it is what its luckier runs reached."""
    a, b = good(5, 4, seed=3, mean=9.0), good(5, 4, seed=4)
    a = worst(a, *[(k, 0) for k in range(lost)])
    evidence = stats.superior(a, b, margin, scope=scope)
    assert not (evidence.favours and evidence.p <= 0.05)
    assert stats.superior(b, a, scope=scope).p == stats.superior(a, b, scope=scope).p
    assert stats.superior(good(5, 4, seed=3, mean=9.0), b, margin, scope=scope).favours


def test_as_many_diverged_runs_in_both_arms_leave_the_values_to_decide():
    a, b = good(10, seed=5, mean=2.0), good(10, seed=6)
    evidence = stats.superior(worst(a, 0), worst(b, 1))
    # ±the largest difference: the two cancel, and widen the spread
    d = a - b
    reach = np.abs(d[2:]).max()
    d[:2] = -reach, reach
    assert evidence.p == pytest.approx(2 * scipy.stats.ttest_1samp(d, 0).pvalue)
    assert evidence.favours and evidence.success[:3] == (9, 9, 10)
    both = stats.superior(worst(a, 0), worst(b, 0))
    assert both.p == pytest.approx(2 * scipy.stats.ttest_1samp((a - b)[1:], 0).pvalue)
    assert both.effect == pytest.approx(stats.mean_interval((a - b)[1:]))


def test_the_effect_is_that_of_the_pairs_that_ended_well():
    a, b = good(6, seed=7, mean=2.0), good(6, seed=8)
    effect = stats.superior(a, worst(b, 0, 3)).effect
    assert effect == pytest.approx(stats.mean_interval((a - b)[[1, 2, 4, 5]]))


@pytest.mark.parametrize("scope", ["method", "winner"])
@pytest.mark.parametrize("lost", [1, 3, 8])
@pytest.mark.parametrize("which", ["a", "b"])
def test_arms_of_which_one_diverges_more_often_are_never_equal(scope, lost, which):
    a, b = good(5, 4, seed=9), good(5, 4, seed=10)
    places = [divmod(i, 4) for i in range(0, 2 * lost, 2)]
    assert verdict(stats.equivalent(a, b, 0.1, scope=scope)) == "supported"
    mine, other = (worst(a, *places), b) if which == "a" else (a, worst(b, *places))
    assert verdict(stats.equivalent(mine, other, 0.1, scope=scope)) != "supported"
    same = stats.equivalent(worst(a, *places), worst(b, *places), 0.1, scope=scope)
    if lost < 8:
        assert verdict(same) == "supported", "both diverged as often: what is left is equal"


def test_arms_of_which_one_is_dead_are_not_equal():
    evidence = stats.equivalent(np.full(5, -INF), good(5), 0.1)
    assert evidence.p == pytest.approx(4 / 2**10) and not evidence.favours
    assert verdict(evidence) in ("opposite", "smaller than claimed")


@pytest.mark.parametrize("seed", range(20))
def test_whatever_diverges_the_arms_change_places_with_the_sign(seed):
    rng = np.random.default_rng((29, seed))
    a, b = rng.normal(0.5, 1, (2, 3, 4))
    a[rng.random(a.shape) < 0.3] = -INF
    b[rng.random(b.shape) < 0.3] = -INF
    for scope in ("method", "winner"):
        one, two = stats.superior(a, b, scope=scope), stats.superior(b, a, scope=scope)
        assert one.p == pytest.approx(two.p)
        if one.p < 1:
            assert one.favours != two.favours


@pytest.mark.parametrize("lost", [0, 0.3])
@pytest.mark.parametrize("scope", ["method", "winner"])
def test_equal_arms_whose_runs_diverge_by_chance_are_rarely_told_apart(lost, scope):
    decided = 0
    for seed in range(400):
        rng = np.random.default_rng((30, seed))
        x = rng.normal(size=(2, 5, 3))
        x[rng.random(x.shape) < lost] = -INF
        decided += stats.superior(*x, scope=scope).p <= 0.05
    # .05 and three standard errors; divergence makes the tests careful, but not deaf
    assert 0 < decided / 400 <= 0.05 + 3 * 0.0109
