"""What may stand for a store: an SQLite file, a server, a database; nothing else keeps a study."""

from __future__ import annotations

import re
from importlib.metadata import entry_points

from harness.core.errors import StoreError
from harness.tracking.uris import hide_password, sqlite_path

SERVERS = ("http", "https", "postgresql", "mysql", "mssql", "databricks", "databricks-uc")
"""Schemes of MLflow's stores that are reached over a network."""


def check_address(uri: str) -> None:
    """Refuse what is no store's address, for which MLflow has many words.

    Args:
        uri: MLflow's tracking URI; schemes of MLflow's plug-ins are known too.

    Raises:
        StoreError: it is a folder, a path, a scheme that nothing serves, or a database in memory,
            which ends with the process.
    """
    scheme, parted, rest = uri.partition(":")
    known = scheme.partition("+")[0] in SERVERS
    if (known and rest.startswith("//")) or (uri in SERVERS and not parted) or _has_plugin(scheme):
        return
    path = sqlite_path(uri)
    if path is not None and str(path) not in (".", ":memory:"):
        return
    raise StoreError(
        "store: expected an address such as sqlite:///mlflow.db, http://127.0.0.1:5000 or "
        f"postgresql://host/database, got {hide_password(uri)!r}{_fix(uri)}"
    )


def _has_plugin(scheme: str) -> bool:
    """Return whether a package that is installed serves a scheme."""
    # asked last, since it reads the descriptions of all packages
    return bool(entry_points(group="mlflow.tracking_store", name=scheme))


def _fix(uri: str) -> str:
    """Return what was meant, where it can be told, as the end of a message."""
    if uri.startswith("sqlite"):
        return "; three slashes come before the file's name, four before a path from the root"
    if re.fullmatch(r"[\w.-]+:\d+/?", uri):
        return f"; a server is http://{uri}"
    path = uri.removeprefix("file://").rstrip("/")
    if not path or ":" in path:
        return ""
    file = path if re.search(r"\.(db|sqlite3?)$", path) else f"{path}/mlflow.db"
    return f"; MLflow's runs in an SQLite file there are sqlite:///{file}"
