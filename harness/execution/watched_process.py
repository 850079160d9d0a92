"""A process of a user's own code: its lines, its end, and what it may use.

It runs in a session of its own, so that it and all that it starts can be paused and ended at once.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import psutil

from harness.core.machine_memory import machine_memory
from harness.core.process import REPRODUCIBLE_MKL, kill_children
from harness.trainers.base import Launch

LOOK = 0.1
"""Seconds between two looks at a process that says nothing."""
TREE_LOOK = 2.0
"""Seconds between two looks at the memory of all that a process has started: finding them takes
milliseconds."""
TAIL = 8192
"""Bytes of the output that are kept: the last ones, which say why it failed."""
LONGEST = 2**20
"""Bytes of a line; a longer one is dropped."""
MEMORY_SHARE = 0.8
"""Share of the machine's memory that a process may use where nothing else is said."""
LEAVING = 5.0
"""Seconds that a process may take to end after it has said that it is done."""
PIPE = 2**16
"""Bytes that a pipe holds."""
MOST_CHUNKS = 1024
"""Chunks that are read after the end."""


class Limits(NamedTuple):
    """What a process may use."""

    seconds: float | None
    memory: float | None
    """Gigabytes."""


class LimitError(Exception):
    """A process used more than it may; the message says of what."""


class WatchedProcess:
    """A started process.

    Args:
        launch: how it is started.
        limits: what it may use.
    """

    def __init__(self, launch: Launch, limits: Limits) -> None:
        self.limits = limits
        share = MEMORY_SHARE * machine_memory()
        self.most = share if limits.memory is None else limits.memory * 1e9
        self.tail = b""
        """The last of its output."""
        self._rest = b""
        self._active, self._since = 0.0, time.perf_counter()
        self._seen_tree = self._checked = 0.0
        self._selector = selectors.DefaultSelector()
        read, write = os.pipe()
        self.process = subprocess.Popen(
            [part.replace("{events}", str(write)) for part in launch.arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if launch.piped else subprocess.PIPE,
            pass_fds=(write,) if launch.piped else (),
            cwd=launch.folder,
            env=_environment() | dict(launch.environment),
            start_new_session=True,
        )
        os.close(write)
        out, err = self.process.stdout, self.process.stderr
        assert out is not None
        self._events = read if launch.piped else os.dup(out.fileno())
        output = out if launch.piped else err
        assert output is not None
        self._output = os.dup(output.fileno())
        if not launch.piped:
            os.close(read)
        for stream in (out, err):
            if stream is not None:
                stream.close()
        for pipe in (self._events, self._output):
            os.set_blocking(pipe, False)
            self._selector.register(pipe, selectors.EVENT_READ)
        self._give(launch.given)

    def _give(self, given: bytes) -> None:
        """Write the standard input, of which the process may read nothing."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write(given)
        with suppress(BrokenPipeError):
            self.process.stdin.close()

    @property
    def seconds(self) -> float:
        """Seconds that it has run, pauses left out."""
        return self._active + (time.perf_counter() - self._since if self._since else 0.0)

    @property
    def code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self.process.poll()

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.code is not None

    def let_end(self) -> None:
        """Give it time to end by itself, what it writes at its end included."""
        deadline = time.perf_counter() + LEAVING
        while not self.ended and time.perf_counter() < deadline:
            for key, _ in self._selector.select(LOOK / 10):
                self._read(key.fd)

    def lines(self) -> Iterator[list[str]]:
        """Yield what it has written since, line by line, until it has ended; empty lists while it
        says nothing.

        Raises:
            LimitError: it uses more than it may.
        """
        ended = False
        while not ended:
            # looked at before reading: what was written before the end is read after it
            ended = self.ended
            for key, _ in self._selector.select(0 if ended else LOOK):
                self._read(key.fd)
            if ended:
                self._drain()
            yield self._whole_lines(ended)
            self._check()

    def _drain(self) -> None:
        """Read what the pipes still have; what it has started may write to them for ever."""
        for pipe in (self._events, self._output):
            for _ in range(MOST_CHUNKS):
                if not self._read(pipe):
                    break

    def _read(self, pipe: int) -> int:
        """Read what a pipe has, a chunk at most; return how many bytes."""
        try:
            chunk = os.read(pipe, PIPE)
        except BlockingIOError:
            return 0
        if not chunk and pipe in self._selector.get_map():
            self._selector.unregister(pipe)
            if not self._selector.get_map():  # nothing more to wait for but its end
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(LEAVING)
        if pipe == self._events:
            self._rest = (self._rest + chunk)[-LONGEST:]
        else:
            self.tail = (self.tail + chunk)[-TAIL:]
        return len(chunk)

    def _whole_lines(self, ended: bool) -> list[str]:
        """Return the lines that are whole; at the end the last one needs no mark."""
        *whole, self._rest = self._rest.split(b"\n")
        if ended and self._rest:
            whole, self._rest = [*whole, self._rest], b""
        return [line.decode(errors="replace") for line in whole]

    def _check(self) -> None:
        """Raise where it uses more than it may, looked at once a tick."""
        limit, running = self.limits.seconds, self.seconds
        if running - self._checked < LOOK:
            return
        self._checked = running
        if limit is not None and running > limit:
            raise LimitError(f"it took longer than its limit of {limit:g} seconds")
        used = self._memory(running - self._seen_tree > TREE_LOOK)
        if used > self.most:
            raise LimitError(f"it used more than its limit of {self.most / 1e9:.3g} GB of memory")

    def _memory(self, tree: bool) -> int:
        """Return the bytes that it uses; with those of all that it has started, if wanted."""
        # it may end while it is looked at
        with suppress(psutil.Error):
            own = psutil.Process(self.process.pid)
            used = int(own.memory_info().rss)
            if tree:
                self._seen_tree = self.seconds
                for child in own.children(recursive=True):
                    with suppress(psutil.Error):
                        used += child.memory_info().rss
            return used
        return 0

    def pause(self) -> None:
        """Stop it where it is; its time stands still."""
        self._active, self._since = self.seconds, 0.0
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on; one that was not paused is left as it is."""
        if not self._since:
            self._since = time.perf_counter()
            self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it and all that it has started, and close the pipes."""
        kill_children(self.process.pid)
        self.signal(signal.SIGKILL)
        self.process.wait()
        self._selector.close()
        for pipe in (self._events, self._output):
            with suppress(OSError):
                os.close(pipe)

    def signal(self, number: int) -> None:
        """Send a signal to it and all in its session."""
        # the session's group outlives its first process where that has left others behind
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


def _environment() -> dict[str, str]:
    """Return this process's environment, with what makes numbers the same on every start.

    One thread, as workers have, since sums that are split among threads are rounded differently;
    what the user has set stays.
    """
    name, value = REPRODUCIBLE_MKL
    defaults = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONHASHSEED": "0", name: value}
    return defaults | dict(os.environ)
