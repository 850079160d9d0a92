"""Whether a server answers at all: MLflow waits for minutes before it says that none does."""

from __future__ import annotations

CONNECTING, ANSWERING = 4.0, 5.0
"""Seconds that a server may take to be reached, and to answer."""


def refuse_silent(uri: str) -> None:
    """Refuse a tracking server that can't be reached or does not answer.

    Args:
        uri: MLflow's tracking URI; of other stores than servers nothing is asked.

    Raises:
        OSError: nobody answers there; whatever the answer is, MLflow judges it.
    """
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
