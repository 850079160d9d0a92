"""Evidence and verdicts on claims."""

import math

import numpy as np
import pytest
import scipy.stats

from harness import stats


def test_the_effect_of_a_claim_is_the_difference_whatever_the_margin():
    rng = np.random.default_rng(26)
    a, b = rng.normal(1, 1, 9), rng.normal(0, 1, 9)
    plain, bold = stats.superior(a, b), stats.superior(a, b, 0.7, level=0.8)
    assert plain.effect == pytest.approx(stats.mean_interval(a - b))
    assert bold.effect == pytest.approx(stats.mean_interval(a - b, 0.8))
    assert stats.equivalent(a, b, 0.7).effect == pytest.approx(stats.mean_interval(a - b))
    assert stats.equivalent(a, b, 0.7, level=0.8).effect == pytest.approx(bold.effect)


def test_superiority_by_a_margin_is_a_t_test_against_it():
    rng = np.random.default_rng(27)
    a, b = rng.normal(1, 1, 9), rng.normal(0, 1, 9)
    evidence = stats.superior(a, b, 0.4)
    theirs = scipy.stats.ttest_1samp(a - b, 0.4)
    assert evidence.p == pytest.approx(theirs.pvalue)
    assert evidence.size == pytest.approx(theirs.statistic / 3)
    assert evidence.favours == (theirs.statistic > 0)


def test_no_lead_is_no_support():
    assert not stats.superior([1.0, 2.0], [1.0, 2.0]).favours
    assert math.isnan(stats.superior([1.0], [2.0]).size)
    assert math.isnan(stats.superior([math.inf, 1.0], [2.0, 3.0]).size)
    assert math.isfinite(stats.superior([2.0, 1.0], [2.0, 3.0]).size)


@pytest.mark.parametrize("shift", [-1.0, 1.0])
def test_a_difference_beyond_a_bound_is_tested_against_that_bound(shift):
    rng = np.random.default_rng(28)
    a = rng.normal(0, 0.3, 8) + shift
    evidence = stats.equivalent(a, np.zeros(8), 0.5)
    bound = math.copysign(0.5, shift)
    assert not evidence.favours
    assert evidence.p == pytest.approx(scipy.stats.ttest_1samp(a, bound).pvalue)


def test_a_mean_on_a_bound_is_not_inside():
    for sign in (1, -1):
        evidence = stats.equivalent([0.5 * sign, 1.5 * sign], [0.0, 0.0], 1.0)
        assert not evidence.favours and evidence.p == 1.0


def test_a_p_value_at_alpha_decides():
    evidence = stats.Evidence(stats.Interval(1.0, 0.0, 2.0), 0.05, True)
    assert stats.judge(evidence, 0.05) == ("supported", evidence.effect, 0.05)
    assert stats.judge(evidence, 0.0501).verdict == "undecided"
    assert stats.judge(evidence, 0.08, alpha=0.1).verdict == "supported"


@pytest.mark.parametrize(
    "mean, p, verdict",
    [
        (0.3, 0.01, "supported"),
        (-0.3, 0.01, "opposite"),
        (0.3, 0.2, "undecided"),
        (0.3, math.nan, "undecided"),
    ],
)
def test_verdicts(mean, p, verdict):
    evidence = stats.Evidence(stats.Interval(mean, mean - 1, mean + 1), p, mean > 0)
    assert stats.judge(evidence, p).verdict == verdict


def test_verdicts_on_margins():
    rng = np.random.default_rng(11)
    base = rng.normal(size=12)
    near, far = base + rng.normal(0, 0.05, 12), base + 1 + rng.normal(0, 0.05, 12)
    equal = stats.equivalent(near, base, 0.2)
    assert equal.favours and equal.p < 0.01
    unequal = stats.equivalent(far, base, 0.2)
    assert not unequal.favours and unequal.p < 0.01
    assert stats.superior(near, base, -0.2).favours and stats.superior(near, base, -0.2).p < 0.01
    assert not stats.superior(far, base, 2.0).favours and stats.superior(
        far, base, 2.0
    ).effect.mean == pytest.approx(1, abs=0.1)


def test_equivalence_is_two_one_sided_tests():
    rng = np.random.default_rng(12)
    a, b = rng.normal(0, 1, 15), rng.normal(0, 1, 15)
    lower = scipy.stats.ttest_1samp(a - b, -2, alternative="greater").pvalue
    upper = scipy.stats.ttest_1samp(a - b, 2, alternative="less").pvalue
    assert stats.equivalent(a, b, 2.0).p == pytest.approx(2 * max(lower, upper))


def verdict(evidence):
    return stats.judge(evidence, evidence.p).verdict


@pytest.mark.parametrize("margin", [0.0, 0.001])
def test_two_seeds_one_test_sample_apart_decide_nothing(margin):
    """They were "supported"."""
    evidence = stats.superior([0.905, 0.91], [0.9, 0.905], margin, resolution=0.005)
    assert evidence.p == 1.0 and verdict(evidence) == "undecided"
    assert evidence.effect.mean == pytest.approx(0.005)
    two = stats.equivalent([0.9, 0.9], [0.9, 0.9], 0.01, resolution=0.005)
    assert two.p == 1.0 and verdict(two) == "undecided"


def test_equality_knows_the_resolution_too():
    """Four equal pairs in steps of r have the error r/√24, and not 0."""
    evidence = stats.equivalent([0.9] * 4, [0.9] * 4, 0.01, resolution=0.005)
    expected = 2 * scipy.stats.t.sf(0.01 / (0.005 / math.sqrt(24)), 3)
    assert evidence.p == pytest.approx(expected) and evidence.favours


def test_a_claim_about_a_method_is_one_about_search_means():
    a, b = np.random.default_rng(31).normal(size=(2, 5, 4))
    a += np.random.default_rng(32).normal(size=(5, 1)) + 1
    method, winner = (stats.superior(a, b, 0.3, scope=scope) for scope in ("method", "winner"))
    theirs = scipy.stats.ttest_1samp((a - b).mean(axis=1), 0.3)
    assert method.p == pytest.approx(theirs.pvalue)
    assert method.effect == pytest.approx(stats.mean_interval((a - b).mean(axis=1)))
    assert method.p > 1.5 * winner.p
    assert method.spread == winner.spread == stats.spread_of(a - b)
    equal = stats.equivalent(a, b, 9.0, scope="method")
    upper = scipy.stats.ttest_1samp((a - b).mean(axis=1), 9.0).pvalue
    assert equal.p == pytest.approx(upper) and equal.spread == method.spread


@pytest.mark.parametrize(
    "mean, word",
    [(1.0, "supported"), (0.25, "smaller than claimed"), (-0.5, "opposite"), (0.5, "undecided")],
)
def test_the_four_words(mean, word):
    """What was "refuted" is two things: a lead that is less than the margin, and none at all."""
    a = mean + 0.05 * np.random.default_rng(33).normal(size=8)
    assert verdict(stats.superior(a, np.zeros(8), 0.5)) == word


def test_opposite_needs_the_corrected_p_too():
    evidence = stats.Evidence(stats.Interval(-0.1, -0.2, 0.0), 0.001, False, p_opposite=0.02)
    assert stats.judge(evidence, 0.002).verdict == "opposite"
    assert stats.judge(evidence, 0.003).verdict == "smaller than claimed"


def test_arms_are_paired():
    with pytest.raises(ValueError, match=r"paired by search and seed, got \(1, 2\) and \(1, 3\)"):
        stats.superior([1.0, 2.0], [1.0, 2.0, 3.0])
