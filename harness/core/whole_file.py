"""Files that are whole or not there: a kill in the middle of a write leaves the old one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from harness.core.temporary import marked


@contextmanager
def replacing(path: Path, durable: bool = True) -> Iterator[IO[bytes]]:
    """Give a new file to write to, which takes the path's place once it is whole.

    Until then it lies in the same folder under a name that begins with a dot, so that nobody takes
    it for the file and the renaming is atomic.

    Args:
        path: the file, which is replaced if it is there.
        durable: wait until it is on the disk, so that it outlives a loss of power too.

    Raises:
        OSError: the folder can't be written to, or the disk is full; the old file stays.
    """
    handle, name = tempfile.mkstemp(
        dir=path.parent, prefix=marked(f".{path.name[:100]}", path.parent)
    )
    try:
        with open(handle, "wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        # readable by whom the user's other new files are
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def write_whole(path: Path, text: str, durable: bool = True) -> int:
    """Write a text file by way of :func:`replacing`, in UTF-8; return its bytes.

    Args:
        path: the file, which is replaced if it is there.
        text: its content.
        durable: wait until it is on the disk.

    Raises:
        OSError: the folder can't be written to, or the disk is full; the old file stays.
    """
    with replacing(path, durable) as file:
        return file.write(text.encode())


def _umask() -> int:
    """Return the process's mask of permissions, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
