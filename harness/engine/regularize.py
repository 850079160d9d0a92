"""Regularizers in their order, for updates by the engine's optimizers and by other libraries'.

:mod:`harness.regularizers.base` says what the hooks are, their order, and who owns the memory they
work on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from harness.core.noise import Noise
from harness.core.parameter_layout import Layout
from harness.engine.hyperparameters import Hyperparameters
from harness.engine.training_loss import Minibatch
from harness.regularizers.base import Regularizer, RegularizerContext


class ActiveRegularizer(NamedTuple):
    """A regularizer and what its hooks are told in one update."""

    regularizer: Regularizer
    ctx: RegularizerContext

    def on(self, columns: slice) -> ActiveRegularizer:
        """Return it with hooks that are given some columns of the rows.

        Args:
            columns: those of one or several whole parameters.
        """
        return ActiveRegularizer(self.regularizer, self.ctx._replace(columns=columns))


Active = Sequence[ActiveRegularizer]


def activate(
    regularizers: Sequence[Regularizer],
    layout: Layout,
    hyper: Hyperparameters,
    lr_K: Tensor,
    noise: Noise,
) -> list[ActiveRegularizer]:
    """Return the regularizers of one update of whole rows, each with its context.

    Args:
        regularizers: in the order of the recipe.
        layout: where each parameter lies in a row.
        hyper: the members' numbers, the regularizers' in the same order.
        lr_K: learning rates of this update, the schedules' factors in them.
        noise: the members' streams.
    """
    columns = slice(0, layout.width)
    return [
        ActiveRegularizer(
            part,
            RegularizerContext(own, lr_K, layout, columns, noise, hyper.groups, hyper.masks),
        )
        for part, own in zip(regularizers, hyper.regularizers, strict=True)
    ]


def regularize_batch(active: Active, batch: Minibatch) -> Minibatch:
    """Return the samples to train on; those given are not written into.

    Each call draws further from the streams of noise.
    """
    for regularizer, ctx in active:
        batch = Minibatch(*regularizer.batch(*batch, ctx))
    return batch


def regularize_gradient(active: Active, g_KC: Tensor, w_KC: Tensor) -> Tensor:
    """Return the gradient that the optimizer is given: clipped by all, then with all penalties.

    Args:
        active: the regularizers, for the columns that are given.
        g_KC: the gradient of the loss; only read.
        w_KC: the weights that it was taken at; only read.
    """
    # clipping bounds the loss's gradient: a penalty before it would take a part of the bound
    for regularizer, ctx in active:
        g_KC = regularizer.clip(g_KC, ctx)
    for regularizer, ctx in active:
        g_KC = regularizer.penalty(g_KC, w_KC, ctx)
    return g_KC


def decay_weights(active: Active, w_KC: Tensor) -> Tensor:
    """Return the weights that the optimizer is given; the old ones' memory may be used.

    Args:
        active: the regularizers, for the columns that are given.
        w_KC: the weights, which may be changed in place.
    """
    for regularizer, ctx in active:
        w_KC = regularizer.decay(w_KC, ctx)
    return w_KC


def constrain_weights(active: Active, w_KP: Tensor) -> Tensor:
    """Return the optimizer's weights as constraints change them; their memory may be used.

    Args:
        active: the regularizers, for whole rows.
        w_KP: the weights, which may be changed in place.
    """
    for regularizer, ctx in active:
        w_KP = regularizer.constrain(w_KP, ctx)
    return w_KP
