"""The best of n trials against all samples of them."""

import itertools
import math

import numpy as np
import pytest

from harness import stats


def test_a_diverged_trial_does_not_spoil_the_best_of_many():
    assert stats.expected_max([-math.inf, 1.0], 1) == -math.inf
    # (1/2)^2000 is 0 in floating point, and 0·∞ must not be NaN
    assert stats.expected_max([-math.inf, 1.0], 2000) == 1.0


def test_expected_best_is_the_expected_maximum_with_a_percentile_interval():
    values = np.random.default_rng(23).normal(size=9)
    best = stats.expected_best(values, [1, 3], True, np.random.default_rng(24))
    assert [b.mean for b in best] == [stats.expected_max(values, n) for n in (1, 3)]
    rng = np.random.default_rng(24)
    draws = [values[rng.integers(0, 9, 9)] for _ in range(500)]
    for n, interval in zip((1, 3), best, strict=True):
        by_hand = np.quantile([stats.expected_max(d, n) for d in draws], [0.025, 0.975])
        assert interval[1:] == pytest.approx(tuple(by_hand))


def test_expected_best_downwards_is_upwards_mirrored():
    values = np.random.default_rng(25).normal(size=9)
    up = stats.expected_best(values, [2], True, np.random.default_rng(0))[0]
    down = stats.expected_best(-values, [2], False, np.random.default_rng(0))[0]
    assert (down.mean, down.low, down.high) == pytest.approx((-up.mean, -up.high, -up.low))


def test_diverged_trials_count_as_the_worst_finite_one():
    rng = np.random.default_rng
    assert stats.expected_best([1.0, 3.0, math.inf], [2], False, rng(0)) == stats.expected_best(
        [1.0, 3.0, 3.0], [2], False, rng(0)
    )
    none = stats.expected_best([math.inf, math.nan], [1, 2], False, rng(0))
    assert len(none) == 2 and all(math.isnan(v) for interval in none for v in interval)


def test_expected_max_is_the_mean_over_all_samples_with_replacement():

    values = [0.3, 1.5, 0.9, 0.2]
    for n in (1, 2, 3):
        by_hand = np.mean([max(s) for s in itertools.product(values, repeat=n)])
        assert stats.expected_max(values, n) == pytest.approx(by_hand)


def test_expected_best_turns_with_the_direction_and_survives_divergence():
    values, rng = [0.5, 0.7, math.inf, 0.6], np.random.default_rng(0)
    low = stats.expected_best(values, [1, 4], False, rng)
    assert low[0].mean > low[1].mean >= 0.5 and low[0].low <= low[0].mean <= low[0].high
    high = stats.expected_best([0.5, 0.7, -math.inf], [1, 3], True, rng)
    assert high[1].mean > high[0].mean
