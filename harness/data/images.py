"""Image data sets that are on the machine already; nothing is downloaded."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable
from pathlib import Path
from typing import final

import numpy as np

from harness.core.errors import HarnessError
from harness.data.base import Data
from harness.data.dataset import Raw

FOLDERS = (
    "/usr/share/datasets/fashion-mnist",
    "/usr/share/dataset-fashion-mnist",
    "data/FashionMNIST/raw",
)
"""Where Debian's package and torchvision put Fashion-MNIST's files; the last one is relative to
the working directory."""


@final
class FashionMNIST(Data):
    """70,000 pictures of clothes, 28×28, 10 classes (Xiao et al. 2017).

    Read from Debian's package or torchvision's folder; nothing is downloaded.
    """

    root: str | None = None
    """Folder with the four idx files; by default the usual places are tried."""
    image: bool = False
    """Give inputs as (1, 28, 28) images for convolutions, not as 784 numbers."""

    def raw(self) -> Raw:
        """Return 60,000 training and 10,000 test pictures.

        Raises:
            HarnessError: the files are not on this machine.
        """
        folder = self._folder()
        x, y = self._read(folder, "train")
        return Raw(x, y, self._read(folder, "t10k"))

    def _read(self, folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
        """Return a part's pixels in [0, 1], (N, 784) or (N, 1, 28, 28), and its labels (N,).

        Args:
            folder: where the idx files are.
            part: "train" or "t10k", as the files' names begin.

        Raises:
            HarnessError: a file is missing.
        """
        pixels = read_idx(_file(folder, f"{part}-images-idx3-ubyte")).astype(np.float32) / 255
        labels = read_idx(_file(folder, f"{part}-labels-idx1-ubyte"))
        return pixels[:, None] if self.image else pixels.reshape(len(pixels), -1), labels

    def _folder(self) -> Path:
        """Return the folder given, else the environment's, else the first of the usual ones.

        ``root`` is tried alone: a folder that was named and is missing is an error, and no other
        data are taken in its place.

        Raises:
            HarnessError: none of them exists.
        """
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


@final
class Torchvision(Data):
    """A classification data set of torchvision's, by the name of its class, already downloaded."""

    dataset: str
    """Class in torchvision.datasets, such as "CIFAR10"."""
    root: str = "data"
    """Folder that holds the data."""

    def raw(self) -> Raw:
        """Return the data set's pictures (N, C, H, W) with its own test part.

        Raises:
            HarnessError: torchvision is not installed, has no such class, or finds no files.
        """
        try:
            from torchvision import datasets  # optional, and slow to import
        except ImportError:
            raise HarnessError(
                "data Torchvision: torchvision is not installed; pip install torchvision"
            ) from None
        make = getattr(datasets, self.dataset, None)
        if make is None:
            raise HarnessError(f"data.dataset: torchvision.datasets has no {self.dataset!r}")
        try:
            train, test = make(self.root, train=True), make(self.root, train=False)
        except RuntimeError as error:  # what torchvision raises where the files are not there
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
    # grey pictures get one channel, and colours go first, as convolutions expect
    planes = pixels[:, None] if pixels.ndim == 3 else pixels.transpose(0, 3, 1, 2)
    return planes, np.asarray(labels)


def read_idx(path: Path) -> np.ndarray:
    """Read an idx file of bytes, gzipped or not (LeCun's format).

    Two zero bytes, the type of the numbers, the rank; each size as a big-endian 32-bit integer; the
    numbers.

    Args:
        path: the file; one that ends in ``.gz`` is unpacked.

    Returns:
        The numbers, uint8 and read-only, in the shape that the file gives.
    """
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    rank = content[3]  # the type, content[2], is that of unsigned bytes in all files read here
    shape = np.frombuffer(content, ">i4", rank, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


def _file(folder: Path, name: str) -> Path:
    """Return the path of a file in the folder, plain or else gzipped.

    Raises:
        HarnessError: it is there in neither form.
    """
    for path in (folder / name, folder / f"{name}.gz"):
        if path.exists():
            return path
    raise HarnessError(
        f"data FashionMNIST: expected {name} or {name}.gz in {folder}, found neither"
    )
