"""A signal that ends the process is answered between two updates, when the cohort is whole."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

GRACE = 5.0
"""Seconds that a process goes on at most after it was told to end, to write its checkpoint."""
ENDING = (signal.SIGTERM, signal.SIGINT)

_Handler = Callable[[int, FrameType | None], object] | int | None


class EndingSignal:
    """Whether this process has been told to end."""

    def __init__(self) -> None:
        self.asked: int | None = None
        """The signal that told it."""
        self.earlier: dict[int, _Handler] = {}
        """The handlers that were there before."""
        self.last: threading.Timer | None = None
        """Sends the signal again when the grace is over."""

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Note a signal; a second one does what it would have done without this."""
        self.asked = number
        self.put_back()
        # whatever keeps the process from the next update is ended when the grace is over
        self.last = threading.Timer(GRACE, os.kill, (os.getpid(), number))
        self.last.daemon = True
        self.last.start()

    def put_back(self) -> None:
        """Give the signals back to the handlers that were there before."""
        for number, handler in self.earlier.items():
            signal.signal(number, handler)
        self.earlier = {}

    def end(self) -> None:
        """Send a noted signal again, now to whoever had it before."""
        if self.last is not None:
            self.last.cancel()
        number, self.asked = self.asked, None
        if number is not None:
            os.kill(os.getpid(), number)


@contextmanager
def noted_signals() -> Iterator[EndingSignal]:
    """Note signals that end the process instead of following them at once, in the main thread.

    What is ignored stays so. Whoever uses it calls :meth:`EndingSignal.end` when all is written; it
    is called in any case when the context is left.
    """
    ending = EndingSignal()
    if threading.current_thread() is threading.main_thread():
        for number in ENDING:
            handler = signal.getsignal(number)
            # None: a handler that was not set by Python, and can't be put back by it
            if handler not in (signal.SIG_IGN, None):
                ending.earlier[number] = handler
                signal.signal(number, ending.ask)
    try:
        yield ending
    finally:
        ending.put_back()
        ending.end()
