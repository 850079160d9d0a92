"""The way to MLflow's store.

The one place that makes MLflow's client. MLflow is imported inside functions: its import takes
seconds, and must come after :func:`configure_mlflow`. A store that is an SQLite file is reached
without it, and its client is made when something asks for what only MLflow can do.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import sqlalchemy as sa

from harness.core.errors import HarnessError, StoreError
from harness.tracking.addresses import check_address
from harness.tracking.reachable import refuse_silent
from harness.tracking.retry import StoreUnavailable, retry
from harness.tracking.sqlite_file import known_engine, no_migration_lines, prepare_sqlite
from harness.tracking.uris import describe_error, hide_password

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

_T = TypeVar("_T")
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


class Connection(NamedTuple):
    """A way to a store."""

    client: MlflowClient
    engine: sa.Engine | None
    """Of the store's database, where this process reaches it itself; None for a server."""

    @property
    def file(self) -> sa.Engine | None:
        """The engine, of an SQLite file whose tables are known; such a store is written and read
        without MLflow's client."""
        return self.engine if isinstance(self.client, _LaterClient) else None


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
    configure_mlflow()
    prepare_sqlite(uri, create)
    engine = known_engine(uri)
    if engine is not None:
        return Connection(cast("MlflowClient", _LaterClient(uri)), engine)
    from mlflow.tracking import MlflowClient
    from mlflow.tracking._tracking_service.utils import _get_store

    # MLflow keeps one store object for each URI, so this is the one that the client uses. The store
    # of a server has no engine.
    # A new database gets its tables here, an old one is checked.
    with no_migration_lines():
        return Connection(MlflowClient(uri), getattr(_get_store(uri), "engine", None))


class _LaterClient:
    """Stands for MLflow's client, which is made when it is first asked for something.

    Args:
        uri: of the store.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri

    @cached_property
    def _client(self) -> MlflowClient:
        from mlflow.tracking import MlflowClient

        with no_migration_lines():
            return MlflowClient(self._uri)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


@contextmanager
def telling_where(uri: str) -> Iterator[None]:
    """Raise our own error for those of a store that can't be used.

    Raises:
        StoreError: it names the store without its password.
    """
    check_address(uri)
    configure_mlflow()
    from harness.tracking.experiment import mlflow_errors

    try:
        refuse_silent(uri)
        yield
    except HarnessError:
        raise
    except StoreUnavailable as error:
        raise StoreError(str(error)) from error
    # ValueError: the URI is none; ImportError: there is no driver for the database
    except mlflow_errors(
        sa.exc.SQLAlchemyError,
        sqlite3.Error,
        OSError,
        ValueError,
        ImportError,
    ) as error:
        raise StoreError(
            f"MLflow at {hide_password(uri)} can't be used: {describe_error(error, uri)}"
        ) from error


def asked_again(ask: Callable[[], _T], uri: str) -> _T:
    """Return a store's answer; one that is locked, or whose answer was lost, is asked again for a
    while.

    Raises:
        StoreUnavailable: for too long.
    """
    from harness.tracking.experiment import may_pass, mlflow_errors, unavailable

    def attempt(again: bool) -> _T:
        try:
            return ask()
        except mlflow_errors(sa.exc.SQLAlchemyError, sqlite3.Error) as error:
            # a database server that is away says so at once, and is away when a study starts
            if may_pass(error, uri) and uri.startswith(("http", "sqlite")):
                raise unavailable(error, uri) from error
            raise

    return retry(attempt, OPENING)


def configure_mlflow() -> None:
    """Set MLflow's variables for this process, before MLflow is imported for the first time.

    MLflow reads most of them when it needs them, but decides about telemetry when it is imported.
    That is why the modules that import it are themselves imported inside functions here, and
    importing the harness changes nothing.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    # it prints a traceback of each failure that it raises, too: those are told in a sentence
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
