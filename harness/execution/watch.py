"""Code of a user's own that trains in a worker: how long it may say nothing, how much memory it may
use, and how much it may print.

A thread looks at the thread that trains, and raises an error in it where it uses more than it may,
at last one that ``except Exception`` lets through. Code that catches even that ends with its
process, if that is a worker's: its last words are in a file, which the driver reads. A process that
is not ours alone (no workers, a notebook) can't be ended for it, and it is said.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import psutil

from harness.core.errors import HarnessError
from harness.core.heartbeat import beat, silence
from harness.core.machine_memory import machine_memory

LONGEST_SILENCE = 600.0
"""Seconds that one update or evaluation may take where a study says nothing else."""
WORKER_MEMORY = 0.8
"""Share of the machine's memory that a worker may use."""
WATCH_LOOK = 0.5
"""Seconds between two looks."""
LEAVING_GRACE = 5.0
"""Seconds that code has to come back after the error was raised in it."""
POLITE = 4
"""Errors that are raised in it before one that ``except Exception`` does not catch."""
UNENDED = (
    "It catches every error that is raised in it, and this process, which it shares where there "
    "are no workers, can't be ended for it: interrupt it, or train with workers (--workers 1)."
)
"""What is said of code that can't be ended."""
SHOWN = 100_000
"""Characters that the code of a cohort may print; the rest is dropped."""
SIGNAL = getattr(signal, "SIGVTALRM", None)
"""What wakes the thread that trains, even from a sleep; used for nothing else here."""

owns_process = [False]
"""Whether this process is a worker of ours, which may be ended."""


class GivenUpError(HarnessError):
    """Code of a user's own used more than it may."""


class _UncatchableError(BaseException):
    """What is raised in code that catches every Exception."""


class Allowed(NamedTuple):
    """What code of a user's own may use."""

    seconds: float = LONGEST_SILENCE
    """Between two updates, or pieces of an evaluation."""
    memory: float | None = None
    """Bytes; by default a share of the machine's."""


class _Watch(threading.Thread):
    """Looks at the main thread until it is told that the watch is over."""

    def __init__(self, allowed: Allowed, words: Path | None) -> None:
        super().__init__(daemon=True, name="watch")
        self.allowed, self.words = allowed, words
        self.most = allowed.memory or WORKER_MEMORY * machine_memory()
        self.process, self.over, self.reason = psutil.Process(), threading.Event(), ""
        self.raised = 0

    def run(self) -> None:
        while not self.over.wait(min(WATCH_LOOK, self.allowed.seconds / 4)):
            self.reason = self._excess()
            if self.reason:
                self._end()
                return

    def _excess(self) -> str:
        """Return what is used beyond what is allowed; nothing while all is well."""
        if silence() > self.allowed.seconds:
            return (
                f"no update and no piece of an evaluation ended within {self.allowed.seconds:g} "
                "seconds, the study's limit: does code of your own wait or loop?"
            )
        if self.process.memory_info().rss > self.most:
            return f"its process used more than {self.most / 1e9:.3g} GB of memory"
        return ""

    def _end(self) -> None:
        """Raise the reason where the code is; end the process where that does not help."""
        # more than once: what catches an error in a loop goes on to the next
        for _ in range(int(LEAVING_GRACE / WATCH_LOOK)):
            assert SIGNAL is not None
            signal.pthread_kill(threading.main_thread().ident or 0, SIGNAL)
            if self.over.wait(WATCH_LOOK):
                return
        if not owns_process[0]:
            print(f"{self.reason} {UNENDED}", file=sys.__stderr__, flush=True)
            return
        if self.words is not None:
            self.words.write_text(self.reason, encoding="utf-8")
        os._exit(1)

    def late(self, number: int, frame: FrameType | None) -> None:
        """Raise the reason, in the thread that trains."""
        if self.over.is_set():
            return
        self.raised += 1
        raise (GivenUpError if self.raised <= POLITE else _UncatchableError)(self.reason)


@contextmanager
def watched(allowed: Allowed, words: Path | None = None) -> Iterator[None]:
    """Watch the code inside, where signals can be had: in the main thread.

    Args:
        allowed: what it may use.
        words: file that says why, where the process has to be ended.

    Raises:
        GivenUpError: it used more, raised within the code.
    """
    if SIGNAL is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    beat()
    watch = _Watch(allowed, words)
    before = signal.signal(SIGNAL, watch.late)
    watch.start()
    try:
        yield
    except _UncatchableError as error:  # outside it is an error as any other
        raise GivenUpError(watch.reason).with_traceback(error.__traceback__) from None
    finally:
        watch.over.set()
        # no signal is under way when the handler goes
        watch.join()
        signal.signal(SIGNAL, before)


class Bounded:
    """A text stream of which no more than the first characters are passed on.

    Args:
        stream: where they go.
        most: how many.
    """

    def __init__(self, stream: Any, most: int = SHOWN) -> None:
        self._stream, self.left, self.dropped = stream, most, 0

    def write(self, text: str) -> int:
        """Pass a text on, as far as there is room."""
        if self.left:
            self._stream.write(text[: self.left])
        passed = min(self.left, len(text))
        self.left, self.dropped = self.left - passed, self.dropped + len(text) - passed
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def bounded_output() -> Iterator[list[str]]:
    """Pass no more than the first characters on that the code inside prints.

    Yields:
        Sentences on what was dropped, there when the context is left.
    """
    notes: list[str] = []
    out, err = Bounded(sys.stdout), Bounded(sys.stderr)
    with redirect_stdout(out), redirect_stderr(err):
        yield notes
    dropped = out.dropped + err.dropped
    if dropped:
        notes.append(
            f"code of your own printed {(dropped + 2 * SHOWN) / 1e6:.1f} MB in a cohort; what is "
            f"past {SHOWN / 1e6:g} MB is dropped"
        )
