"""The memory that a cohort's weights and their gradient live in.

Only hand-written backward passes write into given memory; autograd makes new memory at every call
and needs no workspace. For small networks, making memory and views at every update would take
longer than the arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from harness.core.parameter_layout import Layout
from harness.models.base import Params


class ParameterBlock(NamedTuple):
    """Columns that one call of an optimizer moves: a large parameter, or all between two such."""

    columns: slice
    """Which columns of a row they are."""
    w_KC: Tensor
    """The weights: a view, in whose memory the new ones are left."""
    g_KC: Tensor
    """Their gradient."""


class Workspace(NamedTuple):
    """Weights, and memory for their gradient that every update uses again.

    The gradient is a row a member, zero between parameters, but for the parameters that are a block
    of their own. These have contiguous memory apart from the rows: a matrix product can be written
    into it at once, whereas in the rows the members lie apart and every product would have to be
    copied there.
    """

    w_KP: Tensor
    """The weights' rows."""
    params: Params
    """The weights by name, as views into the rows."""
    g_KP: Tensor
    """The gradient's rows."""
    apart: dict[str, Tensor]
    """Gradients that lie outside the rows, (K, *shape) each."""
    gradients: Params
    """Where each parameter's gradient is written."""
    blocks: tuple[ParameterBlock, ...]
    """What optimizers move call by call; together they are the whole row."""

    def at(self, w_KP: Tensor, layout: Layout) -> Workspace:
        """Return the same memory for the gradient, at other weights.

        Args:
            w_KP: the weights; most often those that the workspace was made for.
            layout: where each parameter lies in a row.
        """
        return self if self.w_KP is w_KP else self._replace(params=layout.views(w_KP))

    def gathered(self, layout: Layout) -> Tensor:
        """Return the whole gradient (K, P): what lies apart is copied into the rows.

        Only probes need it; it costs a pass over memory that updates do without.

        Args:
            layout: where each parameter lies in a row.
        """
        for name, gradient in self.apart.items():
            layout.view(self.g_KP, name).copy_(gradient)
        return self.g_KP


def workspace_for(layout: Layout, w_KP: Tensor, columns: Sequence[slice]) -> Workspace:
    """Return the given weights with memory for their gradient.

    Args:
        layout: where each parameter lies in a row.
        w_KP: the weights; the workspace holds views of them.
        columns: the blocks, one after the other; each is one parameter or several. With a single
            one no gradient lies apart.
    """
    # zeros, for the gaps between parameters: no one writes there, and norms count them
    g_KP = torch.zeros_like(w_KP)
    apart = {
        name: w_KP.new_empty(len(w_KP), *slot.shape)
        for name, slot in layout.slots.items()
        if len(columns) > 1 and slice(slot.offset, slot.offset + slot.size) in columns
    }
    # (K, *shape) as (K, C): a view, since the memory is contiguous
    apart_at = {layout.slots[name].offset: gradient.flatten(1) for name, gradient in apart.items()}
    blocks = tuple(
        ParameterBlock(some, w_KP[:, some], apart_at.get(some.start, g_KP[:, some]))
        for some in columns
    )
    gradients = layout.views(g_KP) | apart
    return Workspace(w_KP, layout.views(w_KP), g_KP, apart, gradients, blocks)
