"""Code of a user's own that waits or loops is given up after a time."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from harness.core.errors import HarnessError

PASS_SECONDS = 60.0
"""What a pass of a few samples may take, far more than any network that can be trained here."""


class TimeIsUpError(HarnessError):
    """Code did not come back in time."""


@contextmanager
def limited(part: str) -> Iterator[None]:
    """Refuse a pass that does not come back, where signals can be had: in the main thread.

    Args:
        part: what is tried, which the sentence begins with.

    Raises:
        TimeIsUpError: the time is up.
    """
    main = threading.current_thread() is threading.main_thread()
    if not hasattr(signal, "setitimer") or not main:
        yield
        return

    seconds = PASS_SECONDS

    def late(*_: object) -> None:
        raise TimeIsUpError(
            f"{part}: expected outputs of a few samples within {seconds:g} seconds, got none; does "
            "its forward wait or loop?"
        )

    before, began = signal.signal(signal.SIGALRM, late), time.monotonic()
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:  # one limit within another: the outer one goes on, at least for a moment
            signal.setitimer(signal.ITIMER_REAL, max(0.01, left - (time.monotonic() - began)))
