"""``ui``: MLflow's server on the store, for as long as the command runs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from harness.core.errors import HarnessError, StoreError

TRAINING_RUNS = "#/experiments?workflowType=machine_learning"
"""Where MLflow's UI shows training runs; by itself it opens on pages for language models."""
MOST_LINKS = 40
"""Studies whose pages are listed."""


def serve_ui(uri: str | None, port: int) -> None:
    """Run MLflow's server on the store until Ctrl-C; of a store that is a server, say where it is.

    The server runs under a keeper (:mod:`harness.cli.keeper`), which ends it however this process
    ends.

    Args:
        uri: MLflow's tracking URI; by default :func:`harness.tracking.default_uri`.
        port: on 127.0.0.1.

    Raises:
        StoreError: there is no store yet.
        HarnessError: the port is taken.
        SystemExit: the server ended by itself, with an error.
    """
    from harness.tracking import default_uri, hide_password
    from harness.tracking.uris import sqlite_path

    where = uri or default_uri()
    if where.startswith("http"):
        print(f"the store is a server already: open {hide_password(where)}")
        return
    file = sqlite_path(where)
    if file is not None and not file.exists():
        raise StoreError(f"no MLflow store at {file}; run a study first, or give --store")
    _refuse_taken(port)
    keeper = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("keeper.py")), *_command(where, port)],
        # a pipe that nobody writes to: it is closed when this process ends, whatever ends it
        stdin=subprocess.PIPE,
        env=os.environ | _SETTINGS,
        start_new_session=True,  # Ctrl-C comes to this process alone, which lets the keeper end
    )
    try:
        _tell(where, f"http://127.0.0.1:{port}")
        status = keeper.wait()
    except KeyboardInterrupt:
        status = 0
    finally:
        assert keeper.stdin is not None
        keeper.stdin.close()
        keeper.wait()
    if status > 0:
        raise SystemExit(status)


_SETTINGS = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
"""MLflow's queue of jobs would start processes of its own, and nothing here uses it."""


def _command(where: str, port: int) -> list[str]:
    command = [sys.executable, "-m", "mlflow", "server"]
    command += ["--backend-store-uri", where]
    command += ["--host", "127.0.0.1", "--port", str(port)]  # this machine only
    return [*command, "--workers", "1"]  # one person looks; each worker takes seconds and memory


def _refuse_taken(port: int) -> None:
    with socket.socket() as tried:
        # as servers do, so that a port that one has just left counts as free
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            raise HarnessError(
                f"port: {port} is taken on this machine, perhaps by another 'harness ui'; "
                f"give another, such as --port {port + 1}"
            ) from None


def _tell(where: str, site: str) -> None:
    """Say where the UI is, and where each study's arms are shown."""
    from harness.tracking.studies import study_pages

    print(f"MLflow's UI: {site}/{TRAINING_RUNS}   (Ctrl-C ends it)", flush=True)
    pages = study_pages(where)
    for name, page in list(pages.items())[:MOST_LINKS]:
        print(f"  {name}: {site}/{page}", flush=True)
