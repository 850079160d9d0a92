"""Times to a target."""

import math

from harness import stats
from harness.stats import Reached


def test_the_target_itself_counts_as_reached():
    assert stats.first_reach([1, 2], [0.5, 0.9], 0.5, True) == Reached(1.0, False)
    assert stats.first_reach([1, 2], [0.5, 0.4], 0.5, False) == Reached(1.0, False)
    assert stats.first_reach([], [], 0.5, True) == Reached(0.0, True)
    assert stats.first_reach([7], [math.nan], 0.5, True) == Reached(7.0, True)


def test_the_horizon_is_the_first_censoring_or_the_end():
    assert stats.horizon_of([Reached(9, True), Reached(4, True), Reached(12, False)]) == 4
    assert stats.horizon_of([Reached(3, False), Reached(5, False)]) == 5
    assert math.isnan(stats.horizon_of([]))


def test_first_reach_and_censoring():
    assert stats.first_reach([0, 1, 2], [3.0, 1.0, 0.5], 1.0, False) == (1.0, False)
    missed = stats.first_reach([0, 1, 2], [0.1, 0.2, 0.3], 0.9, True)
    assert missed.censored and stats.restricted([missed, stats.Reached(0.5, False)], 2.0) == [
        2.0,
        0.5,
    ]
