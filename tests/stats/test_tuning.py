"""The best of n trials against all samples of them."""

import itertools
import math

import numpy as np
import pytest

from harness import stats


def test_expected_max_is_the_mean_over_all_samples_with_replacement():
    values = [0.3, 1.5, 0.9, 0.2]
    for n in (1, 2, 3):
        by_hand = np.mean([max(s) for s in itertools.product(values, repeat=n)])
        assert stats.expected_max(values, n) == pytest.approx(by_hand)


@pytest.mark.parametrize("budget", [1, 2, 2000])
def test_a_mean_over_diverged_trials_is_infinite_at_every_budget(budget):
    # its weight (1/2)^2000 is 0 in floating point, but all trials may diverge all the same
    assert stats.expected_max([-math.inf, 1.0], budget) == -math.inf


@pytest.mark.parametrize("maximize", [True, False])
def test_the_median_best_is_that_of_all_samples_with_replacement(maximize):
    worst, pick = (-math.inf, max) if maximize else (math.inf, min)
    values = [0.3, 1.5, worst, 0.9, worst]
    found = stats.median_best(values, [1, 2, 3, 4], maximize, np.random.default_rng(0), 10)
    for n, best in zip((1, 2, 3, 4), found, strict=True):
        every = sorted((pick(s) for s in itertools.product(values, repeat=n)), reverse=not maximize)
        # from worst to best, the first at or above half of all
        assert best.mean == every[math.ceil(len(every) / 2) - 1]


def test_a_diverged_trial_is_worse_than_the_worst_finite_one():
    # the fault: of ten trials nine diverge, and the tenth is bad; the best of one was called bad
    rng = np.random.default_rng(0)
    values = [math.inf] * 9 + [5.0]
    few, many = stats.median_best(values, [1, 10], False, rng)
    assert few.mean == math.inf and many.mean == 5.0 and many.high == math.inf
    always = stats.median_best([5.0] * 10, [1], False, rng)[0]
    assert always == (5.0, 5.0, 5.0)


def test_trials_without_a_value_count_as_diverged():
    none = stats.median_best([math.inf, math.nan], [1, 2], False, np.random.default_rng(0))
    assert none == [(math.inf,) * 3] * 2


def test_the_interval_is_one_of_percentiles_over_trials_drawn_again():
    values = np.random.default_rng(23).normal(size=9)
    (best,) = stats.median_best(values, [2], True, np.random.default_rng(24))
    rng = np.random.default_rng(24)
    # (6/9)² = .44 and (7/9)² = .60: the seventh of nine
    draws = sorted(np.sort(values[rng.integers(0, 9, 9)])[6] for _ in range(500))
    assert best == (np.sort(values)[6], draws[12], draws[487])


def test_downwards_is_upwards_mirrored():
    values = np.random.default_rng(25).normal(size=9)
    up = stats.median_best(values, [2], True, np.random.default_rng(0))[0]
    down = stats.median_best(-values, [2], False, np.random.default_rng(0))[0]
    assert down == (-up.mean, -up.high, -up.low)
