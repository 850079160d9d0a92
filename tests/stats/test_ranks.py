"""Friedman's test, Nemenyi's critical difference and its groups, against Demšar 2006 and SciPy."""

import math

import numpy as np
import pytest
import scipy.stats

from harness import stats
from harness.stats.ranks import ranks_of


def test_friedman_by_hand_with_ties():
    scores = np.array([[1.0, 2.0, 2.0], [1.0, 3.0, 2.0], [2.0, 1.0, 3.0], [1.0, 1.0, 2.0]])
    test = stats.friedman(scores)
    theirs = scipy.stats.friedmanchisquare(*scores.T)
    assert (test.chi2, test.p_chi2) == pytest.approx((theirs.statistic, theirs.pvalue))
    f = 3 * test.chi2 / (4 * 2 - test.chi2)
    assert (test.f, test.p) == pytest.approx((f, scipy.stats.f.sf(f, 2, 6)))


def test_friedman_where_all_agree_or_all_is_tied():
    assert stats.friedman([[1.0, 2.0], [1.0, 2.0]])[2:] == (math.inf, 0.0)
    assert stats.friedman([[1.0, 1.0], [2.0, 2.0]])[::2] == (0.0, 0.0)
    assert stats.friedman([[1.0, 1.0], [2.0, 2.0]])[1::2] == (1.0, 1.0)


@pytest.mark.parametrize("scores", [[1.0, 2.0], [[1.0, 2.0]], [[1.0], [2.0]]])
def test_friedman_wants_two_blocks_and_two_competitors(scores):
    with pytest.raises(ValueError, match="two of each at least"):
        stats.friedman(scores)


def test_smaller_scores_are_better_unless_told():
    assert stats.average_ranks([[0.1, 0.2], [0.1, 0.2]]).tolist() == [1, 2]
    assert stats.average_ranks([[0.1, 0.2], [0.1, 0.2]], maximize=True).tolist() == [2, 1]


def test_cliques_reach_as_far_as_the_distance_itself():
    assert stats.cliques([3.0, 1.0, 2.0], 1.0) == [(1, 2), (2, 0)]
    assert stats.cliques([1.0, 3.0], 1.0) == []


@pytest.mark.parametrize(
    "k, q", list(enumerate([1.960, 2.344, 2.569, 2.728, 2.850, 2.948, 3.031, 3.102, 3.164], 2))
)
def test_nemenyi_s_q_as_in_demsar(k, q):
    assert stats.nemenyi_q(k) == pytest.approx(q, abs=1.1e-3)


def test_critical_difference_as_in_demsar():
    assert stats.critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)
    assert stats.critical_difference(4, 14, 0.10) == pytest.approx(1.12, abs=0.005)


def test_friedman_on_demsar_s_table_6():
    c45 = [
        0.763,
        0.599,
        0.954,
        0.628,
        0.882,
        0.936,
        0.661,
        0.583,
        0.775,
        1.000,
        0.940,
        0.619,
        0.972,
        0.957,
    ]
    c45m = [
        0.768,
        0.591,
        0.971,
        0.661,
        0.888,
        0.931,
        0.668,
        0.583,
        0.838,
        1.000,
        0.962,
        0.666,
        0.981,
        0.978,
    ]
    cf = [
        0.771,
        0.590,
        0.968,
        0.654,
        0.886,
        0.916,
        0.609,
        0.563,
        0.866,
        1.000,
        0.965,
        0.614,
        0.9751,
        0.946,
    ]
    both = [
        0.798,
        0.569,
        0.967,
        0.657,
        0.898,
        0.931,
        0.685,
        0.625,
        0.875,
        1.000,
        0.962,
        0.669,
        0.975,
        0.970,
    ]
    scores = np.array([c45, c45m, cf, both]).T
    assert stats.average_ranks(scores, maximize=True) == pytest.approx(
        [3.143, 2.000, 2.893, 1.964], abs=1e-3
    )
    result = stats.friedman(-scores)
    assert result.chi2 == pytest.approx(scipy.stats.friedmanchisquare(*scores.T).statistic)
    assert result.p < 0.05
    ranks = [3.143, 2.000, 2.893, 1.964]
    assert stats.cliques(ranks, stats.critical_difference(4, 14)) == [(3, 1, 2, 0)]
    assert stats.cliques(ranks, stats.critical_difference(4, 14, 0.10)) == [(3, 1, 2), (2, 0)]


@pytest.mark.parametrize("shape", [(9,), (4, 6)])
def test_places_are_those_of_scipy(shape):
    x = np.random.default_rng(0).integers(5, size=shape).astype(float)
    x.flat[0] = np.inf
    np.testing.assert_array_equal(ranks_of(x), scipy.stats.rankdata(x, axis=-1))
