"""Finding and opening the MLflow store."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

import sqlalchemy as sa
from mlflow.tracking import MlflowClient
from mlflow.tracking._tracking_service.utils import _get_store

from harness.core.errors import NoStudyError


def default_uri() -> str:
    """Return ``MLFLOW_TRACKING_URI``, or the SQLite file in the working folder, where ``mlflow ui`` looks by itself."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Path.cwd() / 'mlflow.db'}"


def remote(uri: str) -> bool:
    """Return whether the store is a server, which may be slow or away.

    >>> remote("http://127.0.0.1:5000"), remote("postgresql://db/mlflow"), remote("sqlite:///mlflow.db")
    (True, True, False)
    """
    return uri.startswith(("http", "postgresql", "mysql", "mssql"))


def connect(uri: str, create: bool) -> tuple[MlflowClient, Any]:
    """Return a client, and the SQLAlchemy engine where the store is a database that this process reaches itself.

    Raises:
        NoStudyError: there is no store and ``create`` is false.
    """
    _prepare_sqlite(uri, create)
    with quiet():
        return MlflowClient(uri), getattr(_get_store(uri), "engine", None)


def artifact_place(uri: str, study: str) -> str | None:
    """Return where a new experiment keeps its artifacts: beside an SQLite file, or wherever a server says (None)."""
    if not uri.startswith("sqlite:///"):
        return None
    folder = (
        Path(uri.removeprefix("sqlite:///")).resolve().parent
        / "mlartifacts"
        / study.replace(" ", "_")
    )
    return folder.as_uri()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep alembic's line about every migration off the screen."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)


def _prepare_sqlite(uri: str, create: bool) -> None:
    """Create the file under another name and move it into place, so that a kill never leaves half a schema."""
    path = Path(uri.removeprefix("sqlite:///"))
    if not uri.startswith("sqlite:///") or path.exists():
        return
    if not create:
        raise NoStudyError(
            f"no MLflow store at {path}; run a study first, or set MLFLOW_TRACKING_URI"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".mlflow-") as folder:
        fresh = Path(folder) / "mlflow.db"
        with quiet():
            store = _get_store(f"sqlite:///{fresh}")
        with store.engine.connect() as connection:
            connection.execute(sa.text("PRAGMA journal_mode=WAL"))
        store.engine.dispose()
        os.replace(fresh, path)
