"""One run through another library's optimizer: the same hooks and records, an update of ``torch.optim``'s kind."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from harness.engine.program import Program
from harness.engine.step import Batch, Hyper, Moved, gradient, scoped
from harness.models.base import Buffers, Noise, Seen
from harness.optimizers.external import ExternalOptimizer


class State(NamedTuple):
    """The optimizer, the parameters it moves, and the rates it was made with."""

    parameters: list[torch.nn.Parameter]
    optimizer: Any
    rates: list[float]


def init(program: Program, optimizer: ExternalOptimizer, w_KP: Tensor) -> State:
    """Make the optimizer over copies of the one member's parameters."""
    views = program.layout.views(w_KP).values()
    parameters = [torch.nn.Parameter(view[0].clone()) for view in views]
    made = optimizer.instance(parameters)
    return State(parameters, made, [group["lr"] for group in made.param_groups])


def eager_step(
    program: Program,
    w_KP: Tensor,
    buffers: Buffers,
    state: State,
    batch: Batch,
    hyper: Hyper,
    factor_K: Tensor,
    noise: Noise,
    seen: Seen | None = None,
) -> Moved:
    """Make one update of one run; arguments and results as in :func:`harness.engine.step.step`."""
    passes: list[tuple[Tensor, Buffers, Tensor]] = []

    def closure() -> Tensor:
        now_KP = _pack(program, state, w_KP)
        first = not passes
        g_KP, loss_K, after = gradient(
            program, now_KP, buffers, batch, hyper, noise, None, seen if first else None
        )
        passes.append((loss_K, after, g_KP))
        for hook in program.hooks:
            g_KP = hook.clip(g_KP, scoped(hyper, f"regularizers.{hook.name}"))
        for hook in program.hooks:
            g_KP = hook.penalty(g_KP, now_KP, scoped(hyper, f"regularizers.{hook.name}"))
        for parameter, g in zip(state.parameters, program.layout.views(g_KP).values(), strict=True):
            parameter.grad = g[0].clone()
        return loss_K[0]

    _decay(program, state, w_KP, hyper, factor_K)
    for group, rate in zip(state.optimizer.param_groups, state.rates, strict=True):
        group["lr"] = rate * float(factor_K[0])
    state.optimizer.step(closure)
    moved_KP = _pack(program, state, w_KP)
    for hook in program.hooks:
        moved_KP = hook.constrain(
            moved_KP, program.layout, scoped(hyper, f"regularizers.{hook.name}")
        )
    _unpack(program, state, moved_KP)
    loss_K, after, g_KP = passes[0]
    return Moved(moved_KP, after, state, loss_K, g_KP, len(passes))


def _decay(program: Program, state: State, w_KP: Tensor, hyper: Hyper, factor_K: Tensor) -> None:
    lr_K = factor_K * state.rates[0]
    for hook in program.hooks:
        w_KP = hook.decay(w_KP, lr_K, scoped(hyper, f"regularizers.{hook.name}"))
    _unpack(program, state, w_KP)


@torch.no_grad()
def _pack(program: Program, state: State, like_KP: Tensor) -> Tensor:
    named = zip(program.layout.slots, state.parameters, strict=True)
    return program.layout.pack({name: p.detach()[None] for name, p in named}, like_KP)


@torch.no_grad()
def _unpack(program: Program, state: State, w_KP: Tensor) -> None:
    for parameter, view in zip(state.parameters, program.layout.views(w_KP).values(), strict=True):
        parameter.copy_(view[0])
