"""The gradient of a batch from several smaller ones, which need less memory at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor

from harness.core.noise import Noise, RecordedNoise
from harness.engine.differentiate.around import Around
from harness.engine.differentiate.base import Differentiator, Gradient, TrainingPass
from harness.engine.hyperparameters import Hyperparameters
from harness.engine.training_loss import Minibatch, TrainingLoss
from harness.engine.workspace import Workspace
from harness.models.base import Buffers, Product


@final
class Accumulated(Around):
    """∂L/∂θ = Σ_m s_m ∂L_m/∂θ over n micro-batches, whose union is the batch.

    L_m is the mean loss of micro-batch m, and s_m the share of the batch that it is. It is the
    gradient of the whole batch but for rounding, unless the network normalises by the batch (by the
    micro-batch then) or drops units (others then, since each micro-batch draws further).

    Args:
        inner: differentiates a micro-batch.
        micro_batches: their number n; of a smaller batch as many as it has samples.
    """

    def __init__(self, inner: Differentiator, micro_batches: int) -> None:
        super().__init__(inner)
        self.micro_batches = micro_batches
        # memory for the gradients of all micro-batches but the first, made when first needed
        self._scratch: Workspace | None = None

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
        first, *others = split_batch(batch, self.micro_batches)
        shares = shares_of(self.loss, [first, *others], hyper)
        records = [None if record is None else TrainingPass() for _ in shares]
        workspace = workspace or self.inner.workspace(w_KP)
        total = self.inner.gradient(w_KP, buffers, first, hyper, noise, workspace, records[0])
        loss_K = total.loss_K * shares[0]
        for block in total.blocks:
            block.g_KC.mul_(column(shares[0]))
        after, scratch = total.buffers, self._memory_like(workspace, w_KP) if others else None
        for part, share, own in zip(others, shares[1:], records[1:], strict=True):
            added = self.inner.gradient(w_KP, after, part, hyper, noise, scratch, own)
            loss_K += share * added.loss_K
            for block, other in zip(total.blocks, added.blocks, strict=True):
                _add_scaled(block.g_KC, other.g_KC, share)
            after = added.buffers
        if record is not None:
            _merge(record, batch, [own for own in records if own is not None], shares)
        g_KP = total.g_KP
        # as of one pass: whole rows for probes
        if workspace is not None and workspace.apart and record is not None:
            g_KP = workspace.gathered(self.loss.layout)
        return Gradient(loss_K, g_KP, total.blocks, after)

    def _memory_like(self, workspace: Workspace | None, w_KP: Tensor) -> Workspace | None:
        """Return memory for another gradient, in the same blocks."""
        if workspace is None:
            return None
        columns = [block.columns for block in workspace.blocks]
        kept = self._scratch
        if (
            kept is None
            or kept.w_KP is not workspace.w_KP
            or [block.columns for block in kept.blocks] != columns
        ):
            kept = self._scratch = self.inner.workspace(workspace.w_KP, columns)
        return kept


def in_micro_batches(differentiator: Differentiator, count: int) -> Differentiator:
    """Return what takes a batch's gradient from so many micro-batches; for 1 the given one itself.

    Args:
        differentiator: of whole batches.
        count: the micro-batches of a batch.
    """
    return differentiator if count == 1 else Accumulated(differentiator, count)


def split_batch(batch: Minibatch, parts: int) -> list[Minibatch]:
    """Return a batch in parts whose sizes differ by one sample at most.

    Args:
        batch: inputs and targets.
        parts: how many; of fewer samples as many parts as samples.

    >>> batch = Minibatch(torch.zeros(1, 5, 2), torch.zeros(1, 5, 1))
    >>> [part.x_KB.shape[1] for part in split_batch(batch, 3)]
    [2, 2, 1]
    """
    parts = min(parts, batch.x_KB.shape[1])
    pieces = zip(batch.x_KB.tensor_split(parts, 1), batch.y_KBD.tensor_split(parts, 1), strict=True)
    return [Minibatch(*piece) for piece in pieces]


def shares_of(
    loss: TrainingLoss, parts: Sequence[Minibatch], hyper: Hyperparameters
) -> Sequence[float | Tensor]:
    """Return what each part's mean loss counts in that of the whole.

    Args:
        loss: weighs samples, or not.
        parts: the batch.
        hyper: the members' numbers.

    Returns:
        For each part a number, or (K,) where the loss weighs samples, such as by their tokens.
    """
    weights = [loss.loss.weights(loss.targets(part.y_KBD), hyper.loss) for part in parts]
    counts_MK = [weights_KB.sum(1) for weights_KB in weights if weights_KB is not None]
    if counts_MK:
        total_K = torch.stack(counts_MK).sum(0)
        dtype = hyper.lr_K.dtype
        return [count_K.to(dtype) / (total_K + (total_K == 0)) for count_K in counts_MK]
    sizes = [part.x_KB.shape[1] for part in parts]
    return [size / sum(sizes) for size in sizes]


def column(share: float | Tensor, axes: int = 2) -> float | Tensor:
    """Return a share to go with a tensor (K, …).

    Args:
        share: a number, or (K,).
        axes: of the tensor.
    """
    return share.view(-1, *(1,) * (axes - 1)) if isinstance(share, Tensor) else share


def _add_scaled(g_KC: Tensor, other_KC: Tensor, share: float | Tensor) -> None:
    """Add a part's gradient, times its share, in place."""
    if isinstance(share, Tensor):
        g_KC.addcmul_(other_KC, share[:, None])
    else:
        g_KC.add_(other_KC, alpha=share)


def _merge(
    record: TrainingPass,
    batch: Minibatch,
    parts: Sequence[TrainingPass],
    shares: Sequence[float | Tensor],
) -> None:
    """Leave what the passes of the parts left, as one pass over the batch would have left it.

    Args:
        record: what is filled.
        batch: the whole minibatch.
        parts: what each micro-batch left.
        shares: what each counts in the mean loss.
    """
    seen, all_seen = record.seen, [part.seen for part in parts]
    record.batch = batch
    for name in all_seen[0].outputs:
        seen.outputs[name] = torch.cat([own.outputs[name] for own in all_seen], 1)
    seen.draws += [torch.cat(draws, 1) for draws in zip(*(s.draws for s in all_seen), strict=True)]
    for products in zip(*(own.products for own in all_seen), strict=True):
        # slopes of a part's mean loss, as slopes of the whole batch's
        pairs = zip(products, shares, strict=True)
        slopes = [own.d_KBO * column(share, 3) for own, share in pairs]
        h_KBI = torch.cat([own.h_KBI for own in products], 1)
        seen.products.append(Product(h_KBI, torch.cat(slopes, 1), products[0].bias))
