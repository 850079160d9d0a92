"""What a study leaves behind, in the form that the store keeps."""

from __future__ import annotations

import json

import pytest

from harness.core.study_record import (
    ClockReading,
    FrozenEntry,
    Length,
    LookShown,
    RunEntry,
    StudyRecord,
    TrialEntry,
)

RECORD = StudyRecord(
    runs=[
        RunEntry(
            "r1",
            "k1",
            "A / 32",
            {"optimizer": "A", "batch_size": "32"},
            "search",
            3,
            10_000,
            "finished",
        )
    ],
    trials=[
        TrialEntry("A / 32", 3, "finished", None, {"optimizer.lr": 0.1, "model.widths": "[8]"})
    ],
    winners={
        "A / 32": (FrozenEntry(3, {"optimizer": "A"}, {"data": {"name": "Iris"}}, True, "why"),)
    },
    importances={"A / 32": {"optimizer.lr": 1.0}},
    clock={"A / 32": {0: ClockReading("hash", 1e-3, 1.1, 0.2)}},
)
OF_TWO_SEARCHES = RECORD._replace(
    runs=[RECORD.runs[0]._replace(search=1, seed=100_003)],
    trials=[RECORD.trials[0]._replace(search=1)],
    winners={
        "A / 32": (
            RECORD.winners["A / 32"][0]._replace(length=Length(30, 2.0, 900)),
            RECORD.winners["A / 32"][0]._replace(search=1, trial=1),
        )
    },
    clock={"A / 32": {k: ClockReading("hash", 1e-3, 1.1, 0.2) for k in (0, 1)}},
    looks=(LookShown(2, 3, 0.04), LookShown(5, 3, 0.005, ("A is",))),
    notes=("data Table: column 'id' is left out",),
)  # fmt: skip
STORED = {
    "runs": [
        {
            "run_id": "r1", "key": "k1", "arm": "A / 32", "level.optimizer": "A", "level.batch_size": "32",
            "stage": "search", "trial": 3, "seed": 10_000, "status": "finished",
        }
    ],
    "trials": [
        {
            "arm": "A / 32", "trial": 3, "status": "finished", "value": None,
            "values": {"optimizer.lr": 0.1, "model.widths": "[8]"},
        }
    ],
    "winners": {
        "A / 32": {
            "trial": 3, "levels": {"optimizer": "A"}, "recipe": {"data": {"name": "Iris"}},
            "path": {"batched": True, "why": "why"},
        }
    },
    "importances": {"A / 32": {"optimizer.lr": 1.0}},
    "clock": {"A / 32": {"of": "hash", "seconds": 1e-3, "spread": 1.1, "load": 0.2}},
}  # fmt: skip


def test_records_of_versions_with_one_search_are_read():
    assert StudyRecord.from_plain(STORED) == RECORD


def test_looks_of_versions_that_kept_no_runs_were_at_those_of_the_answer():
    runs = [{**STORED["runs"][0], "stage": "confirm", "key": key * 64} for key in "ab"]
    look = {"searches": 1, "seeds": 2, "level": 0.05}
    (read,) = StudyRecord.from_plain({**STORED, "runs": runs, "looks": [look]}).looks_at_these
    assert read.runs == ("a" * 16, "b" * 16) and read.claims is None


@pytest.mark.parametrize("record", [RECORD, OF_TWO_SEARCHES])
def test_a_record_comes_back_from_json_as_it_was(record):
    assert StudyRecord.from_plain(json.loads(json.dumps(record.to_plain()))) == record
