"""Folders that were moved or copied: artifacts are found beside their SQLite file.

MLflow keeps the places of artifacts as absolute paths. Without this a study in a folder that was
moved looks for them at the old place and makes it anew, and one in a copy writes into the original.
"""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import sqlalchemy as sa

from harness.core.errors import StoreError

_LOG = logging.getLogger("harness")


def follow_move(
    engine: sa.Engine, path: Path, experiment_id: str, recorded: str, beside: str
) -> str:
    """Return where an experiment's artifacts lie, and put it into the database where it has
    changed.

    Args:
        engine: of the database.
        path: its file.
        experiment_id: the experiment.
        recorded: URI of the place that the database tells.
        beside: URI of the place beside the database, where the harness puts artifacts.

    Returns:
        The recorded place, unless there are artifacts beside the database and the recorded place
        was beside another one.

    Raises:
        StoreError: the database is a copy, and its artifacts still lie with the original.
    """
    if recorded == beside or not recorded.startswith("file:"):
        return recorded
    old, new = _folder(recorded), _folder(beside)
    if old.parent.name != new.parent.name or old.name != new.name:
        return recorded  # a place of the user's own choice
    if not new.is_dir():
        original = old.parent.parent / path.name
        if original.exists() and original.resolve() != path.resolve():
            raise StoreError(
                f"MLflow's database {path} is a copy of {original}, without its artifacts: copy "
                f"the folder {old.parent} beside it, so that nothing is written into the original"
            )
        return recorded
    _LOG.warning("%s was moved or copied: artifacts are those in %s", path, new.parent)
    _rewrite(engine, int(experiment_id), recorded, beside)
    return beside


def _folder(uri: str) -> Path:
    return Path(url2pathname(urlsplit(uri).path))


def _rewrite(engine: sa.Engine, experiment: int, old: str, new: str) -> None:
    """Put the new place into the experiment and its runs, in one transaction."""
    values = {"old": old, "new": new, "experiment": experiment}
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE runs SET artifact_uri = replace(artifact_uri, :old, :new) "
                "WHERE experiment_id = :experiment"
            ),
            values,
        )
        connection.execute(
            sa.text(
                "UPDATE experiments SET artifact_location = :new WHERE experiment_id = :experiment"
            ),
            values,
        )
    # MLflow keeps where the artifacts of a run lie, for as long as its process runs
    from mlflow.tracking._tracking_service import utils

    utils._artifact_repos_cache.clear()
