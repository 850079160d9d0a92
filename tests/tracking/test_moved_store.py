"""A folder that was moved or copied has its artifacts beside its database, and only those."""

import logging
import shutil
import sqlite3

import pytest

from harness.core.errors import StoreError
from harness.tracking import Reader
from tests.tracking.made import ABOUT, opened, record, recorded


@pytest.fixture
def study(tmp_path):
    """A folder with a study of one run that has an artifact."""
    folder = tmp_path / "here"
    folder.mkdir()
    session, _ = opened("s", uri_of(folder))
    recorded(session, record(arrays={"a": [1.0]}))
    session.close()
    with sqlite3.connect(folder / "mlflow.db") as database:  # what is copied is the file alone
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder


def uri_of(folder):
    return f"sqlite:///{folder / 'mlflow.db'}"


def files(folder):
    return sorted(path.relative_to(folder) for path in (folder / "mlartifacts").rglob("*.json"))


def spec_of(folder):
    reader = Reader.of("s", uri_of(folder))
    return reader._experiment.read_json(reader._experiment.study_run(), "spec.json")


def test_what_was_moved_is_read_and_gone_on_with(study, tmp_path, caplog):
    there = tmp_path / "there"
    study.rename(there)
    before = files(there)
    with caplog.at_level(logging.WARNING, "harness"):
        assert spec_of(there) == ABOUT.spec
    assert "moved or copied" in caplog.text
    session, known = opened("s", uri_of(there))
    assert list(known) == ["k0"]
    recorded(session, record(key="k1", arrays={"a": [2.0]}))
    session.close()
    assert len(files(there)) == len(before) + 1 and not list(study.rglob("*.json"))


def test_a_copy_never_writes_into_the_original(study, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(study, copy)
    before = files(study)
    session, _ = opened("s", uri_of(copy))
    recorded(session, record(key="k1", arrays={"a": [2.0]}))
    session.close()
    assert files(study) == before and len(files(copy)) == len(before) + 1
    assert spec_of(study) == ABOUT.spec


def test_a_database_that_was_copied_alone_is_refused_with_the_fix(study, tmp_path):
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(study / "mlflow.db", alone)
    with pytest.raises(StoreError, match=r"is a copy of .*mlflow.db, without its artifacts: copy"):
        opened("s", uri_of(alone))


def test_a_place_of_the_user_s_own_choice_stays(tmp_path, quick_stores):
    from harness.tracking.connect import connect

    uri = uri_of(tmp_path)
    client, _ = connect(uri, create=True)
    client.create_experiment("s", artifact_location=(tmp_path / "mine").as_uri())
    session, _ = opened("s", uri)
    session.close()
    assert (tmp_path / "mine").is_dir() and not (tmp_path / "mlartifacts").exists()
