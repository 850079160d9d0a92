"""Bootstrap intervals against SciPy's, and how often they cover the truth."""

import math

import numpy as np
import pytest
import scipy.stats

from harness import stats


def test_nothing_to_resample_is_refused():
    with pytest.raises(ValueError, match="at least one value"):
        stats.bootstrap([], rng=np.random.default_rng(0))


@pytest.mark.parametrize("shape", [(1,), (3,), (5,), (1, 4), (3, 8)])
@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_too_few_values_have_no_interval(shape, method):
    """The sample's range is all that resamples can reach, and misses a median with 2 · 2⁻ⁿ."""
    x = np.random.default_rng(0).normal(size=shape)
    interval = stats.bootstrap(x, rng=np.random.default_rng(0), method=method)
    assert interval == (pytest.approx(x.mean()), -math.inf, math.inf)


def test_a_lower_level_asks_for_fewer_values():
    assert math.isfinite(
        stats.bootstrap(np.arange(5.0), rng=np.random.default_rng(0), level=0.9).low
    )
    assert stats.bootstrap(np.arange(4.0), rng=np.random.default_rng(0), level=0.9).low == -math.inf


@pytest.mark.parametrize("n", [3, 5, 6, 12, 20])
@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_what_is_offered_from_three_to_twenty_values_covers(n, method):
    """Medians of normal and lognormal values, and means of normal ones."""
    rng, runs = np.random.default_rng(n), 200 if n > 5 else 3
    normal, skewed = rng.normal(size=(runs, n)), rng.lognormal(size=(runs, n))
    for x, statistic, truth in (
        (normal, stats.mean, 0.0),
        (normal, stats.median, 0.0),
        (skewed, stats.median, 1.0),
    ):
        intervals = [
            stats.bootstrap(row, statistic, rng=rng, method=method, resamples=200) for row in x
        ]
        # 200 resamples for speed; three standard errors of the count below 93 %
        assert np.mean([i.low <= truth <= i.high for i in intervals]) >= 0.93 - 0.054


def test_same_values_have_no_width_whatever_the_method():
    for method in ("percentile", "bca"):
        same = stats.bootstrap([2.0] * 6, rng=np.random.default_rng(0), method=method)
        assert same == (2.0, 2.0, 2.0)


def test_a_higher_level_is_wider_and_more_resamples_are_other_ones():
    x = np.random.default_rng(1).normal(size=15)

    def width(**options):
        interval = stats.bootstrap(x, rng=np.random.default_rng(2), **options)
        return interval.high - interval.low

    assert width(level=0.5) < width(level=0.8) < width() == width(level=0.95, resamples=2000)
    assert width(resamples=500) != width()


def test_bca_of_a_skewed_statistic_by_hand():
    """z₀ and a worked out here from the resamples of the same generator."""
    x = np.random.default_rng(3).exponential(size=12)
    rng = np.random.default_rng(4)
    draws = np.array([np.var(x[rng.integers(0, 12, 12)]) for _ in range(2000)])
    bias = scipy.stats.norm.ppf(np.mean(draws < np.var(x)))
    d = np.array([np.var(np.delete(x, i)) for i in range(12)])
    d = d.mean() - d
    a = (d**3).sum() / (6 * (d**2).sum() ** 1.5)
    z = math.sqrt(12 / 11) * scipy.stats.t.ppf([0.025, 0.975], 11)
    ends = scipy.stats.norm.cdf(bias + (bias + z) / (1 - a * (bias + z)))
    interval = stats.bootstrap(x, np.var, rng=np.random.default_rng(4))
    assert interval[1:] == pytest.approx(tuple(np.quantile(draws, ends)), rel=1e-9)


def test_resamples_equal_to_the_statistic_count_half():
    x = [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]
    rng = np.random.default_rng(5)
    draws = np.array([np.median(np.take(x, rng.integers(0, 8, 8))) for _ in range(2000)])
    below = np.mean(draws < 0) + np.mean(draws == 0) / 2
    bias = scipy.stats.norm.ppf(below)
    z = math.sqrt(8 / 7) * scipy.stats.t.ppf([0.025, 0.975], 7)
    # the jackknife's medians are all 0, so that a = 0
    ends = np.quantile(draws, scipy.stats.norm.cdf(2 * bias + z))
    assert stats.bootstrap(x, stats.median, rng=np.random.default_rng(5))[1:] == pytest.approx(
        tuple(ends)
    )


@pytest.mark.parametrize("method, name", [("percentile", "percentile"), ("bca", "BCa")])
def test_bootstrap_agrees_with_scipy_s(method, name):
    x = np.random.default_rng(0).gamma(2.0, size=40)
    ours = stats.bootstrap(x, rng=np.random.default_rng(1), method=method, resamples=8000)
    hesterberg = 1 - 2 * scipy.stats.norm.sf(np.sqrt(40 / 39) * scipy.stats.t.ppf(0.975, 39))
    theirs = scipy.stats.bootstrap(
        (x,), np.mean, method=name, n_resamples=8000, rng=2, confidence_level=hesterberg
    )
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval), abs=0.05)


def test_bootstrap_is_named_by_its_generator():
    x = np.random.default_rng(0).normal(size=12)
    same = [stats.bootstrap(x, rng=np.random.default_rng(5)) for _ in range(2)]
    assert same[0] == same[1] != stats.bootstrap(x, rng=np.random.default_rng(6))


def test_stratified_bootstrap_keeps_the_tasks_apart():
    tasks = np.array([[0.0, 100.0]] * 6)
    assert stats.bootstrap(tasks, stats.iqm, rng=np.random.default_rng(0)) == (50.0, 50.0, 50.0)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_statistic_beyond_all_of_its_resamples_has_the_percentile_interval(sign):
    """Twenty values that differ: no resample has as many different ones, so z₀ would be infinite."""

    def different(values):
        return sign * float(len(np.unique(values)))

    x = np.arange(20.0)
    bca, percentile = (
        stats.bootstrap(x, different, rng=np.random.default_rng(0), method=method)
        for method in ("bca", "percentile")
    )
    assert bca == percentile and bca.low < bca.high
