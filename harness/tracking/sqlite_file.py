"""The file of an SQLite store: made if it is missing, checked if it is there."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa

from harness.core.errors import NoStudyError
from harness.core.temporary import temporary_folder
from harness.tracking.empty_store import copy_empty, keep_empty
from harness.tracking.older_store import revision_of, upgrade_with_copy
from harness.tracking.schema import made_by_installed
from harness.tracking.uris import sqlite_path, sqlite_uri

NEW_STORE_BYTES = 4_000_000
"""Room that a new SQLite store takes, with the log of its making."""


def prepare_sqlite(uri: str, create: bool) -> None:
    """Create an SQLite store's file if it is missing.

    It is made under another name and put into place when its tables are whole: making them takes
    seconds, and a kill in between never leaves half a schema. The folder is the same, so that it
    can be linked, which is atomic.

    Its journal is a write-ahead log (WAL): whoever reads (MLflow's UI, ``harness watch``) does not
    wait for a write, nor a write for them. The mode is kept in the file itself, so it need not be
    set again.
    """
    path = sqlite_path(uri)
    if path is None:
        return
    if path.exists():
        _open_once(path)
        return upgrade_with_copy(path)
    if not create:
        raise NoStudyError(
            f"no MLflow store at {path}; run a study first, or set MLFLOW_TRACKING_URI"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder("mlflow", path.parent) as folder:
        fresh = Path(folder) / "mlflow.db"
        _refuse_full(fresh.with_name("room"))
        if not copy_empty(fresh):
            _make(fresh)
            keep_empty(fresh)
        # Closing the last connection folds the log into the file; only the file is moved.
        with closing(sqlite3.connect(fresh)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        _put_in_place(fresh, path)


def _make(fresh: Path) -> None:
    """Let MLflow make a database, by way of seventy migrations."""
    from mlflow.tracking._tracking_service.utils import _get_store

    with no_migration_lines():
        store = _get_store(sqlite_uri(fresh))
    store.engine.dispose()


def known_engine(uri: str) -> sa.Engine | None:
    """Return the engine of an SQLite store with the tables of the MLflow that is installed, which
    are known here; None for any other store, which MLflow has to open.

    Args:
        uri: MLflow's tracking URI; its file has been prepared.
    """
    path = sqlite_path(uri)
    if path is None or "?" in uri or not made_by_installed(revision_of(path) or ""):
        return None
    return _engine(str(path.resolve()))


@lru_cache  # one a file, as MLflow keeps one store: each has connections of its own
def _engine(path: str) -> sa.Engine:
    engine = sa.create_engine(sa.URL.create("sqlite", database=path))

    @sa.event.listens_for(engine, "connect")
    def _as_mlflow_does(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA foreign_keys = ON")

    return engine


def _refuse_full(path: Path) -> None:
    """Refuse a disk without room for a new store: MLflow would try for hours to make one.

    Raises:
        OSError: the disk is full.
    """
    with path.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, NEW_STORE_BYTES)
    path.unlink()


def _open_once(path: Path) -> None:
    """Open a database as MLflow will, which tries for minutes before it says that it can't.

    Raises:
        sqlite3.Error: it can't be opened, or is none.
    """
    with closing(sqlite3.connect(path)) as database:
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()


def _put_in_place(fresh: Path, path: Path) -> None:
    """Give a new database its name, unless another process was quicker: then theirs is used.

    A link never replaces what is there, as a rename would; where the file system has no links the
    name is looked at first.
    """
    try:
        os.link(fresh, path)
    except FileExistsError:
        return
    except OSError:
        if not path.exists():
            os.replace(fresh, path)


@contextmanager
def no_migration_lines() -> Iterator[None]:
    """Keep alembic's line about every migration off the screen: a new store has seventy of them."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)
