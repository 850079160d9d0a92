"""Where files are: those that a spec names, and the cache's.

Files of the cache can be deleted, the harness makes them again.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from harness.core.errors import HarnessError, nearest

LISTED_FILES = 20
"""Files of a folder that a message lists at most."""


def cache_folder() -> Path:
    """Return ``$HARNESS_CACHE``, or ``harness`` in the user's cache folder; made if it is missing.

    Raises:
        OSError: it can't be made.
    """
    users_cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(os.environ.get("HARNESS_CACHE") or users_cache / "harness")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


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
