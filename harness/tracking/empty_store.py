"""An empty MLflow database in the cache, which new stores are copied from.

MLflow makes a new one by way of seventy migrations, which take seconds; a copy takes none.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import closing, suppress
from importlib import metadata
from pathlib import Path

from harness.core.paths import cache_folder
from harness.core.whole_file import replacing


def copy_empty(to: Path) -> bool:
    """Copy the empty database of this MLflow's version, if there is one; return whether there is.

    Args:
        to: the new file; it gets the experiment that MLflow makes in each store, for this folder.
    """
    with suppress(OSError, sqlite3.Error):
        shutil.copyfile(_place(), to)
        with closing(sqlite3.connect(to)) as connection, connection:
            now = int(1000 * time.time())
            connection.execute(
                "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage,"
                " creation_time, last_update_time) VALUES (0, 'Default', ?, 'active', ?, ?)",
                (str(Path.cwd() / "mlruns" / "0"), now, now),
            )
        return True
    to.unlink(missing_ok=True)
    return False


def keep_empty(made: Path) -> None:
    """Keep a database that MLflow has made as the one that others are copied from.

    Without a cache that can be written to, the next store is made by migrations again.

    Args:
        made: closed, and without any run; a copy is left beside it.
    """
    bare = made.with_name("bare.db")
    with suppress(OSError, sqlite3.Error):
        shutil.copyfile(made, bare)
        with closing(sqlite3.connect(bare)) as connection, connection:
            # the first experiment names this store's folder: MLflow makes each its own
            connection.execute("DELETE FROM experiments")
        with replacing(_place(), durable=False) as file:
            file.write(bare.read_bytes())


def _place() -> Path:
    return cache_folder() / f"mlflow-{metadata.version('mlflow')}-empty.db"
