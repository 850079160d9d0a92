"""The loss that members are trained on, as a function of weights and a minibatch.

It is what :mod:`harness.engine.differentiate` differentiates. Penalties are no part of it:
regularizers add their gradients to that of this loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple, cast

import torch
from torch import Tensor

from harness.core.noise import Noise, RecordedNoise
from harness.core.parameter_layout import Layout
from harness.core.sample_fields import SampleFields
from harness.engine.hyperparameters import Hyperparameters
from harness.losses.base import Loss
from harness.models.base import Buffers, Context, Network, Params, Seen


class Minibatch(NamedTuple):
    """The samples of one update, each member's own."""

    x_KB: Tensor
    """Inputs (K, B, *shape), or (1, B, *shape) where the members share them."""
    y_KBD: Tensor
    """Targets (K, B, D); for classes one-hot, or probabilities where a regularizer has mixed or
    smoothed them. Of tokens whole numbers (K, B, *S); of several arrays a row of bytes a sample."""


class TrainingLoss(NamedTuple):
    """L_k(θ_k) = mean over the minibatch of loss(network(θ_k, x), y), for all members k at once."""

    network: Network
    loss: Loss
    layout: Layout
    device: torch.device
    amp: torch.dtype | None
    """What the forward pass is computed in where that is safe; None for the weights' own type."""
    fields: SampleFields | None = None
    """Where the arrays of a sample's targets lie, if there are several."""

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
        out_KBD, y_KBD = self.outputs(params, batch.x_KB, ctx), self.targets(batch.y_KBD)
        return self.loss.mean(out_KBD, y_KBD, hyper.loss_fields()), ctx.buffers

    def outputs(
        self,
        params: Params,
        x_KB: Tensor,
        ctx: Context,
        network: Callable[[Params, Tensor, Context], Tensor] | None = None,
    ) -> Tensor:
        """Return the network's outputs, as the loss takes them.

        Args:
            params: weights by name, (K, *shape) each.
            x_KB: inputs.
            ctx: training or evaluation, streams, running statistics.
            network: called in the network's place, by default the network itself.
        """
        with self.precision():
            out_KBD = (network or self.network)(params, x_KB, ctx)
        # the loss itself is computed in full precision, for which bfloat16's outputs are converted
        return converted(out_KBD, next(iter(params.values())).dtype)

    def targets(self, y_KBD: Tensor) -> Tensor:
        """Return targets as the loss takes them: of several arrays a mapping by their names."""
        return y_KBD if self.fields is None else cast("Tensor", self.fields.unpack(y_KBD))

    def precision(self) -> AbstractContextManager[object]:
        """Return the context that forward passes are computed in."""
        return torch.autocast(self.device.type, self.amp) if self.amp else nullcontext()


def converted(out: Tensor, dtype: torch.dtype) -> Tensor:
    """Return outputs in a precision; of a mapping, which a user's own loss takes, each of them."""
    if isinstance(out, Mapping):
        return cast("Tensor", {name: value.to(dtype) for name, value in out.items()})
    return out.to(dtype)


def logits_of(out: Tensor) -> Tensor:
    """Return the outputs by which classes are told: of a mapping those that are called so.

    Raises:
        KeyError: a mapping has none.
    """
    return out["logits"] if isinstance(out, Mapping) else out
