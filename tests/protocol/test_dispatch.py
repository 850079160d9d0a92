"""Rungs: where trials may be ended."""

import pytest

from harness.engine.timetable import Timetable
from harness.protocol.dispatch import rung_step


@pytest.mark.parametrize(
    ("evaluations", "share", "step"),
    [
        ((0, 25, 50, 75, 100), 0.5, 50),
        ((0, 25, 50, 75, 100), 0.3, 25),
        ((0, 40, 60, 100), 0.5, 40),  # of two that are as near, the earlier one
        ((0, 25, 50, 75, 100), 0.01, 25),  # never the start, where nothing has been learned
        ((0, 25, 50, 75, 100), 0.99, 75),  # never the end, where nothing is saved
        ((0, 100), 0.5, 100),  # where there is nothing between
    ],
)
def test_a_rung_is_the_evaluation_nearest_to_its_share(evaluations, share, step):
    times = Timetable(batch=10, per_epoch=25, steps=100, evaluations=evaluations)
    assert rung_step(times, share) == step
