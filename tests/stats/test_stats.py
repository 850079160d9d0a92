"""Statistics against SciPy and closed forms."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import stats


def test_interval_equals_scipy_s():
    x = np.random.default_rng(0).normal(3, 2, 9)
    found = stats.mean_interval(x)
    low, high = scipy.stats.t.interval(0.95, 8, x.mean(), x.std(ddof=1) / 3)
    assert found == pytest.approx((x.mean(), low, high))


@pytest.mark.parametrize("count", [3, 5, 10])
def test_interval_covers_the_truth(count):
    rng = np.random.default_rng(count)
    intervals = [stats.mean_interval(rng.normal(1.0, 2.0, count)) for _ in range(2000)]
    assert 0.935 <= np.mean([i.low <= 1.0 <= i.high for i in intervals]) <= 0.965


def test_few_or_infinite_values():
    assert stats.mean_interval([2.0]) == (2.0, -math.inf, math.inf)
    assert all(map(math.isnan, stats.mean_interval([])))
    assert stats.mean_interval([1.0, math.inf]).mean == math.inf


def test_paired_comparison_equals_scipy_s():
    rng = np.random.default_rng(1)
    a, b = rng.normal(0, 1, 8), rng.normal(0.5, 1, 8)
    assert stats.compare_paired(a, b).p == pytest.approx(scipy.stats.ttest_rel(a, b).pvalue)


def test_nothing_is_called_different_in_aa_data_more_often_than_promised():
    rng = np.random.default_rng(2)
    called = [stats.compare_paired(*rng.normal(size=(2, 5))).p <= 0.05 for _ in range(2000)]
    assert np.mean(called) <= 0.06


def test_paired_edge_cases():
    assert stats.compare_paired([1, 1], [1, 1]).p == 1.0
    assert stats.compare_paired([2, 2, 2], [1, 1, 1]).p == 0.0
    assert stats.compare_paired([1.0], [2.0]).p == 1.0
    assert stats.compare_paired([math.inf, 1.0], [1.0, 1.0]).p == 1.0
    assert stats.compare_paired(
        [math.inf, 1.0, 2.0], [math.inf, 3.0, 5.0]
    ).difference.mean == pytest.approx(-5 / 3)
    with pytest.raises(ValueError, match="paired by seed, got 1 and 2"):
        stats.compare_paired([1], [1, 2])


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


def test_holm_on_a_worked_example():
    assert stats.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_first_reach_and_censoring():
    assert stats.first_reach([0, 1, 2], [3.0, 1.0, 0.5], 1.0, False) == (1.0, False)
    missed = stats.first_reach([0, 1, 2], [0.1, 0.2, 0.3], 0.9, True)
    assert missed.censored and stats.restricted([missed, stats.Reached(0.5, False)], 2.0) == [
        2.0,
        0.5,
    ]


@pytest.mark.parametrize(
    "mean, p, verdict",
    [
        (0.3, 0.01, "supported"),
        (-0.3, 0.01, "refuted"),
        (0.3, 0.2, "undecided"),
        (0.3, math.nan, "undecided"),
    ],
)
def test_verdicts(mean, p, verdict):
    evidence = stats.Evidence(stats.Interval(mean, mean - 1, mean + 1), p, mean > 0)
    assert stats.judge(evidence, p).verdict == verdict


@pytest.mark.parametrize("n", [5, 8, 13])
def test_three_centres_and_their_intervals_are_scipy_s(n):
    x = np.random.default_rng(n).standard_exponential((3, n))
    found = stats.summaries(x)
    for i, row in enumerate(x):
        assert tuple(found["mean"][:, i]) == pytest.approx(stats.mean_interval(row))
        yuen = scipy.stats.ttest_ind(
            row, np.zeros(n), equal_var=False, trim=0.25
        ).confidence_interval()
        assert tuple(found["IQM"][:, i]) == pytest.approx((stats.iqm(row), yuen.low, yuen.high))
        assert found["median"][0, i] == np.median(row)
        if n > 5:
            exact = scipy.stats.quantile_test(row, q=0.0, p=0.5).confidence_interval(0.95)
            assert found["median"][1:, i] == pytest.approx([exact.low, exact.high])


def test_an_interval_of_the_median_covers_it_whatever_the_distribution():
    x = np.random.default_rng(0).standard_exponential((4000, 9))
    _, low, high = stats.summaries(x)["median"]
    assert np.mean((low <= np.log(2)) & (np.log(2) <= high)) == pytest.approx(0.961, abs=0.012)
