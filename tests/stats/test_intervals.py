"""Intervals of means, medians and interquartile means against SciPy."""

import math

import numpy as np
import pytest
import scipy.stats

from harness import stats


def test_another_level_and_two_values():
    x = [1.0, 4.0]
    low, high = scipy.stats.t.interval(0.8, 1, 2.5, np.std(x, ddof=1) / math.sqrt(2))
    assert stats.mean_interval(x, 0.8) == pytest.approx((2.5, low, high))
    assert stats.mean_interval([1.0, math.inf])[1:] == (-math.inf, math.inf)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_centres_of_few_values(n):
    x = np.array([[3.0, 1.0, 2.0, 7.0]])[:, :n]
    centres = stats.summaries(x)
    assert centres["mean"][0, 0] == x.mean() and centres["IQM"][0, 0] == stats.iqm(x)
    # from lowest to highest they would cover the median with 0, 50, 75 and 87.5 %
    assert centres["median"][:, 0].tolist() == [np.median(x), -math.inf, math.inf]
    if n == 1:
        assert all(
            columns[:, 0].tolist() == [3.0, -math.inf, math.inf] for columns in centres.values()
        )
    if n == 2:
        assert tuple(centres["IQM"][:, 0]) == pytest.approx(stats.mean_interval(x[0]))


@pytest.mark.parametrize("level, place", [(0.95, 0), (0.9, 0), (0.7, 1), (0.2, 2)])
def test_the_median_s_interval_is_the_narrowest_that_covers(level, place):
    """Of six values P(B ≤ 0) = 1/64, P(B ≤ 1) = 7/64 and P(B ≤ 2) = 22/64: they cover 97, 78 and 31 %."""
    _, low, high = stats.summaries([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]], level)["median"]
    assert (low[0], high[0]) == (1 + place, 6 - place)


@pytest.mark.parametrize("level, count", [(0.95, 6), (0.9375, 5), (0.75, 3), (0.5, 2), (0.99, 8)])
def test_values_that_cover_the_median_by_their_range(level, count):
    assert stats.fewest_for(level) == count
    assert 1 - 2.0 ** (1 - count) >= level > 1 - 2.0 ** (2 - count)


@pytest.mark.parametrize("n", [3, 4, 5, 6, 9, 14, 20])
def test_all_intervals_hold_their_level_or_are_not_offered(n):
    rng = np.random.default_rng(n)
    draws = {"normal": rng.normal(size=(8000, n)), "lognormal": rng.lognormal(size=(8000, n))}
    # of N(0, 1) the middle half is left, whose exponentials have the mean 2Φ(z − 1)|ᶻ₋ᶻ e^½
    quarter = scipy.stats.norm.ppf(0.75)
    inside = scipy.stats.norm.cdf(quarter - 1) - scipy.stats.norm.cdf(-quarter - 1)
    truths = {
        "normal": {"mean": 0.0, "median": 0.0, "IQM": 0.0},
        "lognormal": {"median": 1.0, "IQM": 2 * inside * math.exp(0.5)},
    }
    for name, truth in truths.items():
        centres = stats.summaries(draws[name])
        for centre, value in truth.items():
            _, low, high = centres[centre]
            # a trimmed mean's t is approximate: it loses 1 % for normal values, 3 for skewed ones
            least = 0.91 if (name, centre) == ("lognormal", "IQM") else 0.93
            assert np.mean((low <= value) & (value <= high)) >= least


def test_interval_equals_scipy_s():
    x = np.random.default_rng(0).normal(3, 2, 9)
    result = stats.mean_interval(x)
    low, high = scipy.stats.t.interval(0.95, 8, x.mean(), x.std(ddof=1) / 3)
    assert result == pytest.approx((x.mean(), low, high))


def test_few_or_infinite_values():
    assert stats.mean_interval([2.0]) == (2.0, -math.inf, math.inf)
    assert all(map(math.isnan, stats.mean_interval([])))
    assert stats.mean_interval([1.0, math.inf]).mean == math.inf


@pytest.mark.parametrize("n", [5, 8, 13])
def test_three_centres_and_their_intervals_are_scipy_s(n):
    x = np.random.default_rng(n).standard_exponential((3, n))
    result = stats.summaries(x)
    for i, row in enumerate(x):
        assert tuple(result["mean"][:, i]) == pytest.approx(stats.mean_interval(row))
        yuen = scipy.stats.ttest_ind(
            row, np.zeros(n), equal_var=False, trim=0.25
        ).confidence_interval()
        assert tuple(result["IQM"][:, i]) == pytest.approx((stats.iqm(row), yuen.low, yuen.high))
        assert result["median"][0, i] == np.median(row)
        if n > 5:
            exact = scipy.stats.quantile_test(row, q=0.0, p=0.5).confidence_interval(0.95)
            assert result["median"][1:, i] == pytest.approx([exact.low, exact.high])


def test_an_interval_of_the_median_covers_it_whatever_the_distribution():
    x = np.random.default_rng(0).standard_exponential((4000, 9))
    _, low, high = stats.summaries(x)["median"]
    assert np.mean((low <= np.log(2)) & (np.log(2) <= high)) == pytest.approx(0.961, abs=0.012)


@pytest.mark.parametrize("count", [3, 5, 10])
def test_interval_covers_the_truth(count):
    rng = np.random.default_rng(count)
    intervals = [stats.mean_interval(rng.normal(1.0, 2.0, count)) for _ in range(2000)]
    assert 0.935 <= np.mean([i.low <= 1.0 <= i.high for i in intervals]) <= 0.965
