"""Where a program computes, and its data there.

Data live on the device as whole tensors, in the type of the weights; a minibatch is an index into
them, and no loader is needed.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from harness.core.errors import HarnessError
from harness.core.recent import keep_recent
from harness.data.base import KEPT, Data, load_data
from harness.data.dataset import Part

PartName = Literal["train", "valid", "test"]


class Samples(NamedTuple):
    """A part of the data on the device: inputs (N, *shape) and targets (N, D)."""

    x: Tensor
    y: Tensor

    @property
    def size(self) -> int:
        """Number of samples."""
        return len(self.x)

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
def place(data: Data, part: PartName, device: torch.device, dtype: torch.dtype) -> Samples:
    """Return one part of the data on the device, shared by all programs: never write into it.

    Args:
        data: the spec of the data; equal specs share a copy.
        part: which samples.
        device: where they are wanted.
        dtype: what they are wanted as, the targets too.
    """
    arrays: Part = getattr(load_data(data), part)
    return Samples(*(torch.as_tensor(a, dtype=dtype, device=device) for a in arrays))


@keep_recent(KEPT)  # asked for again after every evaluation
def place_in_a_row(data: tuple[Data, ...], device: torch.device, dtype: torch.dtype) -> Samples:
    """Return the training samples of several splits one after the other; never write into them.

    Args:
        data: specs that differ in their split.
        device: where the samples are wanted.
        dtype: what they are wanted as.
    """
    parts = [place(each, "train", device, dtype) for each in data]
    return Samples(torch.cat([part.x for part in parts]), torch.cat([part.y for part in parts]))
