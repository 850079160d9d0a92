"""Files that are whole or not there: a kill in the middle of a write leaves the old one."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, text: str, durable: bool = True) -> int:
    """Write a text file under another name, and give it its own once it is whole; return its bytes.

    The other name lies in the same folder and begins with a dot, so that nobody takes it for the
    file and the renaming is atomic.

    Args:
        path: the file, which is replaced if it is there.
        text: written in UTF-8.
        durable: wait until it is on the disk, so that it outlives a loss of power too.

    Raises:
        OSError: the folder can't be written to, or the disk is full; the old file stays.
    """
    content = text.encode()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}-")
    try:
        with open(handle, "wb") as file:
            file.write(content)
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
    return len(content)


def _umask() -> int:
    """Return the process's mask of permissions, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
