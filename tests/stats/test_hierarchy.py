"""The mean of runs in searches, against SciPy, by hand, and by all that can happen."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats

from harness import stats


def drawn(searches, seeds, ratio, seed, mean=0.0):
    """Return values (searches, seeds) of a model with σ²_seed = 1 and σ²_search = ratio."""
    rng = np.random.default_rng(seed)
    own = math.sqrt(ratio) * rng.normal(size=(searches, 1))
    return mean + own + rng.normal(size=(searches, seeds))


def student(mean, error, degrees, bound=0.0, level=0.95):
    """Return Student's interval and p."""
    half = scipy.stats.t.ppf(0.5 + level / 2, degrees) * error
    p = 2 * scipy.stats.t.sf(abs(mean - bound) / error, degrees)
    return (mean, mean - half, mean + half), p


@pytest.mark.parametrize("bound, level", [(0.0, 0.95), (0.3, 0.8)])
def test_of_a_method_the_search_means_are_tested(bound, level):
    x = drawn(6, 4, 2.0, seed=1, mean=0.5)
    test = stats.mean_test(x, scope="method", bound=bound, level=level)
    theirs = scipy.stats.ttest_1samp(x.mean(axis=1), bound)
    assert test.p == pytest.approx(theirs.pvalue)
    assert test.degrees == 5
    assert test.size == pytest.approx(theirs.statistic / math.sqrt(6))
    low, high = theirs.confidence_interval(level)
    assert test.interval == pytest.approx((x.mean(), low, high))


def test_a_method_with_as_many_runs_in_each_search_needs_no_fit_whichever_are_missing():
    x = drawn(5, 4, 1.0, seed=2)
    x[np.arange(5), [0, 3, 1, 2, 2]] = np.nan
    test = stats.mean_test(x, scope="method", bound=0.1)
    theirs = scipy.stats.ttest_1samp(np.nanmean(x, axis=1), 0.1)
    assert test.p == pytest.approx(theirs.pvalue) and test.degrees == 4


def test_a_method_with_missing_runs_is_tested_by_the_mixed_model():
    x = drawn(5, 4, 1.0, seed=3, mean=1.0)
    x[0, 1:] = x[3, 2:] = np.nan
    fit = stats.fit_reml([row[np.isfinite(row)] for row in x])
    test = stats.mean_test(x, scope="method", bound=0.2)
    interval, p = student(fit.mean, math.sqrt(fit.variance), fit.degrees, bound=0.2)
    assert test.interval == pytest.approx(interval) and test.p == pytest.approx(p)
    assert fit.searches > 0 and test.interval.mean != pytest.approx(np.nanmean(x), abs=1e-3)


def test_of_the_winner_of_one_search_the_runs_are_tested():
    x = drawn(1, 7, 0.0, seed=4, mean=0.4)[0]
    test = stats.mean_test(x, bound=0.1, level=0.9)
    theirs = scipy.stats.ttest_1samp(x, 0.1)
    assert test.p == pytest.approx(theirs.pvalue) and test.degrees == 6
    assert test.size == pytest.approx(theirs.statistic / math.sqrt(7))
    assert test.interval == pytest.approx((x.mean(), *theirs.confidence_interval(0.9)))
    assert stats.mean_test([x], bound=0.1, level=0.9) == test


@pytest.mark.parametrize("missing", [(), ((0, 0),), ((0, 0), (0, 1), (2, 3))])
def test_of_several_winners_the_variance_within_searches_is_pooled(missing):
    x = drawn(3, 4, 9.0, seed=5, mean=1.0)
    for place in missing:
        x[place] = np.nan
    groups = [row[np.isfinite(row)] for row in x]
    degrees = sum(len(group) - 1 for group in groups)
    pooled = sum((len(group) - 1) * group.var(ddof=1) for group in groups) / degrees
    mean = sum(group.mean() for group in groups) / 3
    error = math.sqrt(pooled * sum(1 / len(group) for group in groups)) / 3
    test = stats.mean_test(x, scope="winner", bound=0.2)
    interval, p = student(mean, error, degrees, bound=0.2)
    assert test.interval == pytest.approx(interval)
    assert test.p == pytest.approx(p) and test.degrees == degrees
    assert test.size == pytest.approx((mean - 0.2) / error / math.sqrt(degrees + 3))


def test_a_search_without_any_run_says_nothing():
    x = drawn(4, 3, 1.0, seed=6)
    more = np.vstack([x, np.full((1, 3), np.nan)])
    for scope in ("method", "winner"):
        assert stats.mean_test(more, scope=scope) == stats.mean_test(x, scope=scope)
    nothing = stats.mean_test(np.full((2, 3), np.nan))
    assert math.isnan(nothing.interval.mean) and nothing.p == 1.0 and nothing.degrees == 0


@pytest.mark.parametrize("scope", ["method", "winner"])
@pytest.mark.parametrize("values", [[1.0], [1.0, 1.0], [1.0, 1.01, 0.99], [[1.0, 1.0, 1.1]]])
def test_fewer_than_four_runs_decide_nothing(values, scope):
    assert stats.mean_test(values, scope=scope).p == 1.0


def test_three_runs_of_three_searches_decide_nothing_and_four_of_four_do():
    means = [1.0, 1.01, 0.99, 1.0]
    assert stats.mean_test(np.c_[means[:3]], scope="method").p == 1.0
    theirs = scipy.stats.ttest_1samp(means, 0).pvalue
    assert stats.mean_test(np.c_[means], scope="method").p == pytest.approx(theirs)


@pytest.mark.parametrize("runs", [4, 5, 8, 60])
@pytest.mark.parametrize("value", [1.0, -0.005, 1e-30])
def test_values_without_spread_have_the_p_of_their_signs(runs, value):
    """Zero spread gave p = 0."""
    test = stats.mean_test([value] * runs)
    assert test.p == 2 / 2**runs and test.p > 0
    assert test.size == math.copysign(math.inf, value)
    # a method repeats searches, however many seeds each of them has
    assert stats.mean_test([[value] * 3] * runs, scope="method").p == 2 / 2**runs


def test_a_spread_of_rounding_is_none():
    third = [0.1 + 0.2, 0.3, 0.3, 0.1 * 3]
    assert 0 < np.std(third) < 1e-15
    assert stats.mean_test(third).p == 2 / 2**4
    assert stats.mean_test(third, bound=0.3).p == 1.0 and stats.mean_test([0.0] * 9).p == 1.0
    assert stats.mean_test(third, bound=0.3).size == 0.0


def test_the_spread_is_at_least_that_of_rounded_values():
    """se² ≥ r²/(6n): the variance of the difference of two values, each rounded to steps of r."""
    step, runs = 0.005, 5
    test = stats.mean_test([step] * runs, resolution=step)
    interval, p = student(step, step / math.sqrt(6 * runs), runs - 1)
    assert test.interval == pytest.approx(interval) and test.p == pytest.approx(p)
    wide = drawn(1, 5, 0.0, seed=7)
    assert stats.mean_test(wide, resolution=step) == stats.mean_test(wide)
    five = stats.mean_test([[step] * 3] * 5, scope="method", resolution=step)
    _, p = student(step, step / math.sqrt(6 * 15), 4)
    assert five.p == pytest.approx(p)


def test_the_difference_of_two_rounded_values_has_that_variance():
    rng = np.random.default_rng(8)
    a, b = rng.normal(size=(2, 200_000))
    d = a - b
    rounded = np.round(a, 1) - np.round(b, 1)
    assert np.var(rounded - d) == pytest.approx(0.1**2 / 6, rel=0.01)


@pytest.mark.parametrize("scope", ["method", "winner"])
def test_two_seeds_one_test_sample_apart_decide_nothing(scope):
    """They were "supported", with p = 0."""
    test = stats.mean_test([0.005, 0.005], scope=scope, resolution=0.005)
    assert test.p == 1.0


def level_of(samples, share, runs, levels):
    """Return how often a test of two equal arms has p ≤ level, summed over all that can happen.

    Args:
        samples: in the test data; an accuracy has steps of 1/samples.
        share: of them that an arm gets right on average.
        runs: of each arm.
        levels: of the test.
    """
    right = scipy.stats.binom.pmf(np.arange(samples + 1), samples, share)
    of_difference = np.convolve(right, right[::-1])  # of −samples … samples
    total = np.zeros(len(levels))
    for drawn_ in itertools.combinations_with_replacement(range(2 * samples + 1), runs):
        counts = np.bincount(drawn_, minlength=2 * samples + 1)
        ways = math.factorial(runs) / math.prod(math.factorial(n) for n in counts.tolist())
        values = (np.array(drawn_) - samples) / samples
        p = stats.mean_test(values, resolution=1 / samples).p
        total += ways * np.prod(of_difference**counts) * (p <= np.array(levels))
    return total


@pytest.mark.parametrize("runs", [4, 5])
@pytest.mark.parametrize("samples, share", [(1, 0.5), (2, 0.5), (4, 0.5), (3, 0.9)])
def test_equal_arms_with_a_discrete_metric_are_rarely_told_apart(samples, share, runs):
    """12 % were, with two seeds, and of families of five 14.5 % with three."""
    alone, in_family = level_of(samples, share, runs, (0.05, 0.01))
    assert alone <= 0.05 and 1 - (1 - in_family) ** 5 <= 0.05
    if samples == 4 and runs == 5:
        # the floor takes no more than it must: with finer steps the test decides, near its level
        assert alone > 0.04 and 1 - (1 - in_family) ** 5 > 0.04


@pytest.mark.parametrize("runs", [2, 3])
def test_two_or_three_runs_are_never_told_apart(runs):
    assert level_of(2, 0.5, runs, (0.05, 0.9)).tolist() == [0, 0]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("scope", ["method", "winner"])
def test_an_infinite_value_leaves_a_mean_that_nothing_bounds(sign, scope):
    test = stats.mean_test([[1.0, 2.0, sign * math.inf], [1.0, 1.1, 1.2]], scope=scope)
    assert test.interval == (sign * math.inf, -math.inf, math.inf) and test.p == 1.0
    assert test.degrees == 0 and math.isnan(test.size)


def test_both_infinities_leave_no_mean():
    test = stats.mean_test([1.0, math.inf, -math.inf, 2.0])
    assert math.isnan(test.interval.mean) and test.interval.low == -math.inf and test.p == 1.0


def test_one_search_says_nothing_about_a_method():
    test = stats.mean_test([1.0, 1.1, 0.9, 1.0, 1.05], scope="method")
    assert test.interval == (pytest.approx(1.01), -math.inf, math.inf) and test.p == 1.0
    assert test.degrees == 0 and math.isnan(test.size)
    one_run_each = stats.mean_test(np.c_[[1.0, 1.1, 0.9, 1.0]], scope="winner")
    assert one_run_each.p == 1.0 and math.isinf(one_run_each.interval.high)


def test_values_have_two_axes_at_most():
    with pytest.raises(ValueError, match=r"\(searches, seeds\).*got shape \(1, 2, 3\)"):
        stats.mean_test(np.zeros((1, 2, 3)))


@pytest.mark.parametrize("ratio", [0.25, 4.0])
def test_intervals_of_methods_cover_the_truth_and_those_of_winners_do_not(ratio):
    """Intervals over the seeds of one frozen winner covered the method's effect in .65 to .93."""
    covered = {"method": 0, "winner": 0}
    for seed in range(2000):
        x = drawn(5, 4, ratio, seed=(9, seed), mean=3.0)
        for scope in covered:
            _, low, high = stats.mean_test(x, scope=scope).interval
            covered[scope] += low <= 3.0 <= high
    assert 0.935 <= covered["method"] / 2000 <= 0.965
    assert covered["winner"] / 2000 < 0.9
    # what the interval leaves out of the variance makes its quantile too small by √(1 + S·ratio)
    narrow = scipy.stats.t.ppf(0.975, 15) / math.sqrt(1 + 4 * ratio)
    expected = 2 * scipy.stats.norm.cdf(narrow) - 1
    assert covered["winner"] / 2000 == pytest.approx(expected, abs=0.05)


def test_intervals_of_methods_with_missing_runs_cover_too():
    covered = 0
    for seed in range(400):
        x = drawn(6, 4, 1.0, seed=(10, seed), mean=3.0)
        x[0, 1:] = x[1, 2:] = np.nan
        _, low, high = stats.mean_test(x, scope="method").interval
        covered += low <= 3.0 <= high
    assert 0.92 <= covered / 400 <= 0.98
