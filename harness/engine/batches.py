"""The minibatches of each member, in the order of its own stream."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from harness.engine.program import Program
from harness.engine.splits import Splits
from harness.engine.stream_batches import draw_order, read_batch
from harness.engine.training_loss import Minibatch

AHEAD = 2**18
"""Bytes of inputs gathered at once: several batches of a small cohort by one call, since a call
costs more than copying few samples, and few enough to stay in a core's cache until they are used.
"""


class Batches:
    """Minibatches by step, from one stream a member and epoch, so that any step can be reached.

    It may be made afresh at any step, as the loop does at every evaluation, and gives the same
    batches. It is fastest when steps are asked for in their order.

    Args:
        program: the length of an epoch, and the kind of order.
        splits: the members' training samples.
        seeds: the members' seeds; members of one seed see the same samples.
    """

    def __init__(self, program: Program, splits: Splits, seeds: Sequence[int]) -> None:
        self.program, self.splits, self.seeds = program, splits, tuple(seeds)
        x, y, batch = splits.train.x, splits.train.y, program.times.batch
        # the whole training set at once: its order does not matter
        self.full = batch == program.train.size
        # numbers (N, D) with the samples last, for ``_columns``; None for other targets
        plain = y.ndim == 2 and y.is_floating_point()
        self.y_DN = y.mT.clone(memory_format=torch.contiguous_format) if plain else None
        sample_bytes = x[0].numel() * x.element_size() if len(x) else 1
        # samples gathered at once, A: a whole number of batches, so that none lies in two pieces
        self.ahead = max(1, AHEAD // (len(self.seeds) * sample_bytes * batch)) * batch
        # caches: the number and order of one epoch, the number and samples of one piece of it
        self.epoch, self.rows_KN = -1, torch.empty(0, dtype=torch.long)
        self.first, self.gathered = -1, Minibatch(torch.empty(0), torch.empty(0))

    def batch(self, step: int) -> Minibatch:
        """Return the minibatch of update ``step``.

        Args:
            step: number of the update, counted from 0 over the whole run.

        Returns:
            Views, which must not be written into: of the gathered samples, or of the training set
            itself. The last batch of an epoch is smaller where the epoch is no multiple of it.
        """
        times, train = self.program.times, self.splits.train
        if train.stream is not None:
            return read_batch(self.program, train.stream, self.seeds[0], step)
        # the whole training set of one split: all members share the inputs, which are not copied K
        # times
        if times.batch == train.size:
            return Minibatch(train.x[None], train.y.expand(len(self.seeds), *train.y.shape))
        epoch, position = divmod(step, times.per_epoch)
        rows_KN = self.order(epoch)
        first, offset = divmod(position * times.batch, self.ahead)
        if first != self.first:
            index_KA = rows_KN[:, first * self.ahead : (first + 1) * self.ahead]
            self.first = first
            y_DN = self.y_DN
            y_KAD = _rows(train.y, index_KA) if y_DN is None else _columns(y_DN, index_KA)
            self.gathered = Minibatch(_rows(train.x, index_KA), y_KAD)
        x_KA, y_KAD = self.gathered
        here = slice(offset, offset + times.batch)
        return Minibatch(x_KA[:, here], y_KAD[:, here])

    def order(self, epoch: int) -> Tensor:
        """Return the members' orders (K, N) of the samples in an epoch; only to be read."""
        kind, count = self.program.recipe.batch_order, self.program.train.size
        # the other kinds have one order for the run: that of epoch 0
        epoch = epoch if kind == "reshuffled" and not self.full else 0
        if epoch == self.epoch:
            return self.rows_KN
        # members of one seed, such as the same seed in several arms, share one draw
        sequential = kind == "sequential" or self.full
        drawn = {seed: draw_order(seed, epoch, count, sequential) for seed in set(self.seeds)}
        rows = [drawn[seed] for seed in self.seeds]
        if any(self.splits.first_K):
            rows = [row + first for row, first in zip(rows, self.splits.first_K, strict=True)]
        self.epoch, self.first = epoch, -1
        self.rows_KN = torch.from_numpy(np.stack(rows)).to(self.program.device)
        return self.rows_KN


def _rows(part: Tensor, index_KA: Tensor) -> Tensor:
    """Return (K, A, *shape): samples of a part (N, *shape) of the data."""
    # index_select over a flat index is faster than part[index_KA]
    return part.index_select(0, index_KA.flatten()).view(*index_KA.shape, *part.shape[1:])


def _columns(part_DN: Tensor, index_KA: Tensor) -> Tensor:
    """Return (K, A, D): targets of a part (D, N) of the data.

    In memory the samples of one output are next to each other, as losses take them fastest.
    """
    return part_DN.index_select(1, index_KA.flatten()).view(-1, *index_KA.shape).movedim(0, -1)
