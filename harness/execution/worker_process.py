"""What a worker process of this machine does before its first call, however it was started."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time

from harness.core.importing import importing
from harness.execution.signals import GRACE
from harness.execution.watch import owns_process


def import_engine() -> None:
    """Import what trains, torch among it, which takes a second or more."""
    with importing():
        import harness.engine.loop  # noqa: F401
    # what is there now stays as long as the process: later collections need not look at it, and
    # do not write to pages that a fork shares
    gc.freeze()


def become_worker(parent: int) -> None:
    """Make this process a worker.

    Args:
        parent: the process that it ends with.
    """
    # Ctrl-C goes to all processes of a terminal; the driver alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # daemon: it must not keep a worker alive that is told to end
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()
    owns_process[0] = True
    with importing():
        import torch

    torch.set_num_threads(1)


def become_fresh_worker(paths: list[str]) -> None:
    """Make a process that was started afresh a worker of its parent.

    Args:
        paths: the driver's import path, so that the user's own modules are found.
    """
    sys.path[:] = paths
    become_worker(os.getppid())


def _leave_with(parent: int) -> None:
    """End this worker within seconds after its parent is gone, however that went.

    A driver that is killed can't tell its workers, which would train on for nobody.
    """
    # an orphan is given another parent
    while os.getppid() == parent:
        time.sleep(1)
    # a job that has checkpoints writes one; without a job the signal ends the process at once
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    # not sys.exit, which would end this thread alone
    os._exit(1)
