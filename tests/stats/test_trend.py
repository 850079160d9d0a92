"""Trends over ordered levels against SciPy's Page test and all orders by hand."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats

from harness import stats
from harness.stats.trend import _page_p


@pytest.mark.parametrize("blocks, levels", [(4, 3), (5, 4), (6, 5), (4, 8)])
@pytest.mark.parametrize("slope", [0.3, -0.2])
def test_page_s_exact_p_agrees_with_scipy_s(blocks, levels, slope):
    x_LS = np.random.default_rng(levels).normal(size=(levels, blocks))
    x_LS += slope * np.arange(levels)[:, None]
    found = stats.page_trend(x_LS)
    ways = (x_LS.T, -x_LS.T)
    tails = [scipy.stats.page_trend_test(x, method="exact").pvalue for x in ways]
    assert found.p == pytest.approx(min(1.0, 2 * min(tails)))
    assert found.favours == (tails[0] < tails[1])


def test_page_s_own_example():
    # Page (1963): with 3 levels and 12 blocks L ≥ 153 has p ≤ .05 and L ≥ 156 has p ≤ .01, one-sided
    def tail(page):
        ranks = np.tile([1.0, 2.0, 3.0], (12, 1))
        return _page_p(ranks, page) / 2

    assert tail(153) <= 0.05 < tail(152) and tail(156) <= 0.01 < tail(155)


def test_tied_ranks_are_counted_out():
    x_LS = np.array([[1.0, 2.0, 1.0, 1.0], [1.0, 2.0, 3.0, 1.0], [2.0, 2.0, 3.0, 5.0]])
    ranks_SL = scipy.stats.rankdata(x_LS.T, axis=1)
    places = np.arange(1, 4)
    orders = [list(itertools.permutations(row)) for row in ranks_SL]
    every = np.array([np.sum([row @ places for row in rows]) for rows in itertools.product(*map(np.array, orders))])  # fmt: skip
    seen = (ranks_SL @ places).sum()
    assert stats.page_trend(x_LS).p == pytest.approx(2 * (every >= seen).mean())


def test_beyond_forty_blocks_l_is_normal():
    x_LS = np.random.default_rng(8).normal(size=(5, 41)) + 0.1 * np.arange(5)[:, None]
    one_sided = scipy.stats.page_trend_test(x_LS.T, method="asymptotic").pvalue
    assert stats.page_trend(x_LS).p == pytest.approx(2 * one_sided)
    exact = stats.page_trend(x_LS[:, :40]).p
    assert exact == pytest.approx(
        2 * scipy.stats.page_trend_test(x_LS[:, :40].T, method="asymptotic").pvalue, rel=0.05
    )


def test_the_effect_is_the_mean_rank_correlation():
    x_LS = np.random.default_rng(19).normal(size=(4, 6)) + np.arange(4)[:, None]
    rho = [scipy.stats.spearmanr(range(4), row).statistic for row in x_LS.T]
    effect = stats.page_trend(x_LS).effect
    assert effect.mean == pytest.approx(np.mean(rho)) and -1 <= effect.low <= effect.high <= 1
    down = stats.page_trend(x_LS, rising=False)
    assert down.effect == pytest.approx((-effect.mean, -effect.high, -effect.low))
    assert not down.favours and down.p == pytest.approx(stats.page_trend(x_LS).p)


def test_a_trend_holds_its_level():
    rng = np.random.default_rng(20)
    p = [stats.page_trend(rng.normal(size=(5, 4))).p for _ in range(1000)]
    assert 0.02 <= np.mean(np.array(p) <= 0.05) <= 0.05 + 0.014


def test_a_plateau_is_a_trend_and_no_monotone_rise():
    x_LS = np.array([0, 1, 2, 2.0])[:, None] + np.random.default_rng(2).normal(0, 0.3, (4, 8))
    assert stats.page_trend(x_LS).p < 1e-3 < 0.05 < stats.monotone_steps(x_LS).evidence.p


def test_a_method_s_trend_ranks_the_means_of_its_searches():
    x_LKS = np.random.default_rng(21).normal(size=(4, 5, 3))
    method = stats.page_trend(x_LKS, scope="method")
    assert method == stats.page_trend(x_LKS.mean(axis=2))
    assert stats.page_trend(x_LKS) == stats.page_trend(x_LKS.reshape(4, 15))


def test_equal_outcomes_and_infinite_ones():
    flat = stats.page_trend(np.full((3, 5), 0.1))
    assert flat.effect.mean == 0.0 and flat.p == 1.0
    # what rounding tells apart is tied
    assert stats.page_trend(np.array([[0.3], [0.1 + 0.2], [0.3]]) * np.ones(5)).p == 1.0
    up = np.array([1.0, 2.0, math.inf])[:, None] * np.ones(5)
    assert stats.page_trend(up).effect.mean == 1.0
    assert stats.page_trend(up).p == pytest.approx(2 / 6**5)


def test_three_runs_decide_nothing_and_none_are_unknown():
    assert stats.page_trend(np.arange(5.0)[:, None] * np.ones(3)).p == 1.0
    unknown = stats.page_trend(np.full((3, 4), math.nan))
    assert unknown.p == 1.0 and math.isnan(unknown.effect.mean)


def test_two_levels_have_no_trend():
    with pytest.raises(ValueError, match="three levels at least"):
        stats.page_trend(np.zeros((2, 4)))
