"""Where the harness keeps what it can make again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return ``$HARNESS_CACHE``, or ``harness`` in the user's cache folder."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    found = Path(os.environ.get("HARNESS_CACHE") or Path(home) / "harness")
    found.mkdir(parents=True, exist_ok=True)
    return found
