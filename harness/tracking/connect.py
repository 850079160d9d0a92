"""Opening MLflow's store.

The one place that makes MLflow's client, and that decides whether many runs at once are read and
written in MLflow's tables (:class:`harness.tracking.database.Database`) or by its client
(:class:`harness.tracking.client_api.ClientApi`). Sessions and readers are made on top of what
:func:`open_experiment` returns.

MLflow is imported inside functions: its import takes seconds, and must come after
:func:`_configure_mlflow`.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import sqlalchemy as sa

from harness.core.errors import HarnessError, NoStudyError, StoreError, did_you_mean
from harness.core.temporary import marked
from harness.tracking.moved_store import follow_move
from harness.tracking.near_run import near_run
from harness.tracking.older_store import upgrade_with_copy
from harness.tracking.reachable import refuse_silent
from harness.tracking.retry import StoreUnavailable, retry
from harness.tracking.schema import Tag, tables_known
from harness.tracking.uris import (
    default_uri,
    describe_error,
    hide_password,
    sqlite_path,
    sqlite_uri,
)
from harness.tracking.views import ARMS_VIEW, study_page

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

    from harness.tracking.experiment import Bulk, Experiment

_T = TypeVar("_T")
_LOG = logging.getLogger("harness")
_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",  # the spool tries again itself, and tells that it does
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
"""MLflow's environment variables, where the user has not set them: no telemetry, and no output of
MLflow's own between the harness's lines."""


OPENING = 20.0
"""Seconds for which a store that is locked, or answers with failures, is asked again when it is
opened."""


NEW_STORE_BYTES = 4_000_000
"""Room that a new SQLite store takes, with the log of its making."""


DEFAULT_EXPERIMENT = "Default"
"""The experiment that MLflow makes in every store; no study."""


class Connection(NamedTuple):
    """A way to a store."""

    client: MlflowClient
    engine: sa.Engine | None
    """Of the store's database, where this process reaches it itself; None for a server."""


def connect(uri: str, create: bool) -> Connection:
    """Return the way to a store.

    Args:
        uri: MLflow's tracking URI.
        create: make an SQLite store if its file is missing; other stores must be there.

    Returns:
        The client, and the database's engine where this process reaches the database itself.

    Raises:
        NoStudyError: there is no store and ``create`` is false.
    """
    _configure_mlflow()
    _prepare_sqlite(uri, create)
    from mlflow.tracking import MlflowClient
    from mlflow.tracking._tracking_service.utils import _get_store

    # MLflow keeps one store object for each URI, so this is the one that the client uses. The store
    # of a server has no engine.
    # A new database gets its tables here, an old one is checked.
    with _no_migration_lines():
        return Connection(MlflowClient(uri), getattr(_get_store(uri), "engine", None))


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
    _configure_mlflow()
    from harness.tracking.experiment import Experiment

    def open_it() -> Experiment:
        connection = connect(where, create)
        experiment_id, artifacts = _find_or_create(connection.client, study, where, create)
        artifacts = _followed(connection, where, study, experiment_id, artifacts)
        bulk = _bulk(connection, experiment_id, artifacts)
        return Experiment(where, study, experiment_id, connection.client, bulk)

    with _telling_where(where):
        return _asked_again(open_it, where)


def list_studies(uri: str | None = None) -> list[str]:
    """Return the names of the studies in a store, in alphabetical order.

    Args:
        uri: MLflow's tracking URI; by default :func:`harness.tracking.uris.default_uri`.

    Raises:
        NoStudyError: there is no store.
        StoreError: the store can't be reached.
    """
    where = uri or default_uri()
    # a store may be shared with other programs: an experiment is a study if it has a study's run
    is_study = f"tags.`{Tag.KIND}` = 'study'"

    def ask() -> list[str]:
        client, _ = connect(where, create=False)
        return sorted(
            str(experiment.name)
            for experiment in client.search_experiments()
            if client.search_runs([experiment.experiment_id], is_study, max_results=1)
        )

    with _telling_where(where):
        return _asked_again(ask, where)


def study_pages(uri: str | None = None) -> dict[str, str]:
    """Return where MLflow's UI shows the runs of each study, after the address of its site.

    Args:
        uri: MLflow's tracking URI; by default :func:`harness.tracking.uris.default_uri`.

    Raises:
        NoStudyError: there is no store.
        StoreError: the store can't be reached.
    """
    where = uri or default_uri()
    with _telling_where(where):
        client, _ = connect(where, create=False)
        found = client.search_experiments()
    return {
        str(experiment.name): study_page(experiment.experiment_id)
        for experiment in found
        if Tag.SAVED_VIEW + ARMS_VIEW in experiment.tags
    }


class Owner(NamedTuple):
    """The study that a run belongs to, and the run's name in MLflow's UI."""

    study: str
    run_name: str


def owner_of(run_id: str, uri: str | None = None) -> Owner:
    """Return the study that a run belongs to.

    Args:
        run_id: MLflow's id of the run.
        uri: MLflow's tracking URI; by default :func:`harness.tracking.uris.default_uri`.

    Raises:
        StoreError: MLflow has no such run.
    """
    where = uri or default_uri()
    with _telling_where(where):
        client, _ = connect(where, create=False)
    from mlflow.exceptions import MlflowException

    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        # the second of what could be no id at all, such as a name
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise StoreError(
                f"run {run_id!r}: can't be read from MLflow at {hide_password(where)}: "
                f"{describe_error(error, where)}"
            ) from error
        raise StoreError(
            f"run {run_id!r}: not in MLflow at {hide_password(where)}; {near_run(client, run_id)}"
        ) from None
    return Owner(str(client.get_experiment(run.info.experiment_id).name), str(run.info.run_name))


@contextmanager
def _telling_where(uri: str) -> Iterator[None]:
    """Raise our own error for those of a store that can't be used.

    Raises:
        StoreError: it names the store without its password.
    """
    _configure_mlflow()
    from mlflow.exceptions import MlflowException

    try:
        refuse_silent(uri)
        yield
    except HarnessError:
        raise
    except StoreUnavailable as error:
        raise StoreError(str(error)) from error
    # ValueError: the URI is none; ImportError: there is no driver for the database
    except (
        MlflowException,
        sa.exc.SQLAlchemyError,
        sqlite3.Error,
        OSError,
        ValueError,
        ImportError,
    ) as error:
        raise StoreError(
            f"MLflow at {hide_password(uri)} can't be used: {describe_error(error, uri)}"
        ) from error


def _configure_mlflow() -> None:
    """Set MLflow's variables for this process, before MLflow is imported for the first time.

    MLflow reads most of them when it needs them, but decides about telemetry when it is imported.
    That is why the modules that import it are themselves imported inside functions here, and
    importing the harness changes nothing.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    # it prints a traceback of each failure that it raises, too: those are told in a sentence
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)


def _find_or_create(client: MlflowClient, study: str, uri: str, create: bool) -> tuple[str, str]:
    """Return the id of a study's experiment and the URI that its artifacts lie under."""
    experiment = client.get_experiment_by_name(study)
    if experiment is None:
        if not create:
            names = [str(each.name) for each in client.search_experiments()]
            hint = did_you_mean(study, [name for name in names if name != DEFAULT_EXPERIMENT])
            raise NoStudyError(
                f"no study {study!r} in MLflow at {hide_password(uri)}; "
                f"run it first with 'harness run'{', or ' * bool(hint)}{hint}"
            )
        artifacts = _artifacts(uri, study)
        _once(
            lambda: client.create_experiment(study, artifact_location=artifacts),
            "RESOURCE_ALREADY_EXISTS",
        )
        experiment = client.get_experiment_by_name(study)
    # An experiment that was deleted in MLflow's UI keeps its name, so that no other can have it,
    # and takes no runs until it is restored.
    if experiment.lifecycle_stage != "active":
        _once(
            lambda: client.restore_experiment(experiment.experiment_id), "RESOURCE_DOES_NOT_EXIST"
        )
    return str(experiment.experiment_id), str(experiment.artifact_location)


def _asked_again(ask: Callable[[], _T], uri: str) -> _T:
    """Return a store's answer; one that is locked, or whose answer was lost, is asked again for a
    while.

    Raises:
        StoreUnavailable: for too long.
    """
    from mlflow.exceptions import MlflowException

    from harness.tracking.experiment import may_pass, unavailable

    def attempt(again: bool) -> _T:
        try:
            return ask()
        except (MlflowException, sa.exc.SQLAlchemyError, sqlite3.Error) as error:
            # a database server that is away says so at once, and is away when a study starts
            if may_pass(error, uri) and uri.startswith(("http", "sqlite")):
                raise unavailable(error, uri) from error
            raise

    return retry(attempt, OPENING)


def _once(change: Callable[[], object], made: str) -> None:
    """Make a change that is refused where it has been made.

    MLflow's client asks again where the answer was lost, and two drivers may ask at once.

    Args:
        change: the request.
        made: MLflow's code of the refusal.
    """
    from mlflow.exceptions import MlflowException

    try:
        change()
    except MlflowException as error:
        if error.error_code != made:
            raise


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
    from harness.tracking.client_api import ClientApi

    if connection.engine is None:
        return ClientApi(connection.client, experiment_id)
    revision = _revision(connection.engine)
    if not tables_known(revision):
        _tell_unknown_tables(revision)
        return ClientApi(connection.client, experiment_id)
    from harness.tracking.database import Database

    return Database(connection.engine, experiment_id, artifacts)


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


@contextmanager
def _no_migration_lines() -> Iterator[None]:
    """Keep alembic's line about every migration off the screen: a new store has seventy of them."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)


def _prepare_sqlite(uri: str, create: bool) -> None:
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
    from mlflow.tracking._tracking_service.utils import _get_store

    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = marked(".mlflow", path.parent)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=prefix) as folder:
        fresh = Path(folder) / "mlflow.db"
        _refuse_full(fresh.with_name("room"))
        with _no_migration_lines():
            store = _get_store(sqlite_uri(fresh))
        with store.engine.connect() as connection:
            connection.execute(sa.text("PRAGMA journal_mode=WAL"))
        # Closing the last connection folds the log into the file; only the file is moved.
        store.engine.dispose()
        _put_in_place(fresh, path)


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
