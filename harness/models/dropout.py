"""Dropout of all members of a cohort at once, each with its own rate and random stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.models.base import Context

if TYPE_CHECKING:
    from torch import Tensor


def dropout(x: Tensor, ctx: Context) -> Tensor:
    """Return x ⊙ m/(1 − p), with m from Bernoulli(1 − p) for each number (Srivastava et al. 2014).

    Dividing by 1 − p while training keeps the expectation, so that evaluation is the plain network.

    Args:
        x: activations (K, B, …, F).
        ctx: whether it is a training pass, the rates p (K,) and the members' streams.

    Returns:
        (K, B, …, F) in memory of its own; ``x`` itself where nothing drops.
    """
    mask = dropout_mask(x, ctx)
    return x if mask is None else x * mask


def dropout_mask(x: Tensor, ctx: Context) -> Tensor | None:
    """Return m/(1 − p), by which dropout multiplies; None in evaluation and where no member drops.

    A hand-written backward pass needs it once more. Each call draws: the order of the calls in a
    pass is part of a run's numbers.

    Args:
        x: activations (K, B, …, F), of which only the shape is used.
        ctx: whether it is a training pass, the rates p (K,) and the members' streams.

    Returns:
        (K, B, …, F), 0 or 1/(1 − p).
    """
    if not ctx.training or ctx.dropout is None:
        return None
    assert ctx.noise is not None, "a training pass that drops needs streams"
    rate = ctx.dropout.view(-1, *(1,) * (x.ndim - 1))
    # every member draws, whatever its rate: its numbers must not depend on its neighbours' rates
    drawn = ctx.noise.uniform(*x.shape[1:])
    if ctx.seen is not None:
        ctx.seen.draws.append(drawn)
    # kept with probability 1 − p, since drawn is from U[0, 1)
    return (drawn >= rate) / (1 - rate)
