"""The loss that members are trained on, as a function of weights and a minibatch.

It is what :mod:`harness.engine.differentiate` differentiates. Penalties are no part of it:
regularizers add their gradients to that of this loss.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch
from torch import Tensor

from harness.core.noise import Noise, RecordedNoise
from harness.core.parameter_layout import Layout
from harness.engine.hyperparameters import Hyperparameters
from harness.losses.base import Loss
from harness.models.base import Buffers, Context, Network, Params, Seen


class Minibatch(NamedTuple):
    """The samples of one update, each member's own."""

    x_KB: Tensor
    """Inputs (K, B, *shape), or (1, B, *shape) where the members share them."""
    y_KBD: Tensor
    """Targets (K, B, D); for classes one-hot, or probabilities where a regularizer has mixed or
    smoothed them."""


class TrainingLoss(NamedTuple):
    """L_k(θ_k) = mean over the minibatch of loss(network(θ_k, x), y), for all members k at once."""

    network: Network
    loss: Loss
    layout: Layout
    device: torch.device
    amp: bool
    """Whether the forward pass is computed in bfloat16 where that is safe."""

    def __call__(
        self,
        params: Params,
        buffers: Buffers,
        batch: Minibatch,
        hyper: Hyperparameters,
        noise: Noise | RecordedNoise | None = None,
        seen: Seen | None = None,
    ) -> tuple[Tensor, Buffers]:
        """Return the members' mean losses (K,) and the new running statistics.

        Args:
            params: weights by name, (K, *shape) each.
            buffers: running statistics by name, (K, *shape) each; they are not written into.
            batch: inputs and targets, as regularizers have changed them.
            hyper: the members' numbers.
            noise: streams for dropout; needed where ``hyper.dropout_K`` is not None.
            seen: where hidden layers leave their outputs.

        Returns:
            Losses (K,), and the running statistics after this batch: the given ones where the
            network has none.
        """
        ctx = Context(
            training=True, noise=noise, dropout=hyper.dropout_K, buffers=dict(buffers), seen=seen
        )
        with self.precision():
            out_KBD = self.network(params, batch.x_KB, ctx)
        # the loss itself is computed in full precision, for which bfloat16's outputs are converted
        loss_KB = self.loss.per_sample(out_KBD.to(batch.y_KBD.dtype), batch.y_KBD, hyper.loss)
        return loss_KB.mean(1), ctx.buffers

    def precision(self) -> AbstractContextManager[object]:
        """Return the context that forward passes are computed in."""
        return torch.autocast(self.device.type, torch.bfloat16) if self.amp else nullcontext()
