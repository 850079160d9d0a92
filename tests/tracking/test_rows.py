"""A run on its way into MLflow."""

from __future__ import annotations

import math

from harness.core.records import Point
from harness.tracking.rows import POINTS_SHOWN, NewRun, new_run, thin, whole_curves
from tests.tracking.made import record


def test_thinned_curve_keeps_its_ends_and_order():
    points = [Point(i, i / 10, i, {"a": float(i)}) for i in range(1234)]
    kept = [p.step for p in thin(points)]
    assert kept[0] == 0 and kept[-1] == 1233
    assert kept == sorted(set(kept)) and len(kept) == POINTS_SHOWN + 1
    assert thin(points[:50]) == points[:50]


def test_curves_are_whole_whether_they_were_thinned_or_not():
    for count in (3, POINTS_SHOWN + 1, POINTS_SHOWN + 2, 1000):
        points = tuple(Point(i, i / 10, i, {"a": float(i)}) for i in range(count))
        curves = whole_curves(new_run(record(points=points), "parent"))
        assert curves.keys() == {"a", "epoch", "samples"}
        assert curves["a"] == [(i, float(i)) for i in range(count)]


def test_closing_values_that_are_no_numbers_are_left_out():
    run = new_run(record(**{"test/loss": math.inf, "best/valid/loss": math.nan}), "parent")
    names = {name for name, _, _ in run.metrics}
    assert names == {"valid/loss", "epoch", "samples", "final/valid/loss"}


def test_fields_are_those_of_files_that_older_versions_left_in_a_spool():
    assert NewRun._fields == (
        *("run_id", "key", "name", "status", "start", "end"),
        *("tags", "params", "metrics", "files"),
    )
