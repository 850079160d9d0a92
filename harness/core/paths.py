"""The folder of the cache: files there can be deleted, the harness makes them again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return ``$HARNESS_CACHE``, or ``harness`` in the user's cache folder; made if it is missing.

    Raises:
        OSError: it can't be made.
    """
    users_cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(os.environ.get("HARNESS_CACHE") or users_cache / "harness")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
