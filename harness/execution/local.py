"""Executors on this machine: worker processes of one thread each, or none at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

from harness.core.gpus import surely_no_gpu
from harness.execution.worker_environment import worker_environment

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

    # They start now, and import torch (seconds) while the driver is still busy with stores and
    # plans.
    if surely_no_gpu():
        from harness.execution.forked import begun_fork_server

        server = begun_fork_server()
        return Workers(workers, lambda _: server.fork(), server.end)
    from harness.execution.fresh import FreshWorker

    gpus = visible_gpus() if share_gpus else []
    return Workers(workers, lambda number: FreshWorker(worker_environment(gpus, number)))


def visible_gpus() -> list[str]:
    """Return the GPUs that this process may use, as ``CUDA_VISIBLE_DEVICES`` names them."""
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if listed:
        return listed.split(",")
    if surely_no_gpu():
        return []
    import torch

    return [str(i) for i in range(torch.cuda.device_count())]


def default_workers() -> int:
    """Return the number of workers that suits this machine: one a GPU, else one a core."""
    if not surely_no_gpu():
        import torch

        if torch.cuda.is_available():
            return torch.cuda.device_count()
    # the cores that this process may use, fewer than the machine's in a container or under taskset;
    # macOS can't tell
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
