"""Mean, median and interquartile mean, against rliable's own values."""

import math

import numpy as np
import pytest
import scipy.stats

from harness import stats


def test_mean_and_median():
    values = [4.0, 1.0, math.inf, 2.0]
    assert stats.mean([[1.0, 2.0], [3.0, 6.0]]) == 3.0
    assert stats.median(values) == 3.0 and stats.median([5.0, 1.0, 2.0]) == 2.0


@pytest.mark.parametrize("n", [1, 3, 4, 7, 8, 9])
def test_iqm_is_scipy_s_trimmed_mean(n):
    x = np.random.default_rng(n).exponential(size=n)
    assert stats.iqm(x) == pytest.approx(scipy.stats.trim_mean(x, 0.25))


def test_rliable_s_own_values():
    x, y = [[1, 2], [2, 2], [1, 1], [2, 1]], [[1, 1], [2, 2], [3, 3]]
    assert (stats.iqm(x), stats.iqm(y)) == (1.5, 2.0)
    assert stats.probability_of_improvement(x, y) == pytest.approx(1 / 3)
