"""Dask clusters of real processes for tests: a scheduler and workers, on this machine or on hosts
that are network namespaces of it."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

MISSING = importlib.util.find_spec("distributed") is None
HERE = Path(__file__).resolve().parent.parent
PATIENCE = 180
"""Seconds that a process may take to start; a worker loads torch, and the machine may be busy."""


class Host(NamedTuple):
    """Where a process runs: what its command begins with, and the address it is reached at."""

    inside: tuple[str, ...] = ()
    address: str = "127.0.0.1"


THIS = Host()


def environment():
    kept = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    return kept | {"PYTHONPATH": str(HERE), "OMP_NUM_THREADS": "1"}


class Cluster:
    """Processes of one cluster, whose working folders and logs lie under a folder."""

    def __init__(self, folder: Path, port: int, host: Host = THIS, settings: dict | None = None):
        self.folder, self.port, self.host = folder, port, host
        self.address = f"tcp://{host.address}:{port}"
        self.settings = {
            f"DASK_DISTRIBUTED__{name.upper()}": value for name, value in (settings or {}).items()
        }
        self.processes: list[subprocess.Popen] = []
        self.scheduler: subprocess.Popen | None = None

    def start(self, name: str, host: Host, *command: str) -> subprocess.Popen:
        """Start a module of Python in a folder of its own."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        with (folder / "log").open("a") as log:
            process = subprocess.Popen(
                [*host.inside, sys.executable, "-m", *command],
                cwd=folder,
                env=environment() | self.settings,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def start_scheduler(self) -> None:
        module = "distributed.cli.dask_scheduler"
        at = ("--host", self.host.address, "--port", str(self.port), "--no-dashboard")
        self.scheduler = self.start("scheduler", self.host, module, *at)
        self.wait_for("scheduler", "Scheduler at:")

    def start_worker(self, name: str, host: Host = THIS, *flags: str) -> subprocess.Popen:
        module = "distributed.cli.dask_worker"
        usual = ("--nthreads", "1", "--no-dashboard", "--host", host.address, "--name", name)
        return self.start(name, host, module, self.address, *usual, *flags)

    def wait_for(self, name: str, said: str) -> None:
        """Wait until a process has said something."""
        log, deadline = self.folder / name / "log", time.monotonic() + PATIENCE
        while said not in log.read_text():
            assert time.monotonic() < deadline, log.read_text()[-2000:]
            time.sleep(0.1)

    def close(self) -> None:
        for process in self.processes:
            kill(process)


def workers_of(nanny: subprocess.Popen) -> list[psutil.Process]:
    """Return the worker's own processes, which its nanny starts again when they die."""
    below = psutil.Process(nanny.pid).children(recursive=True)
    return [child for child in below if "spawn_main" in " ".join(child.cmdline())]


def kill(process: subprocess.Popen) -> None:
    """Kill a process with all that it has started."""
    if process.poll() is None:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)


@contextmanager
def cluster(folder: Path, port: int, host: Host = THIS, **settings: str):
    """Yield a cluster with a scheduler and no workers yet; all of it is killed at the end."""
    made = Cluster(folder, port, host, settings)
    try:
        made.start_scheduler()
        yield made
    finally:
        made.close()
