"""How much of a spread the search has, against published numbers, matrices and simulation."""

import math

import numpy as np
import pytest
import scipy.stats

from harness import stats

TARGETS_BY_JUDGES = [
    [9, 2, 5, 8],
    [6, 1, 3, 2],
    [8, 4, 6, 8],
    [7, 1, 2, 6],
    [10, 5, 6, 9],
    [6, 2, 4, 7],
]
"""Shrout & Fleiss 1979, table 2: six targets rated by four judges."""


def drawn(searches, seeds, ratio, seed, mean=0.0):
    """Return values (searches, seeds) of a model with σ²_seed = 1 and σ²_search = ratio."""
    rng = np.random.default_rng(seed)
    own = math.sqrt(ratio) * rng.normal(size=(searches, 1))
    return mean + own + rng.normal(size=(searches, seeds))


def test_the_share_of_shrout_and_fleiss():
    """Published: mean squares 11.24 and 6.26, ICC(1,1) = .17, F = 1.79 with 5 and 18 degrees."""
    spread = stats.spread_of(TARGETS_BY_JUDGES)
    assert spread.seeds == pytest.approx(6.26, abs=0.005)
    assert spread.searches == pytest.approx((11.24 - 6.26) / 4, abs=0.005)
    assert spread.share.mean == pytest.approx(0.17, abs=0.005)
    # Shrout & Fleiss's F_L = F/F.975(5, 18) and F_U = F·F.975(18, 5), to ICC = (F − 1)/(F + 3)
    f = scipy.stats.f_oneway(*TARGETS_BY_JUDGES).statistic
    assert f == pytest.approx(1.79, abs=0.005)
    lower = f / scipy.stats.f.ppf(0.975, 5, 18)
    upper = f * scipy.stats.f.ppf(0.975, 18, 5)
    assert (lower - 1) / (lower + 3) < 0 and spread.share.low == 0.0
    assert spread.share.high == pytest.approx((upper - 1) / (upper + 3))
    assert spread.share.high == pytest.approx(0.72, abs=0.005)


@pytest.mark.parametrize("level", [0.95, 0.8])
def test_a_share_well_above_zero_has_both_ends(level):
    x = drawn(8, 5, 4.0, seed=11)
    spread = stats.spread_of(x, level)
    within = x.var(axis=1, ddof=1).mean()
    between = 5 * x.mean(axis=1).var(ddof=1)
    assert spread.seeds == pytest.approx(within)
    assert spread.searches == pytest.approx((between - within) / 5)
    f = between / within
    ends = [f / scipy.stats.f.ppf(q, 7, 32) for q in (0.5 + level / 2, 0.5 - level / 2)]
    shares = [(f - 1) / (f + 4), *((end - 1) / (end + 4) for end in ends)]
    assert spread.share == pytest.approx(shares) and spread.share.low > 0.2


def test_of_unequal_searches_the_mean_squares_have_the_expectations_they_are_used_with():
    """E MS_between = σ²_seed + n₀σ²_search, and the estimates follow, by matrices in float64."""
    x = drawn(4, 5, 0.0, seed=12) + 2 * np.arange(4)[:, None]
    x[0, 1:] = x[2, 3:] = np.nan
    group, _ = np.nonzero(np.isfinite(x))
    y = x[np.isfinite(x)]
    z = np.eye(4)[group]
    one = np.full((len(y), len(y)), 1 / len(y))
    own = z @ np.linalg.inv(z.T @ z) @ z.T
    between, within = (own - one) / 3, (np.eye(len(y)) - own) / (len(y) - 4)
    each = np.trace(between @ z @ z.T)
    spread = stats.spread_of(x)
    assert spread.seeds == pytest.approx(y @ within @ y)
    assert spread.searches == pytest.approx(max(0, y @ (between - within) @ y / each))
    ratio = (y @ between @ y) / (y @ within @ y)
    assert spread.share.mean == pytest.approx((ratio - 1) / (ratio + each - 1))
    assert spread.share.mean > 0 and each < 13 / 4


def test_the_share_of_its_interval_covers_the_truth():
    covered = 0
    for seed in range(1000):
        share = stats.spread_of(drawn(5, 4, 1.0, seed=(13, seed))).share
        covered += share.low <= 0.5 <= share.high
    assert 0.93 <= covered / 1000 <= 0.97


def test_searches_that_differ_less_than_seeds_do_have_no_share():
    spread = stats.spread_of([[0.0, 1.0, 2.0], [2.1, 0.1, 1.0], [1.0, 0.0, 1.9]])
    assert spread.searches == 0.0 and spread.share.mean == 0.0 and spread.share.low == 0.0
    assert spread.seeds == pytest.approx(np.mean([1.0, 1.00333333, 0.90333333]))


def test_no_spread_within_searches():
    assert stats.spread_of([[1.0, 1.0], [2.0, 2.0]]).share == (1.0, 1.0, 1.0)
    assert stats.spread_of([[1.0, 1.0], [1.0, 1.0]]).share == (0.0, 0.0, 1.0)


@pytest.mark.parametrize("values", [[1.0, 2.0, 3.0], [[1.0], [2.0], [3.0]], [[math.nan] * 3] * 3])
def test_what_cannot_tell_search_from_seed_has_no_spread(values):
    assert stats.spread_of(values) is None


def test_values_that_are_not_finite_have_no_part_in_the_spread():
    x = drawn(4, 4, 1.0, seed=14)
    x[1, 2] = np.nan
    y = x.copy()
    y[1, 2] = -np.inf
    assert stats.spread_of(y) == stats.spread_of(x)
