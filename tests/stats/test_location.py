"""The sign test against scipy's, and against distributions on which a t-test fails."""

import numpy as np
import pytest
from scipy.stats import binomtest

from harness import stats


@pytest.mark.parametrize("above, n", [(6, 6), (9, 10), (3, 12), (5, 5), (4, 8)])
def test_p_is_the_exact_binomial_one(above, n):
    values = [1.0] * above + [-1.0] * (n - above)
    evidence = stats.located(values, 0.0)
    assert evidence.p == pytest.approx(binomtest(above, n).pvalue)
    assert evidence.favours == (above > n - above)


def test_five_values_on_one_side_decide_nothing_and_six_do():
    assert stats.located(np.ones(5), 0.0).p == pytest.approx(0.0625)
    assert stats.located(np.ones(6), 0.0).p == pytest.approx(0.03125)


def test_values_on_the_bound_count_for_neither_side():
    assert stats.located([0.0] * 8, 0.0).p == 1.0
    on = stats.located([0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], 0.0)
    assert on.p == pytest.approx(2 * 8 / 2**7)  # P(B ≥ 6) of 7


def test_a_method_counts_searches_by_the_median_of_their_runs():
    values_KS = np.array([[1.0, 2.0, np.inf]] * 6)
    method = stats.located(values_KS, 1.5, scope="method")
    winner = stats.located(values_KS, 1.5, scope="winner")
    assert method.p == pytest.approx(2 / 2**6) and method.effect.mean == 2.0
    assert winner.p == pytest.approx(binomtest(12, 18).pvalue)


def test_its_level_holds_for_the_skew_that_a_t_test_fails_on():
    """One search in ten is far off: the middle is that of the others."""
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(4000, 8)) + np.where(rng.random((4000, 8)) < 0.1, 50.0, 0.0)
    many = rng.normal(size=200_001) + np.where(rng.random(200_001) < 0.1, 50.0, 0.0)
    middle = float(np.median(many))
    wrong = np.mean([stats.located(x, middle).p <= 0.05 for x in draws])
    by_mean = np.mean([stats.mean_test(x, bound=5.0).p <= 0.05 for x in draws])
    assert wrong <= 0.05 < by_mean


def test_missing_and_infinite_values():
    assert np.isnan(stats.located([np.nan, np.nan], 0.0).effect.mean)
    assert stats.located([-np.inf] * 6, 0.0).effect.mean == -np.inf
    assert stats.located([np.nan] + [1.0] * 6, 0.0).p == pytest.approx(2 / 2**6)
    assert stats.repeated([[1.0, np.nan], [np.nan, np.nan]], "method").tolist() == [1.0]
