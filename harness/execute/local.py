"""Workers on this machine: loky processes of one thread each, or none at all."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np

SLOTS = 100_000


class Serial(Executor):
    """Runs every job at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def local_executor(workers: int) -> Executor:
    """Return an executor with the given number of worker processes; 0 trains in this process."""
    if workers == 0:
        return Serial()
    from loky import ProcessPoolExecutor

    pool: Executor = ProcessPoolExecutor(
        max_workers=workers,
        initializer=_start,
        initargs=(list(sys.path),),
        env={"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        timeout=None,
    )
    return pool


def _start(paths: list[str]) -> None:
    """Prepare a worker: the same import path as the driver, and Ctrl-C left to the driver."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.path[:] = paths
    import torch

    torch.set_num_threads(1)


def default_workers() -> int:
    """Return one worker a core; one in all where there is a GPU."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.device_count()
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Board:
    """Counters in a file that workers write and the driver reads."""

    def __init__(self) -> None:
        handle, name = tempfile.mkstemp(prefix="harness-", suffix=".progress")
        os.close(handle)
        self.path, self.next = Path(name), 0
        self.counts = np.memmap(self.path, dtype=np.int64, mode="w+", shape=(SLOTS,))

    def slot(self) -> int:
        """Return a counter for a new job."""
        self.next = (self.next + 1) % SLOTS
        return self.next

    def total(self) -> int:
        """Return the sum of all counters."""
        return int(self.counts[: self.next + 1].sum())

    def close(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)
