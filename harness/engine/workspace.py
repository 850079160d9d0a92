"""The memory of a cohort's weights and of their gradient where the backward pass is written out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from harness.core.parameter_layout import Layout
from harness.models.base import Params


class Piece(NamedTuple):
    """Columns of the rows that are moved by one call."""

    w_KC: Tensor
    g_KC: Tensor


class Room(NamedTuple):
    """Weights, and room for their gradient: rows, zero between tensors, but for the tensors that are a piece each.

    These have blocks: a product of matrices is written into one at once, but into rows, whose members lie apart, it must
    be carried.
    """

    w_KP: Tensor
    params: Params
    g_KP: Tensor
    blocks: dict[str, Tensor]
    """Gradients that lie outside the rows, (K, *shape) each."""
    slopes: Params
    """Where each tensor's gradient is written."""
    pieces: tuple[Piece, ...]

    def gathered(self, layout: Layout) -> Tensor:
        """Return the whole gradient (K, P), the blocks carried into the rows."""
        for name, block in self.blocks.items():
            layout.view(self.g_KP, name).copy_(block)
        return self.g_KP


def room_for(layout: Layout, w_KP: Tensor, pieces: Sequence[slice] = ()) -> Room:
    """Return the given weights with room for their gradient, in the given columns."""
    g_KP, blocks = torch.zeros_like(w_KP), {}
    for name, (offset, size, shape) in layout.slots.items():
        if slice(offset, offset + size) in pieces:
            blocks[name] = w_KP.new_empty(len(w_KP), *shape)
    own = {layout.slots[name].offset: block.flatten(1) for name, block in blocks.items()}
    made = tuple(Piece(w_KP[:, some], own.get(some.start, g_KP[:, some])) for some in pieces)
    return Room(w_KP, layout.views(w_KP), g_KP, blocks, layout.views(g_KP) | blocks, made)
