"""A new store is a copy of an empty one in the cache, with an experiment of its own folder."""

import sqlite3
from contextlib import closing

import pytest

from harness.tracking import empty_store
from harness.tracking.connect import connect


def rows(path, table="experiments", what="artifact_location"):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT {what} FROM {table}").fetchall()


@pytest.mark.usefixtures("quick_stores")
def test_a_copy_is_as_if_it_had_been_made(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    made = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.chdir(folder)
        connect(f"sqlite:///{folder / 'mlflow.db'}", create=True)[1].dispose()
        made.append(folder / "mlflow.db")
    (kept,) = (tmp_path / "cache").glob("*.db")
    assert rows(kept) == []
    tables = "sqlite_master", "sql"
    assert sorted(map(str, rows(made[0], *tables))) == sorted(map(str, rows(made[1], *tables)))
    (own,) = rows(made[1])
    assert str(tmp_path / "second") in own[0]


@pytest.mark.usefixtures("quick_stores")
def test_a_cache_that_cannot_be_written_to_is_none(tmp_path, monkeypatch):
    def refuse():
        raise OSError("read-only")

    monkeypatch.setattr(empty_store, "_place", refuse)
    connect(f"sqlite:///{tmp_path / 'mlflow.db'}", create=True)[1].dispose()
    assert len(rows(tmp_path / "mlflow.db")) == 1
