"""Dynamic loss scaling for training in float16 (Micikevicius et al. 2018), a scale for each member.

Small gradients are zero in float16, whose least number is 6e-8. The loss is multiplied by a scale
before the backward pass, and the gradient divided by it. Where a gradient is not finite, the
member's update is left out and its scale halved; after :data:`GROWTH_INTERVAL` updates in a row
without that it is doubled. The numbers are those of ``torch.amp.GradScaler``.

An update that is left out leaves a member's weights and optimizer state as they were. The count of
updates that some optimizers keep goes on all the same: members share it, and a member must equal
itself alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor

from harness.optimizers.base import OptimizerState

_States = Sequence[Sequence[OptimizerState]]

FIRST_SCALE = 2.0**16
GROWTH, BACKOFF = 2.0, 0.5
GROWTH_INTERVAL = 2000
"""Updates with finite gradients after which a scale grows."""


class LossScaling(NamedTuple):
    """The members' scales; an update changes them in place."""

    scale_K: Tensor
    finite_K: Tensor
    """Updates in a row with finite gradients."""

    def of_rows(self, rows: Tensor) -> LossScaling:
        """Return the scales of some members."""
        return LossScaling(self.scale_K[rows], self.finite_K[rows])


def first_scaling(like_KP: Tensor) -> LossScaling:
    """Return the scales before the first update.

    Args:
        like_KP: a row a member.
    """
    scale_K = like_KP.new_full((len(like_KP),), FIRST_SCALE)
    return LossScaling(scale_K, torch.zeros_like(scale_K, dtype=torch.int32))


def adapt_scaling(scaling: LossScaling, good_K: Tensor) -> None:
    """Change the scales after an update::

        s ← s/2, n ← 0                       where the gradient was not finite
        s ← 2s (if that is finite), n ← 0    where n + 1 is the growth interval
        n ← n + 1                            else

    Args:
        scaling: the scales s and the counts n.
        good_K: whether each member's gradient was finite.
    """
    scale_K, count_K = scaling
    count_K.add_(1).mul_(good_K)
    grown_K = scale_K * GROWTH
    grows_K = count_K == GROWTH_INTERVAL
    scale_K.copy_(torch.where(grows_K & grown_K.isfinite(), grown_K, scale_K))
    scale_K.copy_(torch.where(good_K, scale_K, scale_K * BACKOFF))
    count_K.mul_(~grows_K)


def copied_states(states: _States) -> list[list[OptimizerState]]:
    """Return copies of optimizers' states, whose memory an update uses again."""
    return [[cast("OptimizerState", _copied(own)) for own in block] for block in states]


def _copied(part: object) -> object:
    if isinstance(part, Tensor):
        return part.clone()
    if isinstance(part, tuple):
        return tuple.__new__(type(part), [_copied(own) for own in part])
    return part


def undo_states(
    rows: Sequence[slice], new: _States, old: _States, good_K: Tensor
) -> list[list[OptimizerState]]:
    """Return the new states with the old ones' rows where an update is left out.

    Args:
        rows: of the members of each optimizer.
        new: the states after the update, by block and group.
        old: those before it.
        good_K: whether each member's update counts.
    """
    return [
        [
            cast("OptimizerState", _mixed(after, before, good_K[own]))
            for own, after, before in zip(rows, *blocks, strict=True)
        ]
        for blocks in zip(new, old, strict=True)
    ]


def _mixed(new: object, old: object, good_K: Tensor) -> object:
    if isinstance(new, Tensor) and isinstance(old, Tensor):
        return torch.where(good_K.view(-1, *[1] * (new.ndim - 1)), new, old)
    if isinstance(new, tuple) and isinstance(old, tuple):
        parts = [_mixed(*pair, good_K) for pair in zip(new, old, strict=True)]
        return tuple.__new__(type(new), parts)
    return new
