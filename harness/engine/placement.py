"""Where a program computes, and its data there.

Data live on the device as whole tensors, in the type of the weights; a minibatch is an index into
them, and no loader is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.core.errors import HarnessError
from harness.core.recent import keep_recent
from harness.core.sample_fields import pack_samples, sample_fields
from harness.data.base import KEPT, Data, load_data
from harness.data.dataset import Part
from harness.data.endless import EndlessStream
from harness.data.streams import ReadBatch, SampleStream

PartName = Literal["train", "valid", "test"]


class PlacedStream(NamedTuple):
    """Samples that are read when they are needed, and where they are wanted."""

    samples: SampleStream | EndlessStream
    device: torch.device
    dtype: torch.dtype
    whole: bool
    """Whether whole numbers among the inputs stay such."""

    def placed(self, pair: ReadBatch) -> tuple[Tensor, Tensor]:
        """Return samples that have been read, on the device."""
        return (
            convert(pair.x, self.device, self.dtype, self.whole),
            convert(pair.y, self.device, self.dtype, whole=True),
        )


class Samples(NamedTuple):
    """A part of the data on the device: inputs (N, *shape), and targets (N, D) or tokens (N, *S).

    Where a sample has several inputs or targets, they are rows of bytes (N, bytes).
    """

    x: Tensor
    y: Tensor
    stream: PlacedStream | None = None
    """Where all samples are read from, of data that do not lie in memory; ``x`` and ``y`` are the
    first ones then."""

    @property
    def size(self) -> int:
        """Number of samples."""
        return len(self.x) if self.stream is None else self.stream.samples.size

    def at(self, rows: Tensor) -> Samples:
        """Return some of the samples; of a stream none is read before it is needed.

        Args:
            rows: their numbers; of an endless stream the first ones are taken, as many.
        """
        if self.stream is None:
            return Samples(self.x[rows], self.y[rows])
        part = self.stream.samples.part(rows.cpu().numpy())
        return self._replace(stream=self.stream._replace(samples=part))

    def pieces(self, chunk: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield inputs and targets of all samples in order, some at a time.

        Args:
            chunk: samples at a time.
        """
        if self.stream is None:
            yield from zip(self.x.split(chunk), self.y.split(chunk), strict=True)
            return
        for pair in self.stream.samples.plain(chunk):
            yield self.stream.placed(pair)

    @property
    def nbytes(self) -> int:
        """Memory of both."""
        return self.x.nbytes + self.y.nbytes


def resolve_device(name: str) -> torch.device:
    """Return the device; "auto" is the GPU where there is one.

    Args:
        name: as a recipe has it: ``auto``, ``cpu``, ``cuda`` or ``cuda:1``.

    Raises:
        HarnessError: a GPU is asked for and there is none.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise HarnessError(
            f"recipe.device: expected a CUDA device for {name!r}, found none; use 'cpu' or 'auto'"
        )
    return torch.device(name)


@keep_recent(KEPT)  # programs are built often
def place(
    data: Data, part: PartName, device: torch.device, dtype: torch.dtype, whole: bool = False
) -> Samples:
    """Return one part of the data on the device, shared by all programs: never write into it.

    Args:
        data: the spec of the data; equal specs share a copy.
        part: which samples.
        device: where they are wanted.
        dtype: what they are wanted as, the targets too.
        whole: whether whole numbers among the inputs stay such, for networks that look them up.
    """
    loaded = load_data(data)
    arrays: Part = getattr(loaded, part)
    x = as_tensor(arrays.x, device, dtype, whole)
    y = as_tensor(arrays.y, device, dtype, whole=True)
    if loaded.streams is None:
        return Samples(x, y)
    return Samples(x, y, PlacedStream(getattr(loaded.streams, part), device, dtype, whole))


def as_tensor(array: np.ndarray, device: torch.device, dtype: torch.dtype, whole: bool) -> Tensor:
    """Return an array on a device.

    Args:
        array: (N, …); a structured one becomes rows of bytes.
        device: where it is wanted.
        dtype: of its fractions.
        whole: whether whole numbers stay such, as int64.
    """
    if fields := sample_fields(array.dtype, type_name(dtype)):
        return torch.from_numpy(pack_samples(array, fields)).to(device)
    return convert(torch.as_tensor(array), device, dtype, whole)


def convert(tensor: Tensor, device: torch.device, dtype: torch.dtype, whole: bool) -> Tensor:
    """Return a tensor on a device.

    Args:
        tensor: (N, …).
        device: where it is wanted.
        dtype: of its fractions.
        whole: whether whole numbers stay such, as int64.
    """
    number = tensor.is_floating_point() or tensor.dtype == torch.bool
    return tensor.to(device, dtype if number or not whole else torch.int64)


def type_name(dtype: torch.dtype) -> str:
    """Return NumPy's and torch's name of a type, such as ``float32``."""
    return str(dtype).removeprefix("torch.")


@keep_recent(KEPT)  # asked for again after every evaluation
def place_in_a_row(
    data: tuple[Data, ...], device: torch.device, dtype: torch.dtype, whole: bool = False
) -> Samples:
    """Return the training samples of several splits one after the other; never write into them.

    Args:
        data: specs that differ in their split.
        device: where the samples are wanted.
        dtype: what they are wanted as.
        whole: whether whole numbers among the inputs stay such.
    """
    parts = [place(each, "train", device, dtype, whole) for each in data]
    return Samples(torch.cat([part.x for part in parts]), torch.cat([part.y for part in parts]))
