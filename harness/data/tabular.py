"""The small classic data sets that ship with scikit-learn."""

from __future__ import annotations

from typing import Any

from harness.data.base import Raw, Source


class Digits(Source):
    """1,797 handwritten digits of 8×8 pixels in [0, 1], 10 classes (UCI, Alpaydin & Kaynak 1998)."""

    image: bool = False
    """Give inputs as (1, 8, 8) images for convolutions, not as 64 numbers."""

    def raw(self) -> Raw:
        from sklearn.datasets import load_digits

        found: Any = load_digits()
        x = found.data / 16.0
        return Raw(x.reshape(-1, 1, 8, 8) if self.image else x, found.target)


class BreastCancer(Source):
    """569 tumours of 30 measured features, 2 classes (UCI, Wolberg 1995)."""

    standardize: bool = True

    def raw(self) -> Raw:
        from sklearn.datasets import load_breast_cancer

        return Raw(*load_breast_cancer(return_X_y=True))


class Wine(Source):
    """178 wines of 13 measured features, 3 classes (UCI, Aeberhard & Forina 1991)."""

    standardize: bool = True

    def raw(self) -> Raw:
        from sklearn.datasets import load_wine

        return Raw(*load_wine(return_X_y=True))


class Iris(Source):
    """150 flowers of 4 measured features, 3 classes (Fisher 1936)."""

    standardize: bool = True

    def raw(self) -> Raw:
        from sklearn.datasets import load_iris

        return Raw(*load_iris(return_X_y=True))


class Diabetes(Source):
    """442 patients of 10 features; the disease's progress after a year, scaled to deviation 1 (Efron et al. 2004)."""

    task = "regression"
    standardize: bool = True

    def raw(self) -> Raw:
        from sklearn.datasets import load_diabetes

        x, y = load_diabetes(return_X_y=True)
        return Raw(x, (y - y.mean()) / y.std())
