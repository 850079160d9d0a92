"""The small classic data sets that ship with scikit-learn."""

from __future__ import annotations

from importlib import import_module, metadata
from typing import final

import numpy as np

from harness.data.base import Data
from harness.data.cache import cached
from harness.data.dataset import Raw


def bundled(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the inputs (N, F) and targets (N,) of scikit-learn's ``load_<name>``.

    They are cached on disk by scikit-learn's version, since every worker would import it, which
    takes a second.

    Args:
        name: what follows ``load_``, such as "digits".
    """

    # by name, since scikit-learn is imported only where nothing is cached; its version, which names
    # the file, is read from its metadata without importing it
    def make() -> dict[str, np.ndarray]:
        x, y = getattr(import_module("sklearn.datasets"), f"load_{name}")(return_X_y=True)
        return {"x": np.asarray(x), "y": np.asarray(y)}

    arrays = cached(f"sklearn-{metadata.version('scikit-learn')}-{name}", make)
    return arrays["x"], arrays["y"]


@final
class Digits(Data):
    """1,797 handwritten digits, 8×8 pixels in [0, 1], 10 classes (Alpaydin & Kaynak 1998)."""

    image: bool = False
    """Give inputs as (1, 8, 8) images for convolutions, not as 64 numbers."""

    def raw(self) -> Raw:
        x, y = bundled("digits")
        # pixels are whole numbers from 0 to 16
        return Raw(x.reshape(-1, 1, 8, 8) / 16 if self.image else x / 16, y)


@final
class BreastCancer(Data):
    """569 tumours of 30 measured features, 2 classes (UCI, Wolberg 1995)."""

    standardize: bool = True

    def raw(self) -> Raw:
        return Raw(*bundled("breast_cancer"))


@final
class Wine(Data):
    """178 wines of 13 measured features, 3 classes (UCI, Aeberhard & Forina 1991)."""

    standardize: bool = True

    def raw(self) -> Raw:
        return Raw(*bundled("wine"))


@final
class Iris(Data):
    """150 flowers of 4 measured features, 3 classes (Fisher 1936)."""

    standardize: bool = True

    def raw(self) -> Raw:
        return Raw(*bundled("iris"))


@final
class Diabetes(Data):
    """442 patients of 10 features and their disease's progress in a year (Efron et al. 2004).

    Targets are scaled to mean 0 and deviation 1 over all samples, so that a loss of 1 is that of
    guessing the mean.
    """

    task = "regression"
    standardize: bool = True

    def raw(self) -> Raw:
        x, y = bundled("diabetes")
        return Raw(x, (y - y.mean()) / y.std())
