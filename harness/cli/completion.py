"""What a shell completes: names of studies, specs and kinds of parts.

A shell waits for the answer at every press of the tab key, so nothing here imports MLflow: names
of studies are read from an SQLite store's file, and a server's are not completed.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def complete_study(incomplete: str) -> list[str]:
    """Return the names of studies in the store that begin so."""
    from harness.tracking.uris import default_uri, sqlite_path  # --help does without

    path = sqlite_path(default_uri())
    if path is None or not path.is_file():
        return []
    # mode=ro: a look must neither make nor lock a file
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as store:
        try:
            names = store.execute(
                "SELECT name FROM experiments "
                "WHERE lifecycle_stage = 'active' AND name != 'Default'"
            ).fetchall()
        except sqlite3.Error:  # no store of MLflow's, or one that is being written
            return []
    return sorted(name for (name,) in names if name.startswith(incomplete))


def complete_study_or_file(incomplete: str) -> list[str]:
    """Return the names of studies that begin so, and specs in the folder that is being typed."""
    folder = Path(incomplete).parent if "/" in incomplete else Path()
    specs = (path for kind in ("py", "yaml", "json") for path in folder.glob(f"*.{kind}"))
    files = [str(path) for path in specs if str(path).startswith(incomplete)]
    return complete_study(incomplete) + sorted(files)


def complete_kind(incomplete: str) -> list[str]:
    """Return the kinds of parts that begin so."""
    from harness.core.registry import REGISTRY

    return sorted(kind for kind in [*REGISTRY, "claim"] if kind.startswith(incomplete))
