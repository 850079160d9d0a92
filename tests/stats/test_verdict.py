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
