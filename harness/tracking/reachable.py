"""Whether a server answers at all: MLflow waits for minutes before it says that none does."""

from __future__ import annotations

import socket

from harness.tracking.uris import is_database

CONNECTING, ANSWERING = 4.0, 5.0
"""Seconds that a server may take to be reached, and to answer."""
_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}


def refuse_silent(uri: str) -> None:
    """Refuse a server that can't be reached, and a tracking server that does not answer.

    Args:
        uri: MLflow's tracking URI; of a file nothing is asked.

    Raises:
        OSError: nobody answers there; whatever the answer is, MLflow judges it.
    """
    if is_database(uri):
        return _refuse_silent_database(uri)
    if not uri.startswith(("http://", "https://")):
        return
    import requests

    address, seconds = f"{uri.rstrip('/')}/health", (CONNECTING, ANSWERING)
    try:
        # in a stream, since only the answer's beginning is waited for
        requests.get(address, timeout=seconds, stream=True).close()
    except requests.exceptions.SSLError:  # MLflow's own settings may allow it
        return
    except requests.exceptions.Timeout as error:
        raise TimeoutError(f"it has not answered within {sum(seconds):g} seconds") from error
    except requests.exceptions.ConnectionError as error:
        raise ConnectionError("nobody answers there; is it running?") from error


def _refuse_silent_database(uri: str) -> None:
    """Refuse a database's server that nobody can connect to: drivers wait for minutes.

    Raises:
        OSError: nobody takes connections there.
    """
    from sqlalchemy import make_url

    url = make_url(uri)
    if not url.host or "," in url.host:  # a socket's file, or several hosts: its driver knows
        return
    address = (url.host, url.port or _PORTS[url.get_backend_name()])
    try:
        socket.create_connection(address, timeout=CONNECTING).close()
    except TimeoutError as error:
        raise TimeoutError(f"it has not answered within {CONNECTING:g} seconds") from error
    except OSError as error:
        raise ConnectionError(f"nobody answers there ({error.strerror or error})") from error
