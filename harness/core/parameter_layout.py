"""The flat form of weights: one row for each member of a cohort, every tensor at an aligned offset.

In shapes, K counts the members and P the numbers of a row, padding included; C are some of the P
columns.

With all tensors of a member in one row, an optimizer moves a whole cohort by a few calls on one
tensor (K, P) instead of a few for each tensor of each member. Padding is zero in weights and
gradients, so that norms and dot products of rows are those of the parameters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

ALIGNMENT = 64
"""Rows and tensors start at multiples of so many elements.

Vector instructions then treat every row alike, and a member's bits do not depend on its place.
"""


Role = Literal["hidden", "input", "output", "embedding", "bias", "norm"]
"""What a parameter is in its network.

Weights of a layer between hidden units, of the one that takes the inputs, of the one that gives the
outputs; vectors looked up by place or token; biases; scales and shifts of normalizations.
"""


class Slot(NamedTuple):
    """Where a tensor lies in a row."""

    offset: int
    """Its first element."""
    size: int
    """Its elements, padding left out."""
    shape: tuple[int, ...]
    role: Role = "hidden"
    fused: int = 1
    """Matrices below each other along the first axis, such as 3 of queries, keys and values."""


class Layout(NamedTuple):
    """The places of all tensors in a row."""

    slots: dict[str, Slot]
    width: int
    """Elements of a row, P."""
    cuts: tuple[int, ...]
    """Sizes of each tensor and of the gap behind it, by turns; they sum to ``width``."""
    layers: dict[str, int]
    """Each layer's place among the tensors, by the layer's name.

    It is the place of the layer's weights; biases and norms have none of their own.
    """

    def views(self, flat_KP: Tensor) -> dict[str, Tensor]:
        """Return each tensor by name as a view (K, *shape) into the rows.

        Args:
            flat_KP: whole rows. What is written into the views is written into them.
        """
        # one call of torch cuts the rows at all places, which is faster than a slice for each
        # tensor; every second part is a gap
        parts = flat_KP.split_with_sizes(self.cuts, 1)[::2]
        return {
            name: part.view(-1, *slot.shape)
            for (name, slot), part in zip(self.slots.items(), parts, strict=True)
        }

    def view(self, flat_KP: Tensor, name: str) -> Tensor:
        """Return one tensor as a view (K, *shape) into the rows.

        Raises:
            KeyError: there is no tensor of this name.
        """
        slot = self.slots[name]
        return flat_KP[:, slot.offset : slot.offset + slot.size].view(-1, *slot.shape)

    def blocks(self, least: int) -> tuple[slice, ...]:
        """Return a row's columns in blocks: each large tensor, and what lies between two such.

        A tensor whose size is no multiple of ``ALIGNMENT`` is never a block of its own: its padding
        would be left over, and the block behind it would not start at an aligned column.

        Args:
            least: numbers of a tensor from which it counts as large.

        Returns:
            Slices that cover the row and start at multiples of ``ALIGNMENT``.
        """
        edges = {0, self.width}
        for slot in self.slots.values():
            if slot.size >= least and slot.size % ALIGNMENT == 0:
                edges |= {slot.offset, slot.offset + slot.size}
        return tuple(slice(*pair) for pair in pairwise(sorted(edges)))

    def pack(self, tensors: Mapping[str, Tensor], like_KP: Tensor) -> Tensor:
        """Return new rows (K, P) that hold copies of the given tensors, and zeros elsewhere.

        Args:
            tensors: (K, *shape) each, by name.
            like_KP: rows of the wanted shape, type and device; they are not read.
        """
        flat_KP = like_KP.new_zeros(like_KP.shape)
        for name, tensor in tensors.items():
            self.view(flat_KP, name).copy_(tensor)
        return flat_KP


def layout_of(
    shapes: Mapping[str, tuple[int, ...]],
    roles: Mapping[str, Role] | None = None,
    fused: Mapping[str, int] | None = None,
) -> Layout:
    """Lay tensors of the given shapes out one after the other, each from an aligned offset.

    Args:
        shapes: of one member's tensors, by name; a layer's weights are called ``<layer>.weight``.
        roles: what each parameter is, by name; one that is left out counts as hidden.
        fused: in how many matrices a parameter falls apart, by name; 1 where it is left out.

    Returns:
        The layout, with the tensors in the given order.

    >>> layout = layout_of({"hidden.weight": (4, 20), "hidden.bias": (4,)})
    >>> layout.width, layout.slots["hidden.bias"].offset, layout.cuts
    (192, 128, (80, 48, 4, 60))
    """
    slots: dict[str, Slot] = {}
    cuts: list[int] = []
    offset = 0
    for name, shape in shapes.items():
        size = math.prod(shape)
        aligned = -(-size // ALIGNMENT) * ALIGNMENT  # rounded up
        role, parts = (roles or {}).get(name, "hidden"), (fused or {}).get(name, 1)
        slots[name] = Slot(offset, size, tuple(shape), role, parts)
        cuts += [size, aligned - size]
        offset += aligned
    layers = {
        name.removesuffix(".weight"): place
        for place, (name, slot) in enumerate(slots.items())
        if name.endswith(".weight") and len(slot.shape) > 1  # one dimension: the scale of a norm
    }
    return Layout(slots, offset, tuple(cuts), layers)
