"""Real servers for tests: PostgreSQL from Debian's package, MLflow's from its own, on free ports of
127.0.0.1."""

import glob
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

PASSWORD = "open-sesame-4711"
START_SECONDS = 300
"""Longer than any start; on a busy machine one may take minutes."""


def free_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


def postgres_folder():
    """Return the folder of PostgreSQL's programs, or None."""
    versions = sorted(
        glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4])
    )
    return os.path.dirname(versions[-1]) if versions else None


def _as_user():
    """PostgreSQL refuses to run as root: its package made a user for it."""
    if os.getuid() != 0:
        return []
    pwd.getpwnam("postgres")
    return ["runuser", "-u", "postgres", "--"]


@contextmanager
def postgres():
    """Run a server with two databases; yield their URIs by name."""
    # not in pytest's folder, which any other session of it shuts to PostgreSQL's user
    with (
        tempfile.TemporaryDirectory(prefix="harness-postgres-") as folder,
        _postgres_in(Path(folder)) as uris,
    ):
        yield uris


@contextmanager
def _postgres_in(folder):
    programs, data, port, user = postgres_folder(), folder / "data", free_port(), _as_user()
    secret = folder / "password"
    secret.write_text(PASSWORD)
    if user:
        shutil.chown(folder, "postgres")
        shutil.chown(secret, "postgres")
    init = [
        f"{programs}/initdb",
        "-D",
        str(data),
        "-U",
        "harness",
        "--auth=scram-sha-256",
        f"--pwfile={secret}",
        "--no-sync",
    ]
    subprocess.run([*user, *init], check=True, capture_output=True, cwd=folder)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off"
    control = [*user, f"{programs}/pg_ctl", "-D", str(data), "-w"]
    subprocess.run(
        [*control, "start", "-l", str(folder / "log"), "-o", options],
        check=True,
        capture_output=True,
        cwd=folder,
    )
    uri = f"postgresql://harness:{PASSWORD}@127.0.0.1:{port}"
    try:
        engine = sa.create_engine(f"{uri}/postgres", isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for name in ("mlflow", "optuna"):
                connection.execute(sa.text(f"CREATE DATABASE {name}"))
        engine.dispose()
        yield {name: f"{uri}/{name}" for name in ("mlflow", "optuna")}
    finally:
        subprocess.run(
            [*control, "stop", "-m", "immediate"], check=True, capture_output=True, cwd=folder
        )


class MlflowServer:
    """An MLflow server that can be taken away and brought back at the same address."""

    def __init__(self, folder, backend, workers):
        self.folder, self.backend, self.workers, self.port = folder, backend, workers, free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        command = [
            sys.executable,
            "-m",
            "mlflow",
            "server",
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--workers",
            str(self.workers),
        ]
        stores = [
            "--backend-store-uri",
            self.backend,
            "--artifacts-destination",
            str(self.folder / "artifacts"),
        ]
        quiet = os.environ | {
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        }
        with (self.folder / "server.log").open("a") as log:
            self.process = subprocess.Popen(
                [*command, *stores],
                stdout=log,
                stderr=log,
                env=quiet,
                cwd=self.folder,
                start_new_session=True,
            )
        self._wait()

    def _wait(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{self.uri}/health", timeout=1).close()
                return
            except OSError:
                assert self.process.poll() is None, (self.folder / "server.log").read_text()[-2000:]
                time.sleep(0.2)
        raise TimeoutError(f"MLflow's server did not start within {START_SECONDS} s")

    def stop(self):
        if self.process is not None:
            os.killpg(self.process.pid, 15)
            self.process.wait(20)
            self.process = None


@contextmanager
def mlflow_server(folder, backend, workers=1):
    server = MlflowServer(folder, backend, workers)
    server.start()
    try:
        yield server
    finally:
        server.stop()
