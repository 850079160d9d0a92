"""Runs a command for as long as another process lives: ``python keeper.py COMMAND …``.

The other process holds the writing end of this one's standard input, which the operating system
closes when that process ends, also when it is killed. Then the command ends, with all that it has
started. It is run by path, so that it imports nothing of the harness and is quick.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from types import FrameType

_LOOK = 0.2
"""Seconds between two looks at the command."""
_GRACE = 5.0
"""Seconds that the command may take to end by itself."""


def keep(command: list[str]) -> int:
    """Run a command until it ends or standard input is closed; return its exit status, 0 for one
    that was ended."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _pass_over)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    while process.poll() is None:
        ready, _, _ = select.select([sys.stdin], [], [], _LOOK)
        if ready and not os.read(sys.stdin.fileno(), 1):
            _end(process)
            return 0
    _end(process)  # it may have left others behind
    return process.returncode


def _pass_over(number: int, frame: FrameType | None) -> None:
    """Do nothing; a signal that is ignored outright would be so in the command too."""


def _end(process: subprocess.Popen[bytes]) -> None:
    """End all processes of this one's group but itself, at first gently."""
    os.killpg(0, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(_LOOK / 2)
    if process.poll() is None:
        os.killpg(0, signal.SIGKILL)  # with this process, which has nothing more to do


if __name__ == "__main__":
    raise SystemExit(keep(sys.argv[1:]))
