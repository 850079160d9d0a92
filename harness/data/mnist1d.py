"""MNIST-1D (Greydanus 2020): 5,000 one-dimensional digits of 40 points, 10 classes."""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path

import numpy as np

from harness.data.base import Raw, Source
from harness.errors import HarnessError

NAMES = ("x", "y", "x_test", "y_test")
CHECKSUM = "d53506bddd12d3b7"


class MNIST1D(Source):
    """4,000 training and 1,000 test signals of 40 points, 10 classes; made, not downloaded (Greydanus 2020)."""

    channels: bool = False
    """Give inputs as (1, 40) signals for convolutions, not as 40 numbers."""

    def raw(self) -> Raw:
        x, y, x_test, y_test = _arrays()
        if self.channels:
            x, x_test = x[:, None], x_test[:, None]
        return Raw(x, y, (x_test, y_test))


def _arrays() -> list[np.ndarray]:
    path = cache_folder() / "mnist1d.npz"
    if not path.exists():
        _write(path, _make())
    with np.load(path) as stored:
        arrays = [stored[name] for name in NAMES]
    if checksum(arrays[0]) != CHECKSUM:
        raise HarnessError(f"{path}: expected MNIST-1D with checksum {CHECKSUM}, got {checksum(arrays[0])}; delete the file")
    return arrays


def checksum(x: np.ndarray) -> str:
    """Return the first 16 hex digits of the SHA-256 of ``x`` in float32."""
    import hashlib

    return hashlib.sha256(x.astype(np.float32).tobytes()).hexdigest()[:16]


def cache_folder() -> Path:
    """Return ``$HARNESS_CACHE``, or ``harness`` in the user's cache folder."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(os.environ.get("HARNESS_CACHE") or Path(home) / "harness")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _make() -> dict[str, np.ndarray]:
    """Run the paper's generator, which reseeds the global streams, and put their states back."""
    from mnist1d.data import get_dataset_args, make_dataset

    before = random.getstate(), np.random.get_state()
    try:
        made = make_dataset(get_dataset_args())
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
    return {name: np.asarray(made[name]) for name in NAMES}


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    os.replace(file.name, path)
