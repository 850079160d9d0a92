"""Simultaneous intervals: closed form, and how often all of them cover at once."""

import numpy as np
import pytest
import scipy.stats

from harness import stats


def test_two_arms_have_the_single_interval_and_more_have_dunn_s():
    x = np.random.default_rng(0).normal(size=(3, 7))
    (_, pair) = stats.differences_from_best(x[:2], 0)
    t = scipy.stats.ttest_rel(x[1], x[0])
    assert pair[1:] == pytest.approx(tuple(t.confidence_interval(0.95)))
    zero, first, second = stats.differences_from_best(x, 0, level=0.9)
    assert zero == (0, 0, 0)
    for interval, arm in ((first, 1), (second, 2)):
        alone = scipy.stats.ttest_rel(x[arm], x[0]).confidence_interval(1 - 0.1 / 3)
        assert interval == pytest.approx((np.mean(x[arm] - x[0]), alone.low, alone.high))


def test_a_method_is_as_many_searches_wide_as_there_are():
    x = np.random.default_rng(1).normal([[[0.0]], [[1.0]]], size=(2, 5, 4))
    (interval, _) = stats.differences_from_best(x, 1, scope="method")
    means = (x[0] - x[1]).mean(1)
    low, high = scipy.stats.t.interval(0.95, 4, means.mean(), means.std(ddof=1) / 5**0.5)
    assert interval == pytest.approx((means.mean(), low, high))


def test_one_arm_and_no_arm_of_that_place():
    assert stats.differences_from_best([[1.0, 2.0]], 0) == [(0, 0, 0)]
    with pytest.raises(ValueError, match="one of 2 arms, from 0, got 2"):
        stats.differences_from_best(np.zeros((2, 4)), 2)


def test_a_resolution_keeps_equal_values_apart_from_certainty():
    flat = np.array([[0.5] * 5, [0.51] * 5])
    (_, sure), (_, floored) = (
        stats.differences_from_best(flat, 0, resolution=r) for r in (0.0, 0.02)
    )
    assert sure.high - sure.low < 1e-12 < floored.high - floored.low


@pytest.mark.parametrize("scope", ["method", "winner"])
@pytest.mark.parametrize("equal", [True, False])
def test_all_cover_at_once_whichever_arm_looks_best(scope, equal):
    """Four arms of unequal spread; single 95 % intervals miss one of them far more often."""
    rng, covered, single, studies = np.random.default_rng(2), 0, 0, 800
    truth = np.zeros(4) if equal else np.array([0.0, 0.3, 0.6, 2.0])
    spread = np.array([1.0, 1.0, 2.0, 3.0])
    for _ in range(studies):
        searches = spread[:, None] * rng.normal(size=(4, 5))
        winners = truth[:, None] + searches  # (A, K): what each winner would give without noise
        x = winners[:, :, None] + rng.normal(size=(4, 5, 3))
        best = int(x.mean((1, 2)).argmax())
        target = truth if scope == "method" else winners.mean(1)
        hits = [
            all(
                i.low <= target[arm] - target[best] <= i.high
                for arm, i in enumerate(
                    stats.differences_from_best(x, best, scope=scope, level=level)
                )
            )
            for level in (0.95, 1 - 6 * 0.05)  # of six pairs, the second has single 95 % intervals
        ]
        covered, single = covered + hits[0], single + hits[1]
    assert covered / studies > 0.94
    if equal:
        assert single / studies < 0.93
