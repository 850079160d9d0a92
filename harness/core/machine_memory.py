"""How much memory this machine, or the container that it is, lets a process have."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

CONTAINER = Path("/sys/fs/cgroup/memory.max")
"""Where Linux says how many bytes a container may have, or "max"."""


def machine_memory() -> int:
    """Return the bytes of memory that all processes may have together."""
    whole = int(psutil.virtual_memory().total)
    with suppress(OSError, ValueError):
        return min(whole, int(CONTAINER.read_text(encoding="ascii")))
    return whole
