"""Trends over ordered levels against SciPy's Page test."""

import numpy as np
import pytest
import scipy.stats

from harness import stats


def test_kendall_s_tau_is_the_mean_over_seeds_with_its_interval():
    x = np.random.default_rng(19).normal(size=(6, 4)) + np.arange(4)
    taus = [scipy.stats.kendalltau(range(4), row).statistic for row in x]
    assert stats.monotone_trend(x).tau == pytest.approx(stats.mean_interval(taus))


def test_equal_outcomes_show_no_trend():
    trend = stats.monotone_trend(np.ones((4, 3)))
    assert trend.tau.mean == 0.0 and trend.p == 1.0 and trend.reversal is None


def test_a_falling_trend_is_turned_by_a_rise():
    x = np.random.default_rng(20).normal(0, 0.1, (10, 4)) - np.array([0, 2, 1, 3])
    trend = stats.monotone_trend(x)
    steps = [stats.compare_paired(x[:, j + 1], x[:, j]).p for j in range(3)]
    assert trend.tau.mean < 0 and trend.reversal == (1, stats.holm(steps)[1])


def test_of_two_reversals_the_surer_is_named():
    x = np.random.default_rng(21).normal(0, 0.1, (10, 6)) + np.array([0, 2, 1.9, 4, 3, 6])
    assert stats.monotone_trend(x).reversal[0] == 3


@pytest.mark.parametrize("shape", [(4,), (4, 2), (2, 3, 3)])
def test_fewer_than_three_levels_are_refused(shape):
    with pytest.raises(ValueError, match="three levels at least"):
        stats.monotone_trend(np.zeros(shape))


def test_three_levels_are_enough():
    assert stats.monotone_trend(np.random.default_rng(22).normal(size=(3, 3))).p <= 1


def test_page_s_trend_agrees_with_scipy_s():
    x = np.random.default_rng(8).normal(size=(12, 5)) + 0.3 * np.arange(5)
    one_sided = scipy.stats.page_trend_test(x, method="asymptotic").pvalue
    assert stats.monotone_trend(x).p == pytest.approx(2 * one_sided)


def test_trend_names_the_step_that_turns():
    x = np.random.default_rng(9).normal(0, 0.1, (10, 4)) + np.array([0, 2, 1, 3])
    assert stats.monotone_trend(x).reversal[0] == 1 and stats.monotone_trend(x).reversal[1] < 1e-3
