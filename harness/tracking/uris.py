"""Where the store is, and how to say so without its password.

Whatever is printed, logged or recorded of a tracking URI goes through :func:`hide_password` or
:func:`describe_error`.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa


def default_uri() -> str:
    """Return ``MLFLOW_TRACKING_URI``, or the SQLite file in the working folder, where ``mlflow ui``
    looks by itself.

    Both are read at every call, so that a process may change them.
    """
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Path.cwd() / 'mlflow.db'}"


def is_remote(uri: str) -> bool:
    """Return whether the store is a server, which may be slow or away.

    Runs on their way to one wait in a spool (:mod:`harness.tracking.spool`).

    >>> uris = "http://127.0.0.1:5000", "postgresql://db/mlflow", "sqlite:///mlflow.db"
    >>> [is_remote(uri) for uri in uris]
    [True, True, False]
    """
    return uri.startswith(("http", "postgresql", "mysql", "mssql"))


def sqlite_path(uri: str) -> Path | None:
    """Return the path of an SQLite store's file, or None for any other store."""
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


def locate_ui(uri: str) -> str:
    """Return the address of MLflow's UI on a store, without a slash at its end.

    ``HARNESS_SITE`` comes first, for a server that browsers know by another name than this process
    does; then the server itself, or where ``harness ui`` serves a store without one.
    """
    server = hide_password(uri) if uri.startswith("http") else "http://127.0.0.1:5000"
    return os.environ.get("HARNESS_SITE", server).rstrip("/")


def hide_password(uri: str) -> str:
    """Return the URI without its password; a text that is no URI stays as it is.

    >>> hide_password("postgresql://me:secret@db/mlflow")
    'postgresql://me:***@db/mlflow'
    """
    try:
        return sa.engine.make_url(uri).render_as_string(hide_password=True)
    except sa.exc.ArgumentError:
        return uri


def describe_error(error: BaseException, uri: str) -> str:
    """Return the first line of an error's message, without the URI's password.

    Args:
        error: of MLflow, SQLAlchemy or the system; their further lines are statements and traces.
        uri: of the store that raised it.

    Returns:
        300 characters at most; the error's class where it has no message.
    """
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
