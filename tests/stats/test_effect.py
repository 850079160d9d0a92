"""Effect sizes against SciPy, and the seeds needed against G*Power's."""

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


@pytest.mark.parametrize(
    "effect, alpha, power", [(0.6, 0.05, 0.8), (0.4, 0.01, 0.9), (-1.0, 0.1, 0.5)]
)
def test_seeds_needed_is_the_first_number_with_enough_power(effect, alpha, power):
    def power_of(n):
        t = scipy.stats.t.ppf(1 - alpha / 2, n - 1)
        return scipy.stats.nct.sf(t, n - 1, abs(effect) * math.sqrt(n))

    n = stats.seeds_needed(effect, alpha, power)
    assert power_of(n - 1) < power <= power_of(n)


def test_seeds_needed_of_effects_that_none_or_any_show():
    assert stats.seeds_needed(math.inf) == stats.seeds_needed(-math.inf) == 2
    assert stats.seeds_needed(math.nan) is stats.seeds_needed(0.0) is None
    assert stats.seeds_needed(100.0) == 2
    assert stats.seeds_needed(0.5, most=34) == 34 and stats.seeds_needed(0.5, most=33) is None
    assert stats.seeds_needed(0.0287) == 9531 and stats.seeds_needed(0.02) is None


def test_effect_sizes():
    rng = np.random.default_rng(4)
    a, b = rng.normal(1, 1, 9), rng.normal(0, 1, 12)
    assert stats.cliffs_delta(a, b) == pytest.approx(
        2 * scipy.stats.mannwhitneyu(a, b).statistic / (9 * 12) - 1
    )
    t = scipy.stats.ttest_ind(a, b).statistic
    assert stats.cohen_d(a, b) == pytest.approx(t * math.sqrt(1 / 9 + 1 / 12))
    assert stats.hedges_g(a, b) == pytest.approx(stats.cohen_d(a, b) * (1 - 3 / 75))


@pytest.mark.parametrize("effect, seeds", [(0.2, 199), (0.5, 34), (0.8, 15), (1.2, 8)])
def test_seeds_needed_as_gpower_says(effect, seeds):
    assert stats.seeds_needed(effect) == seeds


def test_seeds_needed_reach_the_power_promised():
    rng, n = np.random.default_rng(5), stats.seeds_needed(0.7)
    seen = [stats.compare_paired(rng.normal(0.7, 1, n), np.zeros(n)).p <= 0.05 for _ in range(2000)]
    assert 0.78 <= np.mean(seen) <= 0.86
