"""Opening a store: what is made, what is told, which form of reads and writes it takes, and what it
leaves alone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import sqlalchemy as sa

from harness import results
from harness.core.errors import StoreError
from harness.protocol.run import Options, run_study
from harness.tracking import Session, opening, schema
from harness.tracking.client_api import ClientApi
from harness.tracking.database import Database
from tests.studies import small


def test_unreachable_and_unreadable_stores_are_said_so(folder, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    (folder / "text.db").write_text("this is not a database, whatever its name says" * 40)
    with pytest.raises(StoreError, match="can't be used"):
        Session("s", f"sqlite:///{folder / 'text.db'}")
    with pytest.raises(StoreError, match="127.0.0.1:9") as caught:
        Session("s", "http://user:secret@127.0.0.1:9")
    assert "secret" not in str(caught.value)


def test_tracking_uri_of_the_environment_is_honoured(folder, quick_stores, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'elsewhere.db'}")
    run_study(small(compare={}, search=None, claims=(), seeds=1), Options(workers=0))
    assert (folder / "elsewhere.db").exists() and len(results.load("small").runs) == 1
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    with pytest.raises(StoreError):
        results.load("small")


def test_tables_of_the_installed_mlflow_are_written_directly(folder):
    assert isinstance(Session("s")._experiment.bulk, Database)


def test_tables_of_an_unknown_revision_are_left_to_mlflow_and_that_is_told_once(
    folder, monkeypatch, caplog
):
    opening._tell_unknown_tables.cache_clear()
    (revision,) = revisions(folder)
    monkeypatch.delitem(schema.KNOWN_REVISIONS, revision)
    for _ in range(2):
        assert isinstance(Session("s")._experiment.bulk, ClientApi)
    told = [record.getMessage() for record in caplog.records if record.name == "harness"]
    assert len(told) == 1 and revision in told[0] and "more slowly" in told[0]


def revisions(folder):
    engine = sa.create_engine(f"sqlite:///{folder / 'mlflow.db'}")
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalars()
        versions = list(rows)
    engine.dispose()
    return versions


def test_a_new_file_s_journal_is_a_write_ahead_log(folder, template_store):
    # the template was made as any new store is, in a folder that was not there
    assert [path.name for path in template_store.parent.glob("*.db")] == ["mlflow.db"]
    engine = sa.create_engine(f"sqlite:///{folder / 'mlflow.db'}")
    with engine.connect() as connection:
        assert connection.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"
    engine.dispose()


IMPORT = """
import os, sys
before = dict(os.environ)
import harness.tracking
assert dict(os.environ) == before, set(os.environ) ^ set(before)
assert "mlflow" not in sys.modules
harness.tracking.Session("s")
from mlflow.telemetry.client import get_telemetry_client
assert get_telemetry_client() is None
from mlflow.environment_variables import MLFLOW_HTTP_REQUEST_MAX_RETRIES
assert MLFLOW_HTTP_REQUEST_MAX_RETRIES.get() == 3
assert os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] == "false", "the user's own word counts"
"""


def test_importing_changes_nothing_and_opening_a_store_sets_mlflow_s_variables(folder):
    # Without the variables by which MLflow knows a test or CI, where it has no telemetry anyhow.
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MLFLOW") and name not in ("PYTEST_CURRENT_TEST", "CI")
    }
    subprocess.run(
        [sys.executable, "-c", IMPORT],
        env=environment | {"MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "false"},
        check=True,
        cwd=folder,
    )
