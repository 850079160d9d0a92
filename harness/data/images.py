"""Image data sets that are on the machine already; nothing is downloaded."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from harness.core.errors import HarnessError
from harness.data.base import Data, Raw

FOLDERS = (
    "/usr/share/datasets/fashion-mnist",
    "/usr/share/dataset-fashion-mnist",
    "data/FashionMNIST/raw",
)
"""Where Debian's package and torchvision put Fashion-MNIST's files."""


class FashionMNIST(Data):
    """70,000 pictures of clothes, 28×28, 10 classes (Xiao et al. 2017).

    Read from Debian's package or torchvision's folder; nothing is downloaded.
    """

    root: str | None = None
    """Folder with the four idx files; by default the usual places are tried."""
    image: bool = False
    """Give inputs as (1, 28, 28) images for convolutions, not as 784 numbers."""

    def raw(self) -> Raw:
        folder = self._folder()
        x, y = self._read(folder, "train")
        return Raw(x, y, self._read(folder, "t10k"))

    def _read(self, folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
        """Return a part's pixels in [0, 1] and its labels."""
        pixels = read_idx(_file(folder, f"{part}-images-idx3-ubyte")).astype(np.float32) / 255
        labels = read_idx(_file(folder, f"{part}-labels-idx1-ubyte"))
        return pixels[:, None] if self.image else pixels.reshape(len(pixels), -1), labels

    def _folder(self) -> Path:
        """Return the folder given, else the environment's, else the first of the usual ones."""
        places = [os.environ.get("HARNESS_FASHION_MNIST", ""), *FOLDERS]
        tried = [self.root] if self.root else [place for place in places if place]
        for folder in tried:
            if Path(folder).is_dir():
                return Path(folder)
        raise HarnessError(
            f"data FashionMNIST: expected its idx files in one of {', '.join(tried)}, found none; "
            "install Debian's dataset-fashion-mnist, or set data.root or HARNESS_FASHION_MNIST "
            "to the folder"
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
        make = getattr(datasets, self.dataset, None)
        if make is None:
            raise HarnessError(f"data.dataset: torchvision.datasets has no {self.dataset!r}")
        try:
            train, test = make(self.root, train=True), make(self.root, train=False)
        except RuntimeError as error:
            raise HarnessError(
                f"data Torchvision {self.dataset}: {error} (looked in {self.root})"
            ) from None
        x, y = _arrays(train)
        return Raw(x, y, _arrays(test))


def _arrays(part: Iterable[tuple[object, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels in [0, 1], (N, C, H, W), and labels (N,).

    Args:
        part: pairs of a picture, (H, W) or (H, W, C) bytes, and its label.
    """
    pictures, labels = [], []
    for picture, label in part:
        pictures.append(np.asarray(picture, dtype=np.float32) / 255)
        labels.append(label)
    pixels = np.stack(pictures)
    planes = pixels[:, None] if pixels.ndim == 3 else pixels.transpose(0, 3, 1, 2)
    return planes, np.asarray(labels)


def read_idx(path: Path) -> np.ndarray:
    """Read an idx file of bytes, gzipped or not (LeCun's format).

    Two zero bytes, the type of the numbers, the rank; each size as a big-endian 32-bit integer; the
    numbers.
    """
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    rank = content[3]
    shape = np.frombuffer(content, ">i4", rank, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


def _file(folder: Path, name: str) -> Path:
    """Return the file, gzipped or not, in the folder."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.exists():
            return path
    raise HarnessError(
        f"data FashionMNIST: expected {name} or {name}.gz in {folder}, found neither"
    )
