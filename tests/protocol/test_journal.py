"""Optuna's journal mirrors trials: whatever has become of it, a study goes on, and a line says so."""

from __future__ import annotations

import optuna
import pytest

from harness.protocol import journal
from harness.protocol.trial_storage import TrialStorage, open_storage

WHOLE = b'{"op_code": 0}\n'


@pytest.mark.parametrize(
    "content",
    [
        b"my notes\nof this week\n",
        b'{"a": 1}\n',
        b'{\n "a": [\n  1\n ]\n}\n',
        b"\x00" * 64,
        b"\xff\xfe\x00\x01",
        b'[1]\n{"op_code": 0}\n',
        b'{"op_code":0}\n',
    ],
    ids=["text", "json", "tree", "zeros", "bytes", "list", "damaged"],
)
def test_a_foreign_or_damaged_journal_is_set_aside_and_written_anew(tmp_path, caplog, content):
    path = tmp_path / "optuna.journal"
    for number in (1, 2):
        path.write_bytes(content)
        study = optuna.create_study(storage=open_storage(str(path)), study_name="mine")
        study.add_trial(optuna.trial.create_trial(value=1.0))
        assert optuna.get_all_study_summaries(open_storage(str(path)))[0].n_trials == 1
        aside = tmp_path / f"optuna.journal.set-aside-{number}"
        assert aside.read_bytes() == content and aside.name in caplog.records[-1].getMessage()
    assert len(caplog.records) == 2


@pytest.mark.parametrize("kind", ["folder", "below a file"])
def test_a_journal_that_can_t_be_written_is_done_without(tmp_path, caplog, kind):
    (tmp_path / "file").touch()
    path = tmp_path if kind == "folder" else tmp_path / "file" / "optuna.journal"
    open_storage(str(path))
    assert "trials are not mirrored there, and the study goes on" in caplog.text


def test_a_write_that_fails_is_told_and_ends_nothing(tmp_path, caplog, monkeypatch):
    storage = TrialStorage(str(tmp_path / "o.journal"), "study")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "_add_missing", full)
    storage._writes.append(storage._writer.submit(storage._write, "name", None, ()))
    storage.close()
    assert "lacks trials: [Errno 28] No space left on device" in caplog.text


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (b"", b""),
        (WHOLE * 2, WHOLE * 2),
        (WHOLE + b'{"op_code": 4, "torn', WHOLE),
        (WHOLE + b'{"op_code": 4, "torn\n', WHOLE),
        (b'{"op_code": 4, "torn', b""),
        (b'{"op_code": 4, "torn\n', b""),
    ],
)
def test_a_line_that_was_half_written_is_cut_off_and_no_other(tmp_path, written, kept):
    path = tmp_path / "optuna.journal"
    path.write_bytes(written)
    journal._trim_torn_line(path)
    assert path.read_bytes() == kept
