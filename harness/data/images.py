"""Image data sets that are on the machine already; nothing is downloaded."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np

from harness.core.errors import HarnessError
from harness.data.base import Data, Raw

FOLDERS = (
    "/usr/share/datasets/fashion-mnist",
    "/usr/share/dataset-fashion-mnist",
    "data/FashionMNIST/raw",
)


class FashionMNIST(Data):
    """70,000 pictures of clothes, 28×28, 10 classes (Xiao et al. 2017); from Debian's package or torchvision's folder."""

    root: str | None = None
    """Folder with the four idx files; by default the usual places are tried."""
    image: bool = False
    """Give inputs as (1, 28, 28) images for convolutions, not as 784 numbers."""

    def raw(self) -> Raw:
        folder = self._folder()
        x, y = (
            read_idx(_file(folder, f"train-{part}"))
            for part in ("images-idx3-ubyte", "labels-idx1-ubyte")
        )
        x_test, y_test = (
            read_idx(_file(folder, f"t10k-{part}"))
            for part in ("images-idx3-ubyte", "labels-idx1-ubyte")
        )
        return Raw(self._shaped(x), y, (self._shaped(x_test), y_test))

    def _shaped(self, x: np.ndarray) -> np.ndarray:
        scaled = x.astype(np.float32) / 255
        return scaled[:, None] if self.image else scaled.reshape(len(x), -1)

    def _folder(self) -> Path:
        tried = (
            [self.root] if self.root else [os.environ.get("HARNESS_FASHION_MNIST", ""), *FOLDERS]
        )
        for folder in filter(None, tried):
            if Path(folder).is_dir():
                return Path(folder)
        raise HarnessError(
            f"data FashionMNIST: expected its idx files in one of {', '.join(filter(None, tried))}, found none; "
            "install Debian's dataset-fashion-mnist, or set data.root or HARNESS_FASHION_MNIST to the folder"
        )


class Torchvision(Data):
    """A classification data set of torchvision's, by the name of its class, already downloaded."""

    dataset: str
    """Class in torchvision.datasets, such as "CIFAR10"."""
    root: str = "data"
    """Folder that holds the data."""

    def raw(self) -> Raw:
        try:
            from torchvision import datasets
        except ImportError:
            raise HarnessError(
                "data Torchvision: torchvision is not installed; pip install torchvision"
            ) from None
        if not hasattr(datasets, self.dataset):
            raise HarnessError(f"data.dataset: torchvision.datasets has no {self.dataset!r}")
        try:
            parts = [
                getattr(datasets, self.dataset)(self.root, train=train) for train in (True, False)
            ]
        except RuntimeError as error:
            raise HarnessError(
                f"data Torchvision {self.dataset}: {error} (looked in {self.root})"
            ) from None
        (x, y), test = (_arrays(part) for part in parts)
        return Raw(x, y, test)


def _arrays(part: Any) -> tuple[np.ndarray, np.ndarray]:
    pixels = np.stack([np.asarray(image, dtype=np.float32) / 255 for image, _ in part])
    planes = pixels[:, None] if pixels.ndim == 3 else pixels.transpose(0, 3, 1, 2)
    return planes, np.asarray([label for _, label in part])


def read_idx(path: Path) -> np.ndarray:
    """Read an idx file of bytes, gzipped or not (LeCun's format: magic, sizes, data)."""
    opened: Any = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rb") as file:
        content = file.read()
    rank = content[3]
    shape = np.frombuffer(content, ">i4", rank, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


def _file(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.exists():
            return path
    raise HarnessError(
        f"data FashionMNIST: expected {name} or {name}.gz in {folder}, found neither"
    )
