"""Effect sizes against SciPy."""

import math

import numpy as np
import pytest
import scipy.stats

from harness import stats


def test_paired_d_is_the_t_statistic_over_the_root_of_n():
    rng = np.random.default_rng(14)
    a, b = rng.normal(0.3, 1, 11), rng.normal(0, 1, 11)
    t = scipy.stats.ttest_rel(a, b).statistic
    assert stats.paired_d(a, b) == pytest.approx(t / math.sqrt(11))


def test_effects_without_spread():
    assert stats.paired_d([2.0, 3.0], [1.0, 2.0]) == math.inf
    assert stats.paired_d([1.0, 2.0], [2.0, 3.0]) == -math.inf
    assert stats.paired_d([1.0, 2.0], [1.0, 2.0]) == 0.0
    assert math.isnan(stats.paired_d([1.0], [2.0]))


def test_ties_count_half():
    assert stats.probability_of_improvement([1.0, 2.0], [1.0, 3.0]) == (0.5 + 0 + 1 + 0) / 4
    assert stats.cliffs_delta([3.0, 4.0], [1.0, 2.0]) == 1.0


def test_improvement_is_the_mean_over_tasks():
    x, y = np.array([[1.0, 5.0], [2.0, 6.0]]), np.array([[0.0, 9.0], [0.0, 9.0], [0.0, 5.5]])
    tasks = [stats.probability_of_improvement(x[:, j], y[:, j]) for j in range(2)]
    assert tasks == pytest.approx([1.0, 1 / 6])
    assert stats.probability_of_improvement(x, y) == pytest.approx(np.mean(tasks))


def test_effect_sizes():
    rng = np.random.default_rng(4)
    a, b = rng.normal(1, 1, 9), rng.normal(0, 1, 12)
    assert stats.cliffs_delta(a, b) == pytest.approx(
        2 * scipy.stats.mannwhitneyu(a, b).statistic / (9 * 12) - 1
    )
    t = scipy.stats.ttest_ind(a, b).statistic
    assert stats.cohen_d(a, b) == pytest.approx(t * math.sqrt(1 / 9 + 1 / 12))
    assert stats.hedges_g(a, b) == pytest.approx(stats.cohen_d(a, b) * (1 - 3 / 75))
