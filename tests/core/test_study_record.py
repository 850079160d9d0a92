"""What a study leaves behind, in the form that the store keeps."""

from __future__ import annotations

import json

from harness.core.study_record import (
    ClockReading,
    FrozenEntry,
    RunEntry,
    StudyRecord,
    TrialEntry,
)

RECORD = StudyRecord(
    runs=[RunEntry("r1", "k1", "A / 32", {"optimizer": "A", "batch_size": "32"}, "search", 3, 10_000, "finished")],
    trials=[TrialEntry("A / 32", 3, "finished", None, {"optimizer.lr": 0.1, "model.widths": "[8]"})],
    winners={"A / 32": FrozenEntry(3, {"optimizer": "A"}, {"data": {"name": "Iris"}}, True, "why")},
    importances={"A / 32": {"optimizer.lr": 1.0}},
    clock={"A / 32": ClockReading("hash", 1e-3, 1.1, 0.2)},
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


def test_the_stored_form_is_what_stores_have_held_so_far():
    assert json.dumps(RECORD.to_plain()) == json.dumps(STORED), "in the same order, too"


def test_a_record_comes_back_from_json_as_it_was():
    assert StudyRecord.from_plain(json.loads(json.dumps(RECORD.to_plain()))) == RECORD
