"""Factorial effects against regressions and t-tests."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats

from harness import stats


def test_sums_of_squares_add_up_to_the_total():
    x = np.random.default_rng(17).normal(size=(3, 2, 4))
    sets = [axes for size in (1, 2, 3) for axes in itertools.combinations(range(3), size)]
    total = sum(stats.factorial.sum_of_squares(x, axes) for axes in sets)
    assert total == pytest.approx(((x - x.mean()) ** 2).sum())


def test_effects_are_listed_by_size_up_to_the_order_asked_for():
    x = np.random.default_rng(18).normal(size=(2, 2, 2, 3))
    names = [e.factors for e in stats.factorial_effects(x, "abc")]
    assert names == [("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("b", "c"), ("a", "b", "c")]
    assert [e.factors for e in stats.factorial_effects(x, "abc", order=2)] == names[:-1]
    assert stats.factorial_effects(x, "abc")[-1].df == (1, 2)


def test_outcomes_without_noise_or_without_any_difference():
    clear = stats.factorial_effects([[1.0, 1.0], [2.0, 2.0]], ["a"])[0]
    assert (clear.share, clear.f, clear.p) == (1.0, math.inf, 0.0)
    flat = stats.factorial_effects([[1.0, 1.0], [1.0, 1.0]], ["a"])[0]
    assert (flat.share, flat.f, flat.p) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    "shape, names", [((2, 3), ["a", "b"]), ((2, 2, 3), ["a"]), ((2, 1), ["a"])]
)
def test_a_shape_that_does_not_fit_is_refused(shape, names):
    with pytest.raises(ValueError, match="an axis for each"):
        stats.factorial_effects(np.zeros(shape), names)


def test_factorial_effects_agree_with_a_regression_by_hand():
    rng = np.random.default_rng(6)
    x = (
        rng.normal(size=(3, 2, 4, 6))
        + np.arange(3)[:, None, None, None]
        + 2 * np.arange(2)[:, None, None]
    )
    result = {e.factors: e for e in stats.factorial_effects(x, ["a", "b", "c"])}
    assert sum(e.share for e in result.values()) < 1
    one = stats.factorial_effects(x.mean(axis=(1, 2)), ["a"])[0]
    assert result["a",].f == pytest.approx(one.f) and result["a",].df == (2, 10)
    two = scipy.stats.ttest_rel(x[:, 0].mean(axis=(0, 1)), x[:, 1].mean(axis=(0, 1)))
    assert result["b",].f == pytest.approx(two.statistic**2) and result["b",].p == pytest.approx(
        two.pvalue
    )
    mean = x.mean()
    squares = 6 * 4 * 2 * ((x.mean(axis=(1, 2, 3)) - mean) ** 2).sum()
    assert result["a",].share == pytest.approx(squares / ((x - mean) ** 2).sum())


def test_interaction_of_two_levels_is_the_test_of_the_double_difference():
    x = np.random.default_rng(7).normal(size=(2, 2, 9))
    both = stats.factorial_effects(x, ["a", "b"])[-1]
    double = scipy.stats.ttest_1samp(x[1, 1] - x[1, 0] - x[0, 1] + x[0, 0], 0)
    assert both.f == pytest.approx(double.statistic**2) and both.p == pytest.approx(double.pvalue)
