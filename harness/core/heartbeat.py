"""When this process last got on: who watches it can tell a long training from one that hangs."""

from __future__ import annotations

import time

_LAST = [time.monotonic()]


def beat() -> None:
    """Note that an update, or a piece of an evaluation, is done."""
    _LAST[0] = time.monotonic()


def silence() -> float:
    """Return the seconds since the last beat."""
    return time.monotonic() - _LAST[0]
