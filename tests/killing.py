"""Processes that are killed at one of their writes, found by enumeration and not by hand.

Python tells of every file that is opened for writing, renamed, linked or removed, and of every
request that is sent (PEP 578); SQLAlchemy of every transaction. Between two of them nothing that
lasts is done, so that killing before each one covers every moment; files that are opened for
writing are also left empty, as a kill in the middle of a write leaves them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

EVERY = "HARNESS_KILL_EVERYWHERE" in os.environ
"""Whether all writes are tried, which takes minutes (``make torture``), or some of each kind."""
KILLED = 77
CHANGES = {"os.rename": 2, "os.link": 2, "os.remove": 1, "os.rmdir": 1, "os.mkdir": 2}
"""Events that change a folder, and which of their arguments is the folder that a path begins in."""
ASKING = (b"POST", b"PUT", b"PATCH", b"DELETE")


class Killer:
    """Counts the writes under a folder, and those that servers are asked for, and ends the process
    at one of them.

    Args:
        folder: what lies elsewhere (caches, pipes) does not count.
        at: number of the write, from 0; None for none of them.
        torn: leave the file that is opened empty.
    """

    def __init__(self, folder: Path, at: int | None, torn: bool) -> None:
        self.folder, self.at, self.torn = str(folder), at, torn
        self.writes: list[str] = []
        sys.addaudithook(self._audited)
        sa.event.listen(sa.engine.Engine, "commit", lambda connection: self._write("commit"))

    def _audited(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and isinstance(arguments[0], (str, Path)):
            path, _, flags = arguments
            if int(flags) & (os.O_WRONLY | os.O_RDWR) and self._counts(path):
                self._write(f"open {path}", str(path))
        elif event in CHANGES and self._counts(arguments[0], arguments[CHANGES[event]]):
            self._write(f"{event} {arguments[0]}")
        elif event == "http.client.send" and isinstance(arguments[1], bytes):
            line = arguments[1].split(b"\r\n", 1)[0]
            if line.startswith(ASKING) and b"/search" not in line:
                self._write(f"send {line.decode(errors='replace')}")

    def _counts(self, path: object, begin: object = -1) -> bool:
        # leftovers of other studies are removed by names within an opened folder
        above = f"/proc/self/fd/{begin}" if isinstance(begin, int) and begin >= 0 else "."
        return os.path.join(os.path.realpath(above), str(path)).startswith(self.folder)

    def _write(self, what: str, opened: str = "") -> None:
        number, at = len(self.writes), self.at
        self.writes.append(what)
        # at or after: threads write in another order at times, and only what is opened can be torn
        if at is not None and number >= at and (opened or not self.torn):
            if self.torn:
                self.at = None  # this opening is our own
                Path(opened).write_bytes(b"")
            os._exit(KILLED)


def drive(
    work: Callable[[], object], folder: Path, at: int | None = None, torn: bool = False
) -> int:
    """Do some work in a process of its own, in a folder; return its exit status, and leave a list of
    its writes beside the folder.

    Args:
        work: a study's run and report, for instance.
        folder: the process's working folder.
        at: the write that it is killed before; None for none of them.
        torn: leave the file that is opened empty.
    """
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        os.chdir(folder)
        sys.stdout = sys.stderr = (folder.parent / "said").open("w", buffering=1)
        os.dup2(sys.stdout.fileno(), 1)
        os.dup2(sys.stdout.fileno(), 2)
        killer = Killer(folder, at, torn)
        work()
        (folder.parent / "writes").write_text("\n".join(killer.writes))
        status = 0
    except BaseException as error:
        (folder.parent / "error").write_text(f"{type(error).__name__}: {error}")
    finally:
        os._exit(status)


def moments(writes: list[str], whole: int, torn: int) -> list[tuple[int, bool]]:
    """Return the moments that are tried: before a write, or with its file left empty.

    Args:
        writes: all of them.
        whole: of how many writes one is tried, where not all are.
        torn: the same of files left empty.
    """
    before = [(at, False) for at in range(len(writes))]
    empty = [(at, True) for at, what in enumerate(writes) if what.startswith("open")]
    return before + empty if EVERY else before[::whole] + empty[::torn]
