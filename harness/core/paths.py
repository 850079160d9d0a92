"""Where files are: those that a spec names, and the cache's.

Files of the cache can be deleted, the harness makes them again.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

from harness.core.errors import HarnessError, did_you_mean, nearest

LISTED_FILES = 20
"""Files of a folder that a message lists at most."""

_LOG = logging.getLogger("harness")


def cache_folder() -> Path:
    """Return ``$HARNESS_CACHE``, or ``harness`` in the user's cache folder; made if it is missing.

    Where it can't be made or written to, as in containers without a home, it is a folder of this
    user's among the temporary files, and a line says so.

    Raises:
        OSError: that can't be made either.
    """
    try:
        return wished_cache()
    # RuntimeError: nobody knows the user's home
    except (OSError, RuntimeError) as error:
        return _cache_instead(str(error))


def wished_cache() -> Path:
    """Return ``$HARNESS_CACHE``, or ``harness`` in the user's cache folder; made if it is missing.

    Raises:
        OSError: it can't be made or written to.
        RuntimeError: nobody knows the user's home.
    """
    chosen, users = os.environ.get("HARNESS_CACHE"), os.environ.get("XDG_CACHE_HOME")
    folder = Path(chosen) if chosen else Path(users or Path.home() / ".cache") / "harness"
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "can't be written to", str(folder))
    return folder


@lru_cache  # told once
def _cache_instead(reason: str) -> Path:
    """Return a folder for what the cache has, and say why it is another one.

    Raises:
        OSError: it can't be made, or is somebody else's.
    """
    folder = Path(tempfile.gettempdir()) / f"harness-{user_number()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != user_number() or folder.is_symlink():
        raise PermissionError(errno.EACCES, "expected a folder of your own", str(folder))
    _LOG.warning(
        "no cache folder (%s): %s is used instead; HARNESS_CACHE names one", reason, folder
    )
    return folder


def user_number() -> int:
    """Return the user's number; 0 on systems that have none (Windows)."""
    return os.getuid() if hasattr(os, "getuid") else 0


def find_beside_spec(path: str, field: str) -> Path:
    """Return a file or folder that a spec names; a relative path starts from the spec's folder.

    The folders of specs, scripts and notebooks are where Python looks for modules, in this process
    and in workers alike: files are found as the modules beside them are. What is installed is left
    out; the working directory comes last.

    Args:
        path: as the spec has it; ``~`` is the user's folder.
        field: that holds it, for the error.

    Raises:
        HarnessError: nothing is there; the message has the folders and the nearest name.
    """
    given = Path(path).expanduser()
    places = [given] if given.is_absolute() else [folder / given for folder in _own_folders()]
    for place in places:
        if place.exists():
            return place.resolve()
    folder = next((place.parent for place in places if place.parent.is_dir()), None)
    if folder is None:
        raise HarnessError(f"{field}: expected {path!r} beside the spec, found no such folder")
    hint = nearest(given.name, [each.name for each in sorted(folder.iterdir())[:LISTED_FILES]])
    raise HarnessError(f"{field}: found no {path!r} in {folder.resolve()}; {hint}")


def near_file(path: Path) -> str:
    """Return which file of a missing file's folder may have been meant, as ``did you mean 'x'?``;
    empty if none is near.

    Args:
        path: no file is there.
    """
    try:
        # with the folder, so that what is suggested can be copied
        return did_you_mean(str(path), [str(each) for each in path.parent.iterdir()])
    except (OSError, ValueError):  # no such folder, none that may be read, or no name of one
        return ""


def _own_folders() -> list[Path]:
    """Return the folders that Python looks for modules in, those of the installation left out, and
    the working directory."""
    installed = {Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()}
    folders = [Path(folder) for folder in (*sys.path, "")]
    return [
        folder
        for folder in folders
        if folder.is_dir() and not installed & {folder.resolve(), *folder.resolve().parents}
    ]
