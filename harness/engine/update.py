"""One update of every member of a cohort, by the engine's own optimizers::

    x, y ← regularizers' batch(x, y)
    g ← ∂L/∂θ at (x, y)
    g ← regularizers' clip, then penalty
    θ ← regularizers' decay(θ)
    θ ← optimizer(g, θ)                 each group of members by its own
    θ ← regularizers' constrain(θ)

Who owns the memory: the weights and the optimizers' states are the cohort's, and an update leaves
the new ones in the memory of the old. The gradient is lent: its memory is used again by the next
update, so that neither an optimizer nor a regularizer nor a probe may keep it. Nothing else that is
given is written into.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from harness.core.noise import Noise
from harness.core.parameter_layout import Layout
from harness.engine.differentiate import Gradient, TrainingPass
from harness.engine.hyperparameters import Hyperparameters
from harness.engine.loss_scaling import (
    LossScaling,
    adapt_scaling,
    copied_states,
    undo_states,
)
from harness.engine.optimizer_groups import (
    OptimizerGroup,
    OptimizerStates,
    fields_in,
    move_groups,
    update_fields,
)
from harness.engine.program import Program
from harness.engine.regularize import (
    Active,
    activate,
    constrain_weights,
    decay_weights,
    regularize_batch,
    regularize_gradient,
)
from harness.engine.training_loss import Minibatch
from harness.engine.workspace import ParameterBlock, Workspace
from harness.models.base import Buffers
from harness.optimizers.base import HyperColumns, OptimizerState


class Update(NamedTuple):
    """What an update leaves."""

    w_KP: Tensor
    """New weights."""
    buffers: Buffers
    """New running statistics."""
    states: OptimizerStates
    """New states of the optimizers."""
    loss_K: Tensor
    """Loss of the minibatch before the update."""
    g_KP: Tensor
    """Its gradient, before clipping and penalties; whole if the pass was recorded. The next update
    uses its memory."""
    gradients: int = 1
    """Gradients computed for it: 1, unless another library's optimizer asked for more."""


def make_update(
    program: Program,
    groups: Sequence[OptimizerGroup],
    w_KP: Tensor,
    buffers: Buffers,
    states: OptimizerStates,
    batch: Minibatch,
    hyper: Hyperparameters,
    factor_K: Tensor,
    noise: Noise,
    record: TrainingPass | None = None,
    workspace: Workspace | None = None,
) -> Update:
    """Make one update by the engine's own optimizers.

    Args:
        program: what the members share.
        groups: the members of each optimizer.
        w_KP: weights, one row a member; the new ones take their place in memory.
        buffers: running statistics, (K, *shape) each.
        states: the optimizers' states by block and group; their memory is used again.
        batch: inputs and targets.
        hyper: the members' numbers.
        factor_K: the schedules' factors.
        noise: the members' streams.
        record: where the pass leaves what probes look at, if any do.
        workspace: memory for these weights' gradient, if the differentiator uses any.

    Returns:
        The update; its weights are ``w_KP`` itself, changed in place.
    """
    # ηₜ = η · schedule(t)
    lr_K = hyper.lr_K * factor_K
    active = activate(program.regularizers, program.layout, hyper, lr_K, noise)
    gradient = program.differentiator.gradient(
        w_KP, buffers, regularize_batch(active, batch), hyper, noise, workspace, record
    )
    fields = [update_fields(group, lr_K, factor_K) for group in groups]
    move = partial(_move_blocks, groups, w_KP, states, fields, active, program.layout)
    after = (
        move(gradient.blocks)
        if hyper.scaling is None
        else _move_finite(groups, w_KP, states, gradient, hyper.scaling, move)
    )
    return Update(w_KP, gradient.buffers, after, gradient.loss_K, gradient.g_KP)


def _move_finite(
    groups: Sequence[OptimizerGroup],
    w_KP: Tensor,
    states: OptimizerStates,
    gradient: Gradient,
    scaling: LossScaling,
    move: Callable[[Sequence[ParameterBlock]], list[list[OptimizerState]]],
) -> list[list[OptimizerState]]:
    """Move the members whose gradients are finite, and adapt all scales; return the new states."""
    good_K = gradient.g_KP.isfinite().all(1)
    adapt_scaling(scaling, good_K)
    # a number of a GPU is waited for at every update, as torch's own scaler does
    if good_K.all():
        return move(gradient.blocks)
    old_KP, old = w_KP.clone(), copied_states(states)
    for block in gradient.blocks:
        block.g_KC.masked_fill_(~good_K[:, None], 0.0)
    after = undo_states([group.rows for group in groups], move(gradient.blocks), old, good_K)
    w_KP.copy_(torch.where(good_K[:, None], w_KP, old_KP))
    return after


def _move_blocks(
    groups: Sequence[OptimizerGroup],
    w_KP: Tensor,
    states: OptimizerStates,
    fields: Sequence[HyperColumns],
    active: Active,
    layout: Layout,
    blocks: Sequence[ParameterBlock],
) -> list[list[OptimizerState]]:
    """Move the weights by their gradient, in their own memory; return the new states."""
    after = [
        _move_block(block, own, groups, fields, active, layout)
        for block, own in zip(blocks, states, strict=True)
    ]
    # after all blocks: a constraint may depend on all weights
    constrained_KP = constrain_weights(active, w_KP)
    # a regularizer that returned new rows: the workspace has views of the old ones, which stay
    if constrained_KP is not w_KP:
        w_KP.copy_(constrained_KP)
    return after


def _move_block(
    block: ParameterBlock,
    states: Sequence[OptimizerState],
    groups: Sequence[OptimizerGroup],
    fields: Sequence[HyperColumns],
    active: Active,
    layout: Layout,
) -> list[OptimizerState]:
    """Move some columns by their gradient, in their own memory; return the new states.

    Args:
        block: the columns' weights and gradient.
        states: the groups' states of these columns.
        groups: the members of each optimizer.
        fields: each group's numbers at this update, of whole rows.
        active: the regularizers, with contexts of whole rows.
        layout: where each parameter lies in a whole row.
    """
    active = [own.on(block.columns) for own in active]
    # the penalty is that of the weights before they decay
    g_KC = regularize_gradient(active, block.g_KC, block.w_KC)
    w_KC = decay_weights(active, block.w_KC)
    own_fields = [fields_in(own, block.columns, layout) for own in fields]
    after = move_groups(groups, g_KC, states, w_KC, own_fields, layout)
    # where a regularizer made new weights, the optimizer has moved those and not the cohort's
    if w_KC is not block.w_KC:
        block.w_KC.copy_(w_KC)
    return after
