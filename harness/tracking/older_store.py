"""SQLite stores that another version of MLflow made.

MLflow upgrades some old databases without a word, after which the version that made them can't read
them any more, and refuses others with an error about its own commands. Here a copy is kept first,
and both are told.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from harness.core.errors import StoreError
from harness.tracking.schema import made_by_installed
from harness.tracking.uris import sqlite_uri

_LOG = logging.getLogger("harness")


def upgrade_with_copy(path: Path) -> None:
    """Bring an SQLite store to this MLflow's revision, after copying it; nothing for one that is
    there, or is no store of MLflow's.

    Args:
        path: the database; it exists.

    Raises:
        StoreError: a newer MLflow made it.
    """
    found = revision_of(path)
    if found is None or made_by_installed(found):
        return
    # imported only now: MLflow's import takes seconds, and must come after it is configured
    from mlflow.store.db.utils import _get_latest_schema_revision

    if found == _get_latest_schema_revision():
        return
    from mlflow import __version__

    if not _is_older(found):
        raise StoreError(
            f"MLflow's database {path} was made by a newer MLflow than {__version__}, which is "
            f"installed: it has revision {found}, which this one does not know; install that MLflow"
        )
    copy = path.with_name(f"{path.name}.before-mlflow-{__version__}")
    if not copy.exists():  # the first one is from before any upgrade
        _copy(path, copy)
    _LOG.warning(
        "MLflow's database %s was made by an older MLflow and is upgraded to %s, which older ones "
        "can't read; a copy is kept as %s",
        path,
        __version__,
        copy.name,
    )
    _upgrade(path)


def revision_of(path: Path) -> str | None:
    """Return the revision of a database's tables; None for one that MLflow did not make."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            row = database.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:  # why it can't be read is said by those who need it
        return None
    return None if row is None else str(row[0])


def _is_older(revision: str) -> bool:
    """Return whether this MLflow knows the way from a revision to its own."""
    from alembic.script import ScriptDirectory
    from alembic.util.exc import CommandError
    from mlflow.store.db.utils import _get_alembic_config

    try:
        return (
            ScriptDirectory.from_config(_get_alembic_config("")).get_revision(revision) is not None
        )
    except CommandError:
        return False


def _copy(path: Path, copy: Path) -> None:
    """Copy a database as it is at one moment, with what its write-ahead log holds.

    Under another name until it is whole: a kill leaves no half copy that looks like one.
    """
    half = copy.with_name(f".{copy.name}.part")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(half)) as target:
        source.backup(target)
    half.replace(copy)


def _upgrade(path: Path) -> None:
    import sqlalchemy as sa
    from mlflow.store.db.utils import _upgrade_db

    engine = sa.create_engine(sqlite_uri(path))
    try:
        _upgrade_db(engine)
    finally:
        engine.dispose()
