"""Opening a study's experiment in MLflow's store.

Sessions and readers are made on top of what :func:`open_experiment` returns. Here it is decided
whether many runs at once are read and written in MLflow's tables
(:class:`harness.tracking.database.Database`) or by its client
(:class:`harness.tracking.client_api.ClientApi`).
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING

import sqlalchemy as sa

from harness.core.errors import NoStudyError, did_you_mean
from harness.tracking.connect import (
    Connection,
    asked_again,
    configure_mlflow,
    connect,
    telling_where,
)
from harness.tracking.experiments import (
    create_experiment,
    experiment_names,
    experiment_place,
    once,
)
from harness.tracking.moved_store import follow_move
from harness.tracking.schema import tables_known
from harness.tracking.uris import default_uri, hide_password, is_remote, sqlite_path

if TYPE_CHECKING:
    from harness.tracking.experiment import Bulk, Experiment
    from harness.tracking.single import OneByOne

_LOG = logging.getLogger("harness")

DEFAULT_EXPERIMENT = "Default"
"""The experiment that MLflow makes in every store; no study."""


def open_experiment(study: str, uri: str | None, create: bool) -> Experiment:
    """Return a study's experiment.

    Args:
        study: name of the study, and of its experiment.
        uri: MLflow's tracking URI; by default :func:`harness.tracking.uris.default_uri`.
        create: make the store and the experiment if they are missing.

    Raises:
        NoStudyError: there is no such study and ``create`` is false.
        StoreError: the store can't be reached.
    """
    where = uri or default_uri()
    configure_mlflow()
    from harness.tracking.experiment import Experiment

    def open_it() -> Experiment:
        connection = connect(where, create)
        experiment_id, artifacts = _find_or_create(connection, study, where, create)
        artifacts = _followed(connection, where, study, experiment_id, artifacts)
        bulk = _bulk(connection, experiment_id, artifacts)
        single = _single(connection, experiment_id, bulk, where)
        return Experiment(where, study, experiment_id, connection.client, bulk, single)

    with telling_where(where):
        return asked_again(open_it, where)


def _find_or_create(connection: Connection, study: str, uri: str, create: bool) -> tuple[str, str]:
    """Return the id of a study's experiment and the URI that its artifacts lie under."""
    place = experiment_place(connection, study)
    if place is None:
        if not create:
            names = experiment_names(connection)
            hint = did_you_mean(study, [name for name in names if name != DEFAULT_EXPERIMENT])
            raise NoStudyError(
                f"no study {study!r} in MLflow at {hide_password(uri)}; "
                f"run it first with 'harness run'{', or ' * bool(hint)}{hint}"
            )
        create_experiment(connection, study, _artifacts(uri, study))
        place = experiment_place(connection, study)
        assert place is not None, "it has just been made"
    # An experiment that was deleted in MLflow's UI keeps its name, so that no other can have it,
    # and takes no runs until it is restored.
    if not place.active:
        once(lambda: connection.client.restore_experiment(place.id), "RESOURCE_DOES_NOT_EXIST")
    return place.id, place.artifacts


def _followed(
    connection: Connection, uri: str, study: str, experiment_id: str, artifacts: str
) -> str:
    """Return where the artifacts lie, after a move of an SQLite store's folder too."""
    path, beside = sqlite_path(uri), _artifacts(uri, study)
    if path is None or beside is None or connection.engine is None:
        return artifacts
    return follow_move(connection.engine, path, experiment_id, artifacts, beside)


def _artifacts(uri: str, study: str) -> str | None:
    """Return where a new experiment keeps its artifacts: beside an SQLite file, or wherever a
    server says (None)."""
    path = sqlite_path(uri)
    if path is None:
        return None
    # given outright, since MLflow's own default is relative to the folder that a process runs in
    return (path.resolve().parent / "mlartifacts" / study.replace(" ", "_")).as_uri()


def _bulk(connection: Connection, experiment_id: str, artifacts: str) -> Bulk:
    """Return what reads and writes many runs at once: in MLflow's tables where this version knows
    them, else by MLflow's client."""
    if connection.engine is not None:
        revision = _revision(connection.engine)
        if tables_known(revision):
            from harness.tracking.database import Database

            return Database(connection.engine, experiment_id, artifacts)
        _tell_unknown_tables(revision)
    from harness.tracking.client_api import ClientApi

    return ClientApi(connection.client, experiment_id)


def _single(connection: Connection, experiment_id: str, bulk: Bulk, uri: str) -> OneByOne:
    """Return what reads and writes single runs: in the tables of an SQLite file that are known,
    else by MLflow's client."""
    from harness.tracking.database import Database

    if connection.file is not None and isinstance(bulk, Database):
        from harness.tracking.single_tables import SingleTables

        return SingleTables(bulk, connection.client)
    from harness.tracking.single_client import SingleClient

    return SingleClient(connection.client, experiment_id, is_remote(uri))


def _revision(engine: sa.Engine) -> str:
    """Return the revision of a database's tables, as alembic keeps it."""
    with engine.connect() as connection:
        return str(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar())


@lru_cache
def _tell_unknown_tables(revision: str) -> None:
    """Say that a store is slower than it could be, and why; once a process for each revision, which
    is what the cache is for."""
    _LOG.warning(
        "MLflow's tables have revision %s, which this version of the harness does not know; "
        "runs are read and written through MLflow's client, more slowly",
        revision,
    )
