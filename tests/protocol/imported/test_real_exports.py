"""What Weights & Biases' own package writes, read as its exports are; skipped where it is missing."""

from __future__ import annotations

import json
import struct

import pandas as pd
import pytest

import harness as h

wandb = pytest.importorskip("wandb")
BLOCK, HEAD = 32768, 7
"""A run's file is a log in blocks; the file, and each record in it, begins with so many bytes."""


def records(file):
    """Yield the records of an offline run's file, which is a log as LevelDB writes it."""
    content, at, parts = file.read_bytes(), HEAD, b""
    while at + HEAD <= len(content):
        if BLOCK - at % BLOCK < HEAD:  # what is left of a block has no room for a record
            at += BLOCK - at % BLOCK
        _, length, kind = struct.unpack_from("<IHB", content, at)
        parts += content[at + HEAD : at + HEAD + length]
        at += HEAD + length
        if kind in (1, 4):  # whole, or the last part
            yield parts
            parts = b""


def history_of(file):
    """Return a run's name and what ``wandb.Api().run(…).history()`` gives of it."""
    from wandb.proto import wandb_internal_pb2

    name, rows = "", []
    for packed in records(file):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(packed)
        name = record.run.display_name or name
        if record.HasField("history"):
            items = record.history.item
            rows.append({i.key or ".".join(i.nested_key): json.loads(i.value_json) for i in items})
    return name, pd.DataFrame(rows)


@pytest.mark.slow
def test_histories_that_the_package_wrote_are_judged(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    for arm, loss in (("SGD", 1.0), ("Adam", 0.5)):
        for seed in range(4):
            with wandb.init(project="p", name=f"{arm}-seed{seed}", dir=str(tmp_path)) as run:
                for step in range(3):
                    run.log({"val_loss": loss / (step + 1) + seed / 100}, step=step)
                    run.log({"train/acc": 0.1 * step, "epoch": step}, step=step)
    histories = dict(map(history_of, sorted(tmp_path.glob("wandb/offline-run-*/*.wandb"))))
    assert len(histories) == 8
    claims = [h.Claim.better("Adam", than="SGD", on="valid/loss")]
    for ending, options in (("json", {}), ("csv", {"index": False}), ("parquet", {"index": False})):
        (tmp_path / ending).mkdir()
        for name, history in histories.items():
            assert "_step" in history and "_timestamp" in history
            getattr(history, f"to_{ending}")(f"{ending}/{name}.{ending}", **options)
        results = h.Study.from_wandb(ending, claims=claims, name=f"own {ending}")
        assert results.by_arm["Adam"]["valid/loss"].tolist() == pytest.approx(
            [0.5 / 3 + seed / 100 for seed in range(4)]
        )
        assert results.by_arm["SGD"]["train/accuracy"].tolist() == pytest.approx([0.2] * 4)
        assert len(results.verdicts()) == 1
