"""MNIST-1D (Greydanus 2020): 5,000 one-dimensional digits of 40 points, 10 classes."""

from __future__ import annotations

import hashlib
import random
from typing import final

import numpy as np

from harness.core.errors import HarnessError
from harness.core.paths import cache_folder
from harness.data.base import Data
from harness.data.cache import cached
from harness.data.dataset import Raw

CHECKSUM = "d53506bddd12d3b7"
"""Of the published training inputs, as :func:`checksum` gives it: numbers on other data could not
be compared with published ones."""

_NAMES = ("x", "y", "x_test", "y_test")


@final
class MNIST1D(Data):
    """4,000 training and 1,000 test signals of 40 points, 10 classes (Greydanus 2020).

    Made by the paper's own generator, not downloaded.
    """

    channels: bool = False
    """Give inputs as (1, 40) signals for convolutions, not as 40 numbers."""

    def raw(self) -> Raw:
        """Return the published signals (N, 40) or (N, 1, 40).

        Raises:
            HarnessError: the arrays are not the published ones.
        """
        x, y, x_test, y_test = _arrays()
        if self.channels:
            x, x_test = x[:, None], x_test[:, None]
        return Raw(x, y, (x_test, y_test))


def checksum(x: np.ndarray) -> str:
    """Return the first 16 hex digits of the SHA-256 of ``x`` in float32."""
    return hashlib.sha256(x.astype(np.float32).tobytes()).hexdigest()[:16]


def _arrays() -> list[np.ndarray]:
    """Return the published arrays, in the order of ``_NAMES``.

    Raises:
        HarnessError: the cached ones are others, from a broken file or another version of the
            generator.
    """
    arrays = cached("mnist1d", _make)
    if (got := checksum(arrays["x"])) != CHECKSUM:
        raise HarnessError(
            f"{cache_folder() / 'mnist1d.npz'}: expected checksum {CHECKSUM}, got {got}; "
            "delete the file, and check the version of the package mnist1d if that does not help"
        )
    return [arrays[name] for name in _NAMES]


def _make() -> dict[str, np.ndarray]:
    """Run the paper's generator and return its arrays by ``_NAMES``."""
    # imported where it is needed: the package is slow to import, and cached arrays need none of it
    from mnist1d.data import get_dataset_args, make_dataset

    # it reseeds the global generators, which belong to whoever imported the harness: put their
    # states back
    before = random.getstate(), np.random.get_state()
    try:
        made = make_dataset(get_dataset_args())
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
    return {name: np.asarray(made[name]) for name in _NAMES}
