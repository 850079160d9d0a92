"""The cohort's optimizers on functions that are no network's loss, from a state of their own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from harness.core.parameter_layout import layout_of
from harness.engine.optimizer_groups import OptimizerGroup
from harness.probes.base import PathsElsewhere, Slopes

FURTHEST = 1e3
"""Distance from 0 beyond which a coordinate counts as gone for good: such rows stay where they
were."""


def paths_elsewhere(
    groups: Sequence[OptimizerGroup],
    lr_K: Tensor,
    gradient: Slopes,
    start_FD: Tensor,
    rates_R: Tensor | None,
    steps: int,
) -> PathsElsewhere | None:
    """Return where each member's optimizer, begun afresh, goes on other functions.

    All functions and rates are rows of one call of each optimizer. Regularizers and schedules stay
    behind; the optimizer's other numbers are the member's own.

    Args:
        groups: the members of each optimizer.
        lr_K: the members' own learning rates, before the schedule.
        gradient: points (members, F, R, D) ↦ gradients, of F functions.
        start_FD: where each function's paths begin.
        rates_R: learning rates that are tried; None for each member's own alone, R = 1.
        steps: updates made.

    Returns:
        T = steps + 1 places each; None for another library's optimizer.
    """
    if not groups:
        return None
    lr_KR = lr_K[:, None] if rates_R is None else rates_R.to(lr_K).expand(len(lr_K), -1)
    paths = [
        _paths(group, lr_KR[group.rows], gradient, start_FD.to(lr_K), steps) for group in groups
    ]
    return PathsElsewhere(torch.cat(paths), lr_KR)


def _paths(
    group: OptimizerGroup, lr_MR: Tensor, gradient: Slopes, start_FD: Tensor, steps: int
) -> Tensor:
    """Return the points (M, F, R, T, D) of one group's M members."""
    optimizer, (functions, numbers) = group.optimizer, start_FD.shape
    size = (len(lr_MR), functions, lr_MR.shape[1])
    layout = layout_of({"point": (numbers,)})
    # a row for each member, function and rate, and the members' numbers beside it: (N, 1) each
    each = functions * size[2]
    hyper = {name: value.repeat_interleave(each, 0) for name, value in group.fields.items()}
    hyper["lr"] = lr_MR[:, None].expand(size).reshape(-1, 1)
    hyper["schedule"] = torch.ones_like(hyper["lr"])
    w_NP = lr_MR.new_zeros(len(hyper["lr"]), layout.width)
    layout.view(w_NP, "point").copy_(
        start_FD[None, :, None].expand(*size, numbers).reshape(-1, numbers)
    )
    g_NP, state = torch.zeros_like(w_NP), optimizer.init(w_NP)
    seen = [layout.view(w_NP, "point").clone()]
    for _ in range(steps):
        slopes = gradient(layout.view(w_NP, "point").view(*size, numbers))
        layout.view(g_NP, "point").copy_(slopes.reshape(-1, numbers))
        w_NP, state = optimizer.update(g_NP, state, w_NP, hyper, layout)
        evaluated_NP = optimizer.evaluation_point(state)
        point = layout.view(w_NP if evaluated_NP is None else evaluated_NP, "point")
        # a comparison with what is not finite is False
        inside = (point.abs() <= FURTHEST).all(1, keepdim=True)
        seen.append(torch.where(inside, point, seen[-1]))
    return torch.stack(seen, 1).view(*size, steps + 1, numbers)
