"""Where the store is, and how to say so without its password."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa


def default_uri() -> str:
    """Return ``MLFLOW_TRACKING_URI``, or the SQLite file in the working folder, where ``mlflow ui``
    looks by itself."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Path.cwd() / 'mlflow.db'}"


def is_remote(uri: str) -> bool:
    """Return whether the store is a server, which may be slow or away.

    >>> uris = "http://127.0.0.1:5000", "postgresql://db/mlflow", "sqlite:///mlflow.db"
    >>> [is_remote(uri) for uri in uris]
    [True, True, False]
    """
    return uri.startswith(("http", "postgresql", "mysql", "mssql"))


def sqlite_path(uri: str) -> Path | None:
    """Return the path of an SQLite store's file, or None for any other store."""
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


def site(uri: str) -> str:
    """Return where MLflow's UI on a store is: ``HARNESS_SITE``, the server itself, or where
    ``harness ui`` serves it."""
    server = hide_password(uri) if uri.startswith("http") else "http://127.0.0.1:5000"
    return os.environ.get("HARNESS_SITE", server).rstrip("/")


def hide_password(uri: str) -> str:
    """Return the URI without its password.

    >>> hide_password("postgresql://me:secret@db/mlflow")
    'postgresql://me:***@db/mlflow'
    """
    try:
        return sa.engine.make_url(uri).render_as_string(hide_password=True)
    except sa.exc.ArgumentError:
        return uri


def describe_error(error: BaseException, uri: str) -> str:
    """Return the first line of an error's message, without the URI's password."""
    lines = str(error).strip().splitlines()
    text = lines[0][:300] if lines else type(error).__name__
    try:
        password = str(sa.engine.make_url(uri).password or "")
    except sa.exc.ArgumentError:
        return text
    # Drivers quote the URI either as it was given or decoded, so both forms of the password are
    # looked for.
    for form in filter(None, {password, quote(password, safe="")}):
        text = text.replace(form, "***")
    return text
