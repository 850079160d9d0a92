"""Worker processes of this machine that start afresh, each with imports of its own, by loky.

Where a fork won't do: with GPUs, whose state does not outlive one, and where forks and the system's
libraries do not go together. loky and not the standard library's pool: it pickles functions of a
user's own script, and does not run that script again.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor
from typing import Any

from loky import ProcessPoolExecutor

from harness.execution.worker_died import WorkerDiedError
from harness.execution.worker_process import become_fresh_worker, import_engine


class FreshWorker:
    """A process that starts at once, and imports torch.

    Args:
        environment: what is set in it beside what this process has.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._executor = ProcessPoolExecutor(
            max_workers=1,
            initializer=become_fresh_worker,
            initargs=(list(sys.path),),
            env=dict(environment),
            # Idle workers stay: a stage may keep the driver busy for longer than loky waits.
            timeout=None,
        )
        # it starts with its first call
        self._executor.submit(import_engine)

    @property
    def dead(self) -> bool:
        """Whether the process has ended."""
        try:  # an executor whose process has ended takes no more calls
            self._executor.submit(int)
        except BrokenExecutor:
            return True
        return False

    @property
    def pid(self) -> int | None:
        """The process's id, once it is there."""
        return next(iter(self._executor._processes or ()), None)

    def call(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Return what a call returns in the process.

        Raises:
            WorkerDiedError: the process has ended.
        """
        try:
            return self._executor.submit(fn, *args).result()
        except BrokenExecutor as error:
            raise WorkerDiedError(_code_in(error)) from None

    def end(self) -> None:
        """End the process and all that it has started, whatever they do."""
        self._executor.shutdown(wait=True, kill_workers=True)


def _code_in(error: BrokenExecutor) -> int | None:
    """Return the exit code that loky's message has; None where it says none."""
    found = re.search(r"exit codes of the workers are \{\w+\((-?\d+)\)", str(error))
    return int(found[1]) if found else None
