"""Arrays that take long to make or to import, kept on disk."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping

import numpy as np

from harness.core.paths import cache_folder


def cached(name: str, make: Callable[[], Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the arrays kept under ``name``; make and keep them where there are none that can be read."""
    path = cache_folder() / f"{name}.npz"
    try:
        with path.open("rb") as file, np.load(file) as stored:
            return {key: stored[key] for key in stored.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        arrays = dict(make())
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as fresh:
        np.savez(fresh, **arrays)  # type: ignore[arg-type]
    os.replace(fresh.name, path)
    return arrays
