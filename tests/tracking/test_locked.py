"""An SQLite store that another program has locked is waited for, with a word."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

import pytest
import sqlalchemy as sa

from harness.core.errors import StoreError
from harness.tracking import Reader, list_studies, retry
from tests.tracking.made import opened, record, recorded


@pytest.fixture
def locked(folder, monkeypatch):
    """Lock the store as a program does that changes all of it; return what unlocks it."""

    monkeypatch.setattr(retry, "PAUSES", (0.05,))
    with closing(sqlite3.connect(folder / "mlflow.db", check_same_thread=False)) as other:

        def take():
            other.execute("BEGIN EXCLUSIVE")
            return other.rollback

        yield take


def hasty(session):
    """SQLite itself waits for five seconds before it says that a file is locked."""
    experiment = session._experiment
    for engine in {experiment.bulk.engine, experiment.client._tracking_client.store.engine}:
        engine.dispose()
        sa.event.listen(engine, "connect", lambda each, _: each.execute("PRAGMA busy_timeout = 50"))


def test_a_write_waits_until_the_store_is_free(locked, caplog):
    session, _ = opened()
    hasty(session)
    threading.Timer(0.5, locked()).start()
    recorded(session, record())
    session.close()
    assert len(Reader.of("s").runs()) == 1
    assert "is locked by another program; it is tried again for 600 s" in caplog.text


def test_a_store_that_stays_locked_is_said_to(locked):
    session, _ = opened(patience=0.2)
    hasty(session)
    unlock = locked()
    with pytest.raises(StoreError, match="is locked by another program; start the same command"):
        recorded(session, record())
    unlock()
    recorded(session, record())
    session.close()
    assert len(Reader.of("s").runs()) == 1


@pytest.mark.parametrize("content", [b"no database", None])
def test_what_is_no_database_is_said_to_at_once(tmp_path, content):
    path = tmp_path / "mlflow.db"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(StoreError, match="can't be used|no MLflow store"):
        list_studies(f"sqlite:///{path}")


def test_mlflow_s_own_tracebacks_are_not_shown(locked, capfd):
    session, _ = opened()
    hasty(session)
    unlock = locked()
    with pytest.raises(StoreError, match="is locked by another program"):
        session._experiment.patiently(lambda: session._experiment.set_title("t"), "a title", 0.1)
    unlock()
    session.close()
    said = capfd.readouterr()
    assert "Traceback" not in said.out + said.err
