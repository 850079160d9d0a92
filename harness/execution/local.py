"""Executors on this machine: loky processes of one thread each, or none at all."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

from harness.core.process import REPRODUCIBLE_MKL

_Arguments = ParamSpec("_Arguments")
_Returned = TypeVar("_Returned")


class Serial(Executor):
    """Runs every call when it is submitted, in this process."""

    def submit(
        self,
        fn: Callable[_Arguments, _Returned],
        /,
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> Future[_Returned]:
        future: Future[_Returned] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def local_executor(workers: int) -> Executor:
    """Return an executor.

    Args:
        workers: number of worker processes; 0 trains in this process.
    """
    if workers == 0:
        return Serial()
    from loky import ProcessPoolExecutor

    pool: Executor = ProcessPoolExecutor(
        max_workers=workers,
        initializer=_start,
        initargs=(list(sys.path),),
        env={
            # Read when torch is loaded, before a worker can say it to torch itself.
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            REPRODUCIBLE_MKL[0]: os.environ.get(*REPRODUCIBLE_MKL),
        },
        # Idle workers stay: a stage may keep the driver busy for longer than loky waits.
        timeout=None,
    )
    # Workers start with their first task. They get one now, and import torch (seconds) while the
    # driver is still busy with stores and plans.
    for _ in range(workers):
        pool.submit(_import_engine)
    return pool


def _import_engine() -> None:
    import harness.engine.loop  # noqa: F401


def _start(paths: list[str]) -> None:
    """Prepare a worker.

    Args:
        paths: the driver's import path, so that the user's own modules are found.
    """
    import signal

    # Ctrl-C goes to all processes of a terminal; the driver alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with, args=(os.getppid(),), daemon=True).start()
    sys.path[:] = paths
    import torch

    torch.set_num_threads(1)


def _leave_with(driver: int) -> None:
    """End this worker soon after the driver is gone: one that was killed can't stop its workers."""
    while os.getppid() == driver:
        time.sleep(1)
    os._exit(1)


def default_workers() -> int:
    """Return one worker a GPU, or one a core where there is none."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.device_count()
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
