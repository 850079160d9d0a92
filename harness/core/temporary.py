"""Temporary files and folders, named after the process that made them.

A process that is killed leaves what it was writing. The next one that makes a temporary file in the
same folder removes what those have left that are no more.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import tempfile
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

ELSEWHERE_SECONDS = 86_400.0
"""Age from which what a process of another machine made counts as left: of that process nothing is
known here."""
_MARK = re.compile(r"-(?P<host>[0-9a-f]{6})-(?P<pid>\d+)-(?P<born>\d+)-\w{8}$")


TemporaryFolder = tempfile.TemporaryDirectory[str]
"""A folder that is a context, which removes it."""


def temporary_folder(purpose: str, within: Path | None = None) -> TemporaryFolder:
    """Return a new folder, as a context that removes it.

    Args:
        purpose: a word of its name.
        within: the folder that it is made in; None for the system's temporary files.
    """
    parent = tempfile.gettempdir() if within is None else within
    # hidden among what users see
    name = f"harness-{purpose}" if within is None else f".{purpose}"
    return TemporaryFolder(dir=parent, prefix=marked(name, parent))


def marked(name: str, folder: str | Path) -> str:
    """Return what names of temporary files begin with, after removing what is left in a folder.

    Args:
        name: of the file.
        folder: where it is to be made.
    """
    _sweep(os.path.abspath(folder))  # "reports" may be another folder than a moment ago
    return f"{name}-{_host()}-{os.getpid()}-{_born(os.getpid())}-"


@lru_cache  # once a process: what it finds there later is of processes that began after it
def _sweep(folder: str) -> None:
    """Remove what processes that are no more have left in a folder."""
    with suppress(OSError):
        for path in Path(folder).iterdir():
            found = _MARK.search(path.name)
            if found and _left(path, found):
                _remove(path)


def _left(path: Path, found: re.Match[str]) -> bool:
    """Return whether nobody will go on with a file."""
    try:
        if hasattr(os, "getuid") and path.lstat().st_uid != os.getuid():
            return False
        if found["host"] != _host():
            return time.time() - path.lstat().st_mtime > ELSEWHERE_SECONDS
    except OSError:  # it has gone meanwhile
        return False
    born = _born(int(found["pid"]))
    # the clock's seconds may be rounded in two ways
    return born is None or abs(born - int(found["born"])) > 1


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _born(pid: int) -> int | None:
    """Return when a process began, in seconds; None for one that is no more."""
    import psutil

    try:
        return int(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None
    except psutil.Error:  # it is there, and another user's
        return 0


@lru_cache
def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:6]
