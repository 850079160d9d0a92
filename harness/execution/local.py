"""Executors on this machine: loky processes of one thread each, or none at all.

loky and not the standard library's pool: its workers start afresh (a fork of a process that has
used torch's threads or CUDA hangs or fails), and it pickles functions of a user's own script.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from harness.core import kernels
from harness.core.importing import importing
from harness.core.process import REPRODUCIBLE_MKL
from harness.execution.signals import GRACE
from harness.execution.watch import owns_process

if TYPE_CHECKING:
    from loky import ProcessPoolExecutor

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
        """Call ``fn`` at once; its result or error is in the future that is returned."""
        future: Future[_Returned] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        # sys.exit in a user's code is an error of the call, as it is in a worker
        except (Exception, SystemExit) as error:
            future.set_exception(error)
        return future


def local_executor(workers: int, share_gpus: bool = True) -> Executor:
    """Return an executor of worker processes, or one that works in this process.

    Args:
        workers: number of worker processes; 0 trains in this process.
        share_gpus: whether each takes the next GPU for its own; else all see them as this process.

    Returns:
        The executor; its workers have already begun to import torch.
    """
    if workers == 0:
        return Serial()
    from harness.execution.workers import Workers

    # Workers start with their first task. They get one now, and import torch (seconds) while the
    # driver is still busy with stores and plans.
    gpus = visible_gpus() if share_gpus else []
    return Workers(workers, partial(_one_process, gpus), _import_engine)


_GPU_DEVICES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
"""What the drivers of GPUs make on Linux: NVIDIA's, AMD's, and that of Windows under it."""


def _surely_no_gpu() -> bool:
    """Return whether the machine has none, as far as its devices tell: torch, which knows, takes a
    second to import, for which workers would have to wait."""
    return sys.platform == "linux" and not any(map(os.path.exists, _GPU_DEVICES))


def visible_gpus() -> list[str]:
    """Return the GPUs that this process may use, as ``CUDA_VISIBLE_DEVICES`` names them."""
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if listed:
        return listed.split(",")
    if _surely_no_gpu():
        return []
    import torch

    return [str(i) for i in range(torch.cuda.device_count())]


def _one_process(gpus: list[str], number: int) -> ProcessPoolExecutor:
    """Return an executor of one process, which starts with its first call.

    Args:
        gpus: the first one of a process is its own, "cuda" to torch in every worker, so that
            checkpoints move between them; the others come after it, for runs of several processes.
        number: the worker's.
    """
    from loky import ProcessPoolExecutor

    turn = number % len(gpus) if gpus else 0
    own = {"CUDA_VISIBLE_DEVICES": ",".join(gpus[turn:] + gpus[:turn])} if gpus else {}

    return ProcessPoolExecutor(
        max_workers=1,
        initializer=_start,
        initargs=(list(sys.path),),
        env={
            # These are read when torch's libraries are loaded: in the worker it would be too late.
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            # torch's compiler would start processes of its own, one a core in every worker
            "TORCHINDUCTOR_COMPILE_THREADS": "1",
            # a value that the user has set stays
            REPRODUCIBLE_MKL[0]: os.environ.get(*REPRODUCIBLE_MKL),
            kernels.CHOICE: kernels.version(),
            **own,
        },
        # Idle workers stay: a stage may keep the driver busy for longer than loky waits.
        timeout=None,
    )


def _import_engine() -> None:
    with importing():
        import harness.engine.loop  # noqa: F401
    # what is there now stays as long as the process: later collections need not look at it
    gc.freeze()


def _start(paths: list[str]) -> None:
    """Prepare a worker, before its first task.

    Args:
        paths: the driver's import path, so that the user's own modules are found.
    """
    # Ctrl-C goes to all processes of a terminal; the driver alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # daemon: it must not keep a worker alive that is told to end
    threading.Thread(target=_leave_with, args=(os.getppid(),), daemon=True).start()
    sys.path[:] = paths
    owns_process[0] = True
    with importing():
        import torch

    torch.set_num_threads(1)


def _leave_with(driver: int) -> None:
    """End this worker within seconds after the driver is gone, however that went.

    A driver that is killed can't tell its workers, which would train on for nobody.

    Args:
        driver: the driver's process.
    """
    # an orphan is given another parent
    while os.getppid() == driver:
        time.sleep(1)
    # a job that has checkpoints writes one; without a job the signal ends the process at once
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    # not sys.exit, which would end this thread alone
    os._exit(1)


def default_workers() -> int:
    """Return the number of workers that suits this machine: one a GPU, else one a core."""
    if not _surely_no_gpu():
        import torch

        if torch.cuda.is_available():
            return torch.cuda.device_count()
    # the cores that this process may use, fewer than the machine's in a container or under taskset;
    # macOS can't tell
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
