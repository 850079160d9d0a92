"""The order in which each member sees the training samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from harness.core.streams import numpy_stream
from harness.engine.program import Program
from harness.engine.step import Batch

AHEAD = 2**18
"""Bytes of inputs gathered at once: several batches of small cohorts, which stay in a core's cache until they are used."""


class Orders:
    """Batches by step: one stream a member and epoch, so that any step can be reached without the ones before."""

    def __init__(self, program: Program, seeds: Sequence[int]) -> None:
        self.program, self.seeds = program, tuple(seeds)
        self.epoch, self.rows_KN = -1, torch.empty(0, dtype=torch.long)
        x, self.y_DN = (
            program.train.x,
            program.train.y.mT.clone(memory_format=torch.contiguous_format),
        )
        sample = x[0].numel() * x.element_size() if len(x) else 1
        self.ahead = (
            max(1, AHEAD // (len(self.seeds) * sample * program.times.batch)) * program.times.batch
        )
        self.first, self.gathered = -1, Batch(torch.empty(0), torch.empty(0))

    def batch(self, step: int) -> Batch:
        """Return the batch of update ``step``, counted from 0."""
        times, train = self.program.times, self.program.train
        if times.batch == train.size:
            return Batch(train.x[None], train.y.expand(len(self.seeds), *train.y.shape))
        epoch, position = divmod(step, times.per_epoch)
        self._turn_to(epoch)
        first, offset = divmod(position * times.batch, self.ahead)
        if first != self.first:
            index_KA = self.rows_KN[:, first * self.ahead : (first + 1) * self.ahead]
            self.first, self.gathered = (
                first,
                Batch(_rows(train.x, index_KA), _columns(self.y_DN, index_KA)),
            )
        x_KA, y_KAD = self.gathered
        return Batch(
            x_KA[:, offset : offset + times.batch], y_KAD[:, offset : offset + times.batch]
        )

    def _turn_to(self, epoch: int) -> None:
        order, count = self.program.recipe.batch_order, self.program.train.size
        epoch = epoch if order == "reshuffled" else 0
        if epoch == self.epoch:
            return
        if order == "sequential":
            rows = [np.arange(count)] * len(self.seeds)
        else:
            drawn = {
                seed: numpy_stream(seed, "order", epoch).permutation(count)
                for seed in set(self.seeds)
            }
            rows = [drawn[seed] for seed in self.seeds]
        self.epoch, self.first = epoch, -1
        self.rows_KN = torch.from_numpy(np.stack(rows)).to(self.program.device)


def _rows(part: Tensor, index_KA: Tensor) -> Tensor:
    return part.index_select(0, index_KA.flatten()).view(*index_KA.shape, *part.shape[1:])


def _columns(part_DN: Tensor, index_KA: Tensor) -> Tensor:
    """Return (K, A, D), the numbers of A next to each other, as losses take them fastest."""
    return part_DN.index_select(1, index_KA.flatten()).view(-1, *index_KA.shape).movedim(0, -1)
