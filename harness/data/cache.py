"""Arrays that take long to make or to import, kept on disk.

Not for data of users: those come from their function each time, and the run's key has their
fingerprint.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping

import numpy as np

from harness.core.paths import cache_folder
from harness.core.whole_file import replacing


def cached(name: str, make: Callable[[], Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the arrays of ``<name>.npz`` in the cache folder; make and keep them if it is missing.

    Args:
        name: names the file; put whatever the arrays depend on (a library's version) into it.
        make: called without arguments where there is no file, or a broken one.

    Raises:
        OSError: the cache folder can't be made or written to.
    """
    path = cache_folder() / f"{name}.npz"
    try:
        with path.open("rb") as file, np.load(file) as stored:
            return {key: stored[key] for key in stored.files}
    # no file, or a broken one: what NumPy raises differs with where the file is cut off
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        arrays = dict(make())
    # where several workers make it at once, none reads half a file, and the last one wins with the
    # same arrays
    with replacing(path, durable=False) as fresh:
        np.savez(fresh, **arrays)  # type: ignore[arg-type]  # numpy's stub has a keyword of its own
    return arrays
