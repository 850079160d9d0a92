"""Whether a server answers at all: MLflow waits for minutes before it says that none does."""

from __future__ import annotations

from harness.tracking.uris import is_database

CONNECTING, ANSWERING = 4.0, 5.0
"""Seconds that a server may take to be reached, and to answer."""


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
    """Refuse a database's server that takes no connection: MLflow would try again for minutes.

    Raises:
        SQLAlchemyError: nobody answers there, or refuses.
    """
    import sqlalchemy as sa

    if sa.make_url(uri).get_backend_name() not in ("postgresql", "mysql"):
        return  # drivers whose limit of time has another name
    engine = sa.create_engine(uri, connect_args={"connect_timeout": int(CONNECTING + ANSWERING)})
    try:
        engine.connect().close()
    finally:
        engine.dispose()
