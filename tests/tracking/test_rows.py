"""A run on its way into MLflow."""

from __future__ import annotations

import json
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
        *("tags", "params", "metrics", "files", "times"),
    )
    assert "times" in NewRun._field_defaults  # files of versions before this one lack them


def test_a_run_has_the_times_at_which_it_was_trained():
    began = record(key="k")
    outcome = began.outcome._replace(started=1000.0, times={0: 1000.25, 4: 1002.5})
    run = new_run(began._replace(outcome=outcome), "parent")
    assert (run.start, run.end) == (1_000_000, 1_002_500)
    at = run.time_of()
    assert [at("valid/loss", step) for step in (0, 4)] == [1_000_250, 1_002_500]
    assert at("final/valid/loss", 0) == 1_002_500
    thawed = NewRun(**json.loads(json.dumps(run._asdict())))  # as a spool keeps it
    assert thawed.time_of()("valid/loss", 0) == 1_000_250


def test_names_tell_the_search_where_there_are_several():
    one = record(trial=3)
    assert one.title == "arm · trial 3 · seed 0"
    assert one._replace(searches=2).title == "arm · search 0 · trial 3 · seed 0"
    assert one._replace(stage="confirm", searches=2, search=1).title == "arm · search 1 · seed 0"
