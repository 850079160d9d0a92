"""Paired comparisons and Holm's correction against SciPy and worked examples."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import stats


def test_the_interval_is_of_the_differences_at_the_level_asked_for():
    rng = np.random.default_rng(15)
    a, b = rng.normal(size=(2, 7))
    compared = stats.compare_paired(a, b, 0.8)
    assert compared.difference == pytest.approx(stats.mean_interval(a - b, 0.8))
    low, high = scipy.stats.ttest_rel(a, b).confidence_interval(0.8)
    assert compared.difference[1:] == pytest.approx((low, high))


def test_four_pairs_are_enough_for_a_verdict_and_three_are_not():
    a, b = [1.0, 2.0, 2.5, 3.0], [0.0, 0.5, 1.1, 1.3]
    assert stats.compare_paired(a, b).p == pytest.approx(scipy.stats.ttest_rel(a, b).pvalue)
    assert stats.compare_paired(a[:3], b[:3]).p == 1.0
    assert stats.compare_paired([*a[:3], math.nan], b).p == 1.0


def test_a_single_or_no_difference_decides_nothing():
    assert stats.wilcoxon([0.0, 0.0]) == 1.0 and stats.wilcoxon([3.0]) == 1.0
    assert stats.wilcoxon([0.0, 1.0, 2.0]) == 0.5


def test_permutation_counts_equal_sums_in_any_order():
    # 0.1 + 0.2 + 0.3 is not 0.3 + 0.2 + 0.1 in floating point
    assert stats.permutation([0.1, 0.2, 0.3]) == 2 / 8
    assert stats.permutation([0.3, -0.1, -0.2]) == 1.0


def test_permutation_goes_through_all_up_to_fourteen_pairs():
    d = np.random.default_rng(16).normal(0.5, 1, 15)
    assert stats.permutation(d[:14]) == stats.permutation(d[:14], np.random.default_rng(1))
    assert stats.permutation(d) != stats.permutation(d, np.random.default_rng(1))
    assert stats.permutation(d) == stats.permutation(d)
    assert stats.permutation(d[:14]) * 2**14 % 1 == 0


def test_a_sampled_permutation_test_counts_the_given_signs_in():
    assert stats.permutation(np.ones(40), resamples=99) == 1 / 100
    assert stats.permutation(np.ones(40)) == 1 / 20_001
    signs = np.tile([1.0, -1.0], 10)
    assert stats.permutation(signs, resamples=99) == 1.0


def test_paired_comparison_equals_scipy_s():
    rng = np.random.default_rng(1)
    a, b = rng.normal(0, 1, 8), rng.normal(0.5, 1, 8)
    assert stats.compare_paired(a, b).p == pytest.approx(scipy.stats.ttest_rel(a, b).pvalue)


def test_paired_edge_cases():
    assert stats.compare_paired([1, 1], [1, 1]).p == 1.0
    assert stats.compare_paired([2] * 5, [1] * 5).p == 2 / 2**5
    assert stats.compare_paired([1.0], [2.0]).p == 1.0
    assert stats.compare_paired([math.inf, 1.0], [1.0, 1.0]).p == 1.0
    assert stats.compare_paired(
        [math.inf, 1.0, 2.0], [math.inf, 3.0, 5.0]
    ).difference.mean == pytest.approx(-5 / 2)
    with pytest.raises(ValueError, match="paired by search and seed, got"):
        stats.compare_paired([1], [1, 2])


def test_permutation_and_wilcoxon_agree_with_scipy_s():
    rng = np.random.default_rng(3)
    d = rng.normal(0.4, 1, 10)
    exact = scipy.stats.permutation_test(
        (d,), np.sum, permutation_type="samples", n_resamples=np.inf
    )
    assert stats.permutation(d) == pytest.approx(exact.pvalue)
    assert stats.wilcoxon(d) == pytest.approx(scipy.stats.wilcoxon(d, method="exact").pvalue)
    many = rng.normal(0.3, 1, 30)
    assert stats.permutation(many) == pytest.approx(
        scipy.stats.ttest_1samp(many, 0).pvalue, abs=0.02
    )


def test_a_diverged_arm_is_told_apart_from_one_that_is_not():
    result = stats.compare_paired([math.inf] * 8, np.linspace(1, 2, 8))
    barnard = scipy.stats.barnard_exact([[8, 0], [0, 8]]).pvalue
    assert result.difference.mean == math.inf and result.p == pytest.approx(2 * barnard, rel=1e-3)


def test_holm_on_a_worked_example():
    assert stats.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_order_and_is_at_most_bonferroni(p):
    adjusted = stats.holm(p)
    order = np.argsort(p, kind="stable")
    assert all(np.diff(np.array(adjusted)[order]) >= 0)
    assert all(
        a >= b and a <= min(1.0, len(p) * b) + 1e-12
        for a, b in zip(adjusted, p, strict=True)
        if b == min(p)
    )
    assert all(b <= a <= 1 for a, b in zip(adjusted, p, strict=True))


def test_nothing_is_called_different_in_aa_data_more_often_than_promised():
    rng = np.random.default_rng(2)
    called = [stats.compare_paired(*rng.normal(size=(2, 5))).p <= 0.05 for _ in range(2000)]
    assert np.mean(called) <= 0.06
