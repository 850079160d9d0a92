"""The gradient of a batch by several processes, each of which differentiates its share of it."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, distributed

from harness.core.noise import Noise, RecordedNoise
from harness.core.ranks import current_rank
from harness.engine.differentiate.accumulated import column, shares_of, split_batch
from harness.engine.differentiate.around import Around
from harness.engine.differentiate.base import Differentiator, Gradient, TrainingPass
from harness.engine.hyperparameters import Hyperparameters
from harness.engine.training_loss import Minibatch
from harness.engine.workspace import Workspace
from harness.models.base import Buffers


@final
class Distributed(Around):
    """∂L/∂θ = Σ_p s_p ∂L_p/∂θ over the processes p (data parallel, as torch's DDP).

    L_p is the mean loss of the samples of process p, and s_p the share of the batch that they are.
    All processes hold the same weights, draw the same numbers and make the same updates. It is the
    gradient of the whole batch but for rounding, what dropout draws included. Probes are shown a
    pass over the whole batch, which every process makes; by itself, a process takes whole batches.

    Args:
        inner: differentiates the samples of one process.
    """

    def gradient(
        self,
        w_KP: Tensor,
        buffers: Buffers,
        batch: Minibatch,
        hyper: Hyperparameters,
        noise: Noise | RecordedNoise | None = None,
        workspace: Workspace | None = None,
        record: TrainingPass | None = None,
    ) -> Gradient:
        rank = current_rank()
        # probes may ask for fewer samples than there are processes, and without noise
        if rank is None or batch.x_KB.shape[1] < rank.processes:
            return self.inner.gradient(w_KP, buffers, batch, hyper, noise, workspace, record)
        if record is not None:
            again = noise.fork() if isinstance(noise, Noise) else noise
            self.inner.gradient(w_KP, buffers, batch, hyper, again, None, record)
        own = noise.part(rank.place, rank.processes) if isinstance(noise, Noise) else noise
        parts = split_batch(batch, rank.processes)
        share = shares_of(self.loss, parts, hyper)[rank.place]
        workspace = workspace or self.inner.workspace(w_KP)
        part = self.inner.gradient(w_KP, buffers, parts[rank.place], hyper, own, workspace)
        loss_K = _add_up(part, share)
        g_KP = part.g_KP
        # as of one pass: whole rows for probes
        if workspace is not None and workspace.apart and record is not None:
            g_KP = workspace.gathered(self.loss.layout)
        return Gradient(loss_K, g_KP, part.blocks, part.buffers)


def _add_up(part: Gradient, share: float | Tensor) -> Tensor:
    """Put the sum over all processes into a part's blocks, and return that of the losses (K,)."""
    # one message for all: each costs a round of all processes
    whole_KQ = torch.cat([part.loss_K[:, None], *(block.g_KC for block in part.blocks)], 1)
    whole_KQ *= column(share)
    distributed.all_reduce(whole_KQ)
    loss_K1, *sums = whole_KQ.split([1, *(block.g_KC.shape[1] for block in part.blocks)], 1)
    for block, sum_KC in zip(part.blocks, sums, strict=True):
        block.g_KC.copy_(sum_KC)
    loss_K: Tensor = loss_K1[:, 0].clone()
    return loss_K


def by_several_processes(differentiator: Differentiator, processes: int) -> Differentiator:
    """Return what takes a gradient by so many processes; for 1 the given one itself.

    Args:
        differentiator: of the samples of one process.
        processes: of the recipe.
    """
    return differentiator if processes == 1 else Distributed(differentiator)
