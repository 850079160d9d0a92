"""Pictures in folders, one folder a class."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, final

import numpy as np

from harness.core.errors import HarnessError
from harness.data.dataset import PART_NAMES, Raw
from harness.data.files import FileData

if TYPE_CHECKING:
    from PIL import Image

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
"""What pictures' names end in; other files are passed over."""


class LabelledFile(NamedTuple):
    """A picture and its class."""

    path: Path
    label: str


@final
class ImageFolder(FileData):
    """Pictures in folders by class, ``path/<class>/<picture>``, as torchvision has them.

    Where the folders are called train, val (or valid) and test, each has the classes in it and is
    a part of its own. Inputs are (C, H, W) in [0, 1].
    """

    size: int | tuple[int, int] | None = None
    """Height and width that pictures are brought to, one number for both; by default they keep
    theirs, which must be the same for all."""
    color: Literal["auto", "grey", "rgb"] = "auto"
    """One channel or three; "auto" takes three where any picture has colours."""

    def dated(self) -> list[Path]:
        """Return the folders: a picture that comes or goes changes the time of its own.

        One that is overwritten in its place does not; there may be millions.
        """
        top = self.place()
        inner = _folders(top)
        parts = [each for folder in inner if _is_part(folder) for each in _folders(folder)]
        return [top, *inner, *parts]

    def raw(self) -> Raw:
        """Read all pictures.

        Raises:
            HarnessError: there are no classes, a picture can't be read, or their sizes differ.
        """
        parts = _parts_of(self.place(), self.path)
        every = [file for files in parts.values() for file in files]
        grey = self.color == "grey" or (self.color == "auto" and all(map(_is_grey, every)))
        size = (self.size, self.size) if isinstance(self.size, int) else self.size
        shape = size or _one_size(every)
        read = {
            part: (_read_all(files, shape, grey=grey), np.array([file.label for file in files]))
            for part, files in parts.items()
        }
        return Raw(*read["train"], test=read.get("test"), valid=read.get("valid"))


def _parts_of(folder: Path, name: str) -> dict[str, list[LabelledFile]]:
    """Return the pictures of each part; all are of the training part where there is one alone.

    Args:
        folder: where they are.
        name: what the spec calls it, for errors.

    Raises:
        HarnessError: there are no folders with pictures, or none of the training part.
    """
    if not folder.is_dir():
        raise HarnessError(f"data.path: expected a folder of pictures, got the file {name}")
    inner = _folders(folder)
    if inner and all(map(_is_part, inner)):
        parts = {PART_NAMES[each.name.lower()]: _by_class(each) for each in inner}
    else:
        parts = {"train": _by_class(folder)}
    if "train" not in parts:
        found = ", ".join(each.name for each in inner)
        raise HarnessError(f"data.path: expected a folder 'train' in {name} beside {found}")
    for part, files in parts.items():
        if not files:
            raise HarnessError(
                f"data.path: expected folders of pictures, one a class, in the {part} part of "
                f"{name}, found none that end in {', '.join(ENDINGS[:3])} or the like"
            )
    return parts


def _folders(folder: Path) -> list[Path]:
    """Return the folders inside of one by their names, without hidden ones."""
    with os.scandir(folder) as entries:
        return sorted(Path(e) for e in entries if e.is_dir() and e.name[0] != ".")


def _is_part(folder: Path) -> bool:
    return folder.name.lower() in PART_NAMES


def _by_class(folder: Path) -> list[LabelledFile]:
    """Return the pictures below each folder inside a folder, in the order of their names."""
    return [
        LabelledFile(path, inner.name)
        for inner in _folders(folder)
        for path in sorted(inner.rglob("*"))
        if path.suffix.lower() in ENDINGS and path.name[0] != "."
    ]


def _opened(file: LabelledFile) -> Image.Image:
    """Open a picture; its pixels are read when they are asked for.

    Raises:
        HarnessError: Pillow is not installed, or the file is no picture.
    """
    try:
        from PIL import Image  # few data are pictures
    except ImportError:
        raise HarnessError("data ImageFolder: Pillow is missing; pip install pillow") from None
    try:
        return Image.open(file.path)
    except OSError as error:
        raise HarnessError(f"data ImageFolder: {file.path} can't be read: {error}") from None


def _is_grey(file: LabelledFile) -> bool:
    with _opened(file) as image:
        return image.mode[0] in "1LIF"


def _one_size(files: Sequence[LabelledFile]) -> tuple[int, int]:
    """Return the height and width of all pictures.

    Raises:
        HarnessError: they differ.
    """
    sizes: dict[tuple[int, int], Path] = {}
    for file in files:
        with _opened(file) as image:
            sizes.setdefault(image.size, file.path)
    if len(sizes) > 1:
        (one, first), (other, second) = list(sizes.items())[:2]
        raise HarnessError(
            f"data.size: expected pictures of one size, got {one[0]}×{one[1]} ({first.name}) and "
            f"{other[0]}×{other[1]} ({second.name}); set size to bring all to one"
        )
    width, height = next(iter(sizes))
    return height, width


def _read_all(files: Sequence[LabelledFile], shape: tuple[int, int], *, grey: bool) -> np.ndarray:
    """Return pictures (N, C, H, W) in [0, 1] as float32.

    Raises:
        HarnessError: one is broken.
    """
    pixels = np.empty((len(files), 1 if grey else 3, *shape), np.float32)
    for place, file in enumerate(files):
        try:
            with _opened(file) as image:
                pixels[place] = _pixels(image, shape, grey=grey)
        except OSError as error:
            raise HarnessError(f"data ImageFolder: {file.path} can't be read: {error}") from None
    return pixels


def _pixels(image: Image.Image, shape: tuple[int, int], *, grey: bool) -> np.ndarray:
    """Return one picture (C, H, W) in [0, 1]."""
    from PIL import Image

    if image.mode[0] == "I":  # 16 bits a pixel, which Pillow would cut off at 255
        image = Image.fromarray(np.asarray(image, np.float32) / 257)
    else:
        image = image.convert("L" if grey else "RGB")
    if image.size != (shape[1], shape[0]):
        # bilinear over all pixels that become one, so that small pictures show no false patterns
        image = image.resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    array = np.asarray(image, np.float32) / 255
    # (1, H, W) of a grey picture also fills three channels
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
