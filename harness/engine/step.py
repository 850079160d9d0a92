"""One update of every member of a cohort; the memory of weights and state is used again, nothing else is touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor

from harness.core.parameter_layout import Layout
from harness.engine.program import Program, written_out
from harness.engine.update import Group, columns, update
from harness.engine.workspace import Piece, Room, room_for
from harness.models.base import Buffers, Context, Noise, Params, Seen
from harness.regularizers.base import Regularizer

Hyper = Mapping[str, Tensor]


class Batch(NamedTuple):
    """One batch for each member."""

    x_KB: Tensor
    y_KBD: Tensor


class Moved(NamedTuple):
    """What an update leaves."""

    w_KP: Tensor
    """New weights."""
    buffers: Buffers
    state: Any
    loss_K: Tensor
    """Loss of the batch before the update."""
    g_KP: Tensor
    """Its gradient, before clipping and penalties, whole if anybody looks; its memory is used again by the next update."""
    gradients: int = 1
    """Gradients computed for it."""


def step(
    program: Program,
    groups: Sequence[Group],
    w_KP: Tensor,
    buffers: Buffers,
    states: Sequence[Sequence[Any]],
    batch: Batch,
    hyper: Hyper,
    factor_K: Tensor,
    noise: Noise,
    seen: Seen | None = None,
    room: Room | None = None,
) -> Moved:
    """Make one update.

    Args:
        program: what the members share.
        groups: the members of each update rule.
        w_KP: weights, one row a member; the new ones take their place in memory.
        buffers: running statistics, (K, *shape) each.
        states: the update rules' states by piece and group.
        batch: inputs and targets.
        hyper: numeric hyperparameters by path, (K,) each.
        factor_K: the schedules' factors.
        noise: the members' streams.
        seen: where the pass leaves what probes look at, if any do.
        room: memory for these weights' gradient, where the backward pass is written out.

    """
    if room is None:
        g_KP, loss_K, buffers = gradient(program, w_KP, buffers, batch, hyper, noise, seen=seen)
        pieces: tuple[Piece, ...] = (Piece(w_KP, g_KP),)
    else:
        loss_K = _by_hand(program, room, batch, hyper, noise, seen)
        g_KP, pieces = room.gathered(program.layout) if seen is not None else room.g_KP, room.pieces
    hooks = [(hook, scoped(hyper, f"regularizers.{hook.name}")) for hook in program.hooks]
    lr_K = hyper["optimizer.lr"] * factor_K
    numbers = [columns(group, lr_K, factor_K) for group in groups]
    moved = [
        _move(program.layout, groups, hooks, *pair, lr_K, numbers)
        for pair in zip(pieces, states, strict=True)
    ]
    for hook, own in hooks:
        moved_KP = hook.constrain(w_KP, program.layout, own)
        if moved_KP is not w_KP:
            w_KP.copy_(moved_KP)
    return Moved(w_KP, buffers, moved, loss_K, g_KP)


def _move(
    layout: Layout,
    groups: Sequence[Group],
    hooks: Sequence[tuple[Regularizer, Hyper]],
    piece: Piece,
    states: Sequence[Any],
    lr_K: Tensor,
    numbers: Sequence[Hyper],
) -> list[Any]:
    """Move some columns by their gradient; return the update rules' new states."""
    g_KC, w_KC = piece.g_KC, piece.w_KC
    for hook, own in hooks:
        g_KC = hook.clip(g_KC, own)
    for hook, own in hooks:
        g_KC = hook.penalty(g_KC, piece.w_KC, own)
    for hook, own in hooks:
        w_KC = hook.decay(w_KC, lr_K, own)
    moved = update(groups, g_KC, states, w_KC, numbers, layout)
    if w_KC is not piece.w_KC:
        piece.w_KC.copy_(w_KC)
    return moved


def gradient(
    program: Program,
    w_KP: Tensor,
    buffers: Buffers,
    batch: Batch,
    hyper: Hyper,
    noise: Noise | None,
    room: Room | None = None,
    seen: Seen | None = None,
) -> tuple[Tensor, Tensor, Buffers]:
    """Return the gradient (K, P) of each member's mean loss, the losses (K,), and the new running statistics.

    Without noise streams nothing may draw: neither regularizers nor dropout.
    """
    if written_out(program):
        if room is None or room.w_KP is not w_KP:
            params = program.layout.views(w_KP)
            room = room_for(program.layout, w_KP) if room is None else room._replace(params=params)
        with torch.no_grad():
            loss_K = _by_hand(program, room, batch, hyper, noise, seen)
        return room.gathered(program.layout), loss_K, buffers
    leaf_KP = w_KP.detach().requires_grad_()
    loss_K, buffers = training_loss(
        program, program.layout.views(leaf_KP), buffers, batch, hyper, noise, seen
    )
    return torch.autograd.grad(loss_K.sum(), leaf_KP)[0], loss_K.detach(), buffers


def _by_hand(
    program: Program, room: Room, batch: Batch, hyper: Hyper, noise: Noise | None, seen: Seen | None
) -> Tensor:
    network: Any = program.network
    x_KB, y_KBD = regularized(program, batch, hyper, noise)
    ctx = Context(training=True, noise=noise, dropout=dropout_rate(hyper), seen=seen)
    out_KBD, tape = network.forward(room.params, x_KB, ctx)
    loss_K, slope_KBD = program.loss.value_and_gradient(out_KBD, y_KBD, scoped(hyper, "loss"))
    network.backward(room.params, tape, slope_KBD, room.slopes, seen)
    return loss_K


def regularized(program: Program, batch: Batch, hyper: Hyper, noise: Noise | None) -> Batch:
    """Return the batch as the regularizers change it."""
    if noise is None:
        return batch
    for hook in program.hooks:
        batch = Batch(*hook.batch(*batch, noise, scoped(hyper, f"regularizers.{hook.name}")))
    return batch


def training_loss(
    program: Program,
    params: Params,
    buffers: Buffers,
    batch: Batch,
    hyper: Hyper,
    noise: Noise | None,
    seen: Seen | None = None,
) -> tuple[Tensor, Buffers]:
    """Return each member's mean loss (K,) on the regularized batch, and the new running statistics."""
    x_KB, y_KBD = regularized(program, batch, hyper, noise)
    ctx = Context(
        training=True, noise=noise, dropout=dropout_rate(hyper), buffers=dict(buffers), seen=seen
    )
    with precision(program):
        out_KBD = program.network(params, x_KB, ctx)
    loss_KB = program.loss.per_sample(out_KBD.to(y_KBD.dtype), y_KBD, scoped(hyper, "loss"))
    return loss_KB.mean(1), ctx.buffers


def scoped(hyper: Hyper, part: str) -> dict[str, Tensor]:
    """Return the hyperparameters of one part by their bare names."""
    prefix = f"{part}."
    return {path[len(prefix) :]: value for path, value in hyper.items() if path.startswith(prefix)}


def dropout_rate(hyper: Hyper) -> Tensor | None:
    """Return the dropout rate of each member: the regularizer's, else the model's, else None."""
    return hyper.get("regularizers.Dropout.rate", hyper.get("model.dropout"))


def precision(program: Program) -> AbstractContextManager[Any]:
    """Return the context of the forward pass: bfloat16 where the recipe asks for it."""
    return (
        torch.autocast(program.device.type, torch.bfloat16) if program.recipe.amp else nullcontext()
    )
