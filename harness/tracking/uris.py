"""Where the store is, and how to say so without its password.

Whatever is printed, logged or recorded of a tracking URI goes through :func:`hide_password` or
:func:`describe_error`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote, unquote_plus

DATABASE_PACKAGES = {
    "psycopg": "psycopg[binary]",
    "psycopg2": "psycopg2-binary",
    "MySQLdb": "mysqlclient",
}
"""What is to be installed where a module that speaks to a database is missing, by the module."""


def default_uri() -> str:
    """Return ``MLFLOW_TRACKING_URI``, or the SQLite file in the working folder, where ``mlflow ui``
    looks by itself.

    Both are read at every call, so that a process may change them.
    """
    return os.environ.get("MLFLOW_TRACKING_URI") or sqlite_uri(Path.cwd() / "mlflow.db")


def sqlite_uri(path: Path) -> str:
    """Return the URI of an SQLite file.

    In it a ``?`` ends the path and ``%20`` is a blank. MLflow does not read it that way everywhere,
    so that a folder with such a name is named from the working folder.
    """
    odd = any(character in str(path) for character in "%?#")
    return f"sqlite:///{os.path.relpath(path) if odd else path}"


def is_remote(uri: str) -> bool:
    """Return whether the store is a server, which may be slow or away.

    Runs on their way to one wait in a spool (:mod:`harness.tracking.spool`).

    >>> uris = "http://127.0.0.1:5000", "postgresql://db/mlflow", "sqlite:///mlflow.db"
    >>> [is_remote(uri) for uri in uris]
    [True, True, False]
    """
    return uri.startswith("http") or is_database(uri)


def is_database(uri: str) -> bool:
    """Return whether the store is a database's server."""
    return uri.startswith(("postgresql", "mysql", "mssql"))


def sqlite_path(uri: str) -> Path | None:
    """Return the path of an SQLite store's file, or None for any other store."""
    # as SQLAlchemy reads it
    name = uri.removeprefix("sqlite:///").partition("?")[0]
    return Path(unquote(name)) if uri.startswith("sqlite:///") else None


def locate_ui(uri: str) -> str:
    """Return the address of MLflow's UI on a store, without a slash at its end.

    ``HARNESS_SITE`` comes first, for a server that browsers know by another name than this process
    does; then the server itself, or where ``harness ui`` serves a store without one.
    """
    server = hide_password(uri) if uri.startswith("http") else "http://127.0.0.1:5000"
    return os.environ.get("HARNESS_SITE", server).rstrip("/")


_USER = re.compile(r"(?P<before>://[^\s:/@?#]*):(?P<secret>\S*?)@(?=[^\s@/?#]*(?:[\s/?#'\"),;]|$))")
"""A password before a host. Where one has an ``@`` in it, the last before the host counts."""
_LONE_USER = re.compile(r"(?P<before>https?://)(?P<secret>[^\s:/@?#]+)@")
"""The name alone before a host: of web servers it is a token more often than a person."""
_FIELD = re.compile(r"(?<![^\s?&;#{'\"(,])(?P<before>[\w.%+-]+=)(?P<secret>[^&#\s'\"),]+)")
"""A name and its value: of a URI's query, or of a driver's settings such as ``password=…``."""
_SECRET_NAMES = re.compile(
    r"pass(?!ive)|pwd|secret|token|credential|signature|sig$|api.?key|access.?key|sslkey|auth|"
    r"odbc.connect",
    re.IGNORECASE,
)
"""What is in the names of values that are nobody's business, after percent-decoding."""
_HIDDEN = "***"


def hide_password(uri: str) -> str:
    """Return a URI, or a text with URIs in it, without passwords: before the host, and in the
    query, where a password or token may have many names.

    >>> hide_password("postgresql://me:secret@db/mlflow?sslmode=require&sslpassword=other")
    'postgresql://me:***@db/mlflow?sslmode=require&sslpassword=***'
    """
    hidden = _USER.sub(rf"\g<before>:{_HIDDEN}@", uri)
    hidden = _LONE_USER.sub(rf"\g<before>{_HIDDEN}@", hidden)
    return _FIELD.sub(lambda found: _hidden_field(found)[0], hidden)


def _hidden_field(found: re.Match[str]) -> tuple[str, str]:
    """Return a name and its value as they may be shown, and the value where it is secret."""
    if not _SECRET_NAMES.search(unquote(found["before"])):
        return found[0], ""
    return found["before"] + _HIDDEN, found["secret"]


def _secrets(uri: str) -> list[str]:
    """Return the secret texts of a URI in all forms that drivers quote, the longest first."""
    raw = [found["secret"] for pattern in (_USER, _LONE_USER) for found in pattern.finditer(uri)]
    raw += [_hidden_field(found)[1] for found in _FIELD.finditer(uri)]
    # what SQLAlchemy takes for the host, where a password has an @ that should have been %40
    raw += [part for text in raw for part in text.split("@")[1:]]
    plain = {decoded for text in raw for decoded in (text, unquote(text), unquote_plus(text))}
    forms = {form for text in plain for form in (text, quote(text, safe=""), repr(text)[1:-1])}
    return sorted(filter(None, forms), key=len, reverse=True)


def hide_in_text(text: str, *uris: str) -> str:
    """Return a text without the secrets of some URIs, however they are quoted, nor those of URIs
    that stand in it."""
    for secret in sorted({s for uri in uris for s in _secrets(uri)}, key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return hide_password(text)


def hide_in_error(error: BaseException, *uris: str) -> None:
    """Take secrets out of an error, and of those that it comes from: tracebacks show them all."""
    seen: list[BaseException] = []
    here: BaseException | None = error
    while here is not None and here not in seen:
        seen.append(here)
        here.args = tuple(
            hide_in_text(arg, *uris) if isinstance(arg, str) else arg for arg in here.args
        )
        # MLflow's errors keep their text a second time
        if isinstance(getattr(here, "message", None), str):
            with suppress(AttributeError):
                here.message = hide_in_text(here.message, *uris)  # type: ignore[attr-defined]
        here = here.__cause__ or here.__context__


def describe_error(error: BaseException, uri: str) -> str:
    """Return the first line of an error's message, without the URI's password.

    The error itself loses it too, for tracebacks.

    Args:
        error: of MLflow, SQLAlchemy or the system; their further lines are statements and traces.
        uri: of the store that raised it.

    Returns:
        300 characters at most; the error's class where it has no message.
    """
    for cause in _causes(error):
        if isinstance(cause, UnicodeEncodeError):
            return _describe_name(cause)
        if isinstance(cause, ImportError) and cause.name in DATABASE_PACKAGES:
            return f"its driver is not installed; pip install '{DATABASE_PACKAGES[cause.name]}'"
    # before it is cut: half a password is one too
    text = hide_in_text(str(error).strip(), uri)
    hide_in_error(error, uri)
    lines = text.splitlines()
    return lines[0][:300] if lines else type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, and those that it came of."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _describe_name(error: UnicodeEncodeError) -> str:
    """Return what is wrong with a name of a study or a file that this Python can't pass on."""
    encoding = sys.getfilesystemencoding()
    if encoding == "utf-8":
        return f"expected names in UTF-8, got {error.object!r}"
    return f"this Python takes names in {encoding} only; start it with PYTHONUTF8=1"
