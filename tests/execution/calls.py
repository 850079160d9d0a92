"""Calls for workers to make, in a module of its own that imports nothing large."""

from __future__ import annotations

import os
import signal
import time


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def note_and_die(folder, times):
    """Leave a note of each call, and die in the first ones."""
    told = len(os.listdir(folder))
    (folder / str(told)).touch()
    if told < times:
        die()
    return told


def note_and_wait(folder, gate):
    note_and_die(folder, 0)
    until(gate.exists)
    return os.getpid()


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


class Unreadable:
    """Can be pickled, and not unpickled."""

    def __reduce__(self):
        return int, ("no number",)


def fork_and_die(seconds):
    """Die, and leave a process behind that goes on for a while."""
    if os.fork():
        die()
    time.sleep(seconds)
    os._exit(0)


def draw():
    import numpy as np

    return np.random.random()


def done_of(job, folder, times):
    from harness.execution.jobs import Done

    note_and_die(folder, times)
    return Done({})
