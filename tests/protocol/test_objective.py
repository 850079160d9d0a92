"""The objective of a trial."""

import math

import pytest

import harness as h
from harness.protocol.objective import objective_at_end, objective_so_far, reduce_curve
from harness.protocol.runs import Ended, RunResult, SoFar


def test_a_run_s_curve_becomes_one_number():
    search = h.Search(reduce="best")
    assert reduce_curve(search, [3.0, 1.0, 2.0], 2.0, "finished") == 1.0
    assert reduce_curve(h.Search(), [3.0, 1.0, 2.0], 1.9, "stopped") == 1.9
    assert reduce_curve(h.Search(reduce="mean"), [3.0, 1.0, 2.0], None, "finished") == 2.0
    assert reduce_curve(h.Search(), [3.0], None, "diverged") == float("inf")
    assert reduce_curve(h.Search(objective="valid/accuracy"), [0.3], None, "failed") == -float(
        "inf"
    )


def result(status, *values, closing=None):
    closing = {} if closing is None else {"valid/loss": closing}
    return RunResult("key", "id", status, closing, list(enumerate(values)))


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([result("finished", 3.0, 1.0)], 1.0),
        ([result("stopped", 3.0, 1.0, 2.0, closing=1.0)], 1.0),
        ([result("finished", 1.0), result("finished", 4.0)], 2.5),
        ([result("finished", 1.0), result("diverged", 4.0)], math.inf),
        ([result("finished")], math.inf),
    ],
)
def test_a_trial_is_judged_by_the_mean_of_its_runs(results, expected):
    assert objective_at_end(h.Search(), results) == expected


def test_a_trial_is_judged_at_a_rung_by_its_curves_so_far():
    runs = [SoFar([(0, 3.0), (9, 2.0)], None), SoFar([(0, 3.0), (9, 4.0)], None)]
    assert objective_so_far(h.Search(), runs) == 3.0
    assert objective_so_far(h.Search(reduce="best"), runs) == 2.5


def test_a_run_that_has_ended_takes_part_at_a_rung_with_its_objective():
    curve = [(0, 3.0), (4, 1.0), (8, 2.0)]
    stopped = SoFar(curve, Ended("stopped", {"valid/loss": 1.0, "cost/steps": 8.0}))
    assert objective_so_far(h.Search(), [stopped]) == 1.0
    assert objective_so_far(h.Search(), [stopped, SoFar(curve, None)]) == 1.5
    assert objective_so_far(h.Search(), [SoFar(curve, Ended("diverged", {}))]) == math.inf
