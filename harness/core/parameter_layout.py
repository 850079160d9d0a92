"""The flat form of weights: one row for each member of a cohort, every tensor at an aligned offset."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

ALIGNMENT = 64
"""Elements; rows and tensors start at multiples of it, so that a member's bits do not depend on its place."""


class Slot(NamedTuple):
    """Where a tensor lies in a row."""

    offset: int
    size: int
    shape: tuple[int, ...]


class Layout(NamedTuple):
    """The places of all tensors in a row of ``width`` numbers."""

    slots: dict[str, Slot]
    width: int
    cuts: tuple[int, ...]
    """Sizes of each tensor and of the gap behind it, by turns."""
    layers: dict[str, int]
    """Each layer's place among the tensors by that of its weights; biases and norms have none of their own."""

    def views(self, flat_KP: Tensor) -> dict[str, Tensor]:
        """Return each tensor as a view (K, *shape) into the rows."""
        pieces = flat_KP.split_with_sizes(self.cuts, 1)[::2]
        return {
            name: piece.view(-1, *slot.shape)
            for (name, slot), piece in zip(self.slots.items(), pieces, strict=True)
        }

    def view(self, flat_KP: Tensor, name: str) -> Tensor:
        """Return one tensor as a view (K, *shape) into the rows."""
        offset, size, shape = self.slots[name]
        return flat_KP[:, offset : offset + size].view(-1, *shape)

    def pieces(self, least: int) -> tuple[slice, ...]:
        """Return the columns of each tensor of at least so many numbers and of what lies between such, all aligned."""
        large = [s for s in self.slots.values() if s.size >= least and s.size % ALIGNMENT == 0]
        edges = sorted(
            {0, self.width} | {edge for s in large for edge in (s.offset, s.offset + s.size)}
        )
        return tuple(slice(*pair) for pair in pairwise(edges))

    def pack(self, tensors: Mapping[str, Tensor], like_KP: Tensor) -> Tensor:
        """Return rows that hold the given tensors (K, *shape), zero elsewhere."""
        flat_KP = like_KP.new_zeros(like_KP.shape)
        for name, tensor in tensors.items():
            self.view(flat_KP, name).copy_(tensor)
        return flat_KP


def layout_of(shapes: Mapping[str, tuple[int, ...]]) -> Layout:
    """Lay tensors of the given shapes out one after the other."""
    slots, cuts, offset = {}, [], 0
    for name, shape in shapes.items():
        size = math.prod(shape)
        slots[name] = Slot(offset, size, tuple(shape))
        room = -(-size // ALIGNMENT) * ALIGNMENT
        cuts += [size, room - size]
        offset += room
    matrices = {
        name.removesuffix(".weight"): i
        for i, (name, slot) in enumerate(slots.items())
        if name.endswith(".weight") and len(slot.shape) > 1
    }
    return Layout(slots, offset, tuple(cuts), matrices)
