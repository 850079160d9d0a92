"""The order in which each member sees the training samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from harness.engine.program import Program
from harness.engine.step import Batch
from harness.seeds import numpy_stream


class Orders:
    """Batches by step: one stream a member and epoch, so that any step can be reached without the ones before."""

    def __init__(self, program: Program, seeds: Sequence[int]) -> None:
        self.program, self.seeds = program, tuple(seeds)
        self.epoch, self.rows_KN = -1, torch.empty(0, dtype=torch.long)

    def batch(self, step: int) -> Batch:
        """Return the batch of update ``step``, counted from 0."""
        times, train = self.program.times, self.program.train
        if times.batch == train.size:
            return Batch(train.x[None], train.y.expand(len(self.seeds), *train.y.shape))
        epoch, position = divmod(step, times.per_epoch)
        self._turn_to(epoch)
        index_KB = self.rows_KN[:, position * times.batch : (position + 1) * times.batch]
        return Batch(*(part.index_select(0, index_KB.flatten()).view(*index_KB.shape, *part.shape[1:]) for part in train))

    def _turn_to(self, epoch: int) -> None:
        order, count = self.program.recipe.batch_order, self.program.train.size
        epoch = epoch if order == "reshuffled" else 0
        if epoch == self.epoch:
            return
        if order == "sequential":
            rows = [np.arange(count)] * len(self.seeds)
        else:
            rows = [numpy_stream(seed, "order", epoch).permutation(count) for seed in self.seeds]
        self.epoch, self.rows_KN = epoch, torch.from_numpy(np.stack(rows)).to(self.program.device)
