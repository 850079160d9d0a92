"""The update rules of a cohort: members of one rule lie together, and each rule moves its own rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

import torch
from torch import Tensor

from harness.layout import Layout
from harness.optimizers.base import Rule
from harness.spec.recipe import Recipe


class Group(NamedTuple):
    """The members that share a rule."""

    rule: Rule
    rows: slice
    hyper: dict[str, Tensor]
    """The rule's numeric fields by name, (members, 1) each."""


def kind_of(recipe: Recipe) -> str:
    """Return what members must share to be moved by one call: the rule less its numbers, and its form."""
    rule = recipe.optimizer
    form = rule.form() if isinstance(rule, Rule) else ""
    return form + json.dumps({k: v for k, v in rule.dump().items() if k not in rule.numbers()}, sort_keys=True)


def groups_of(recipes: Sequence[Recipe], device: torch.device, dtype: torch.dtype) -> list[Group]:
    """Return the groups of a cohort whose members are ordered by :func:`kind_of`."""
    groups: list[Group] = []
    for _, rows in groupby(range(len(recipes)), key=lambda row: kind_of(recipes[row])):
        mine = list(rows)
        rule = recipes[mine[0]].optimizer
        assert isinstance(rule, Rule)
        numbers = [recipes[row].optimizer.numbers() for row in mine]
        columns = {n: torch.tensor([[r[n]] for r in numbers], dtype=torch.float64).to(device, dtype) for n in numbers[0]}
        groups.append(Group(rule, slice(mine[0], mine[-1] + 1), columns))
    return groups


def first_states(groups: Sequence[Group], w_KP: Tensor) -> list[Any]:
    """Return each rule's state before the first update."""
    return [group.rule.init(w_KP[group.rows]) for group in groups]


def update(
    groups: Sequence[Group],
    g_KP: Tensor,
    states: Sequence[Any],
    w_KP: Tensor,
    lr_K: Tensor,
    factor_K: Tensor,
    layout: Layout,
) -> list[Any]:
    """Move every group by its rule, in the weights' own memory; return the new states."""
    after = []
    for group, state in zip(groups, states, strict=True):
        # a cohort of one rule, the usual one, is not sliced
        g, mine_KP = (g_KP, w_KP) if len(groups) == 1 else (g_KP[group.rows], w_KP[group.rows])
        moved_KP, state = group.rule.update(g, state, mine_KP, _columns(group, lr_K, factor_K), layout)
        if moved_KP is not mine_KP:
            mine_KP.copy_(moved_KP)
        after.append(state)
    return after


def edges(groups: Sequence[Group], lr_K: Tensor, factor_K: Tensor) -> Tensor:
    """Return the curvature (K,) at which each member's rule stops being stable; NaN where it is not known."""
    found_K = torch.full_like(lr_K, torch.nan)
    for group in groups:
        edge = group.rule.edge(_columns(group, lr_K, factor_K))
        if edge is not None:
            found_K[group.rows] = edge[:, 0]
    return found_K


def scales(groups: Sequence[Group], states: Sequence[Any], lr_K: Tensor, factor_K: Tensor, like_KP: Tensor) -> Tensor | None:
    """Return what each rule divides the gradient by (K, P), 1 for those that divide by nothing; None where all do."""
    found = [g.rule.scale(state, _columns(g, lr_K, factor_K)) for g, state in zip(groups, states, strict=True)]
    if all(scale is None for scale in found):
        return None
    ones = [torch.ones_like(like_KP[group.rows]) for group in groups]
    return torch.cat([one if scale is None else scale for scale, one in zip(found, ones, strict=True)])


def _columns(group: Group, lr_K: Tensor, factor_K: Tensor) -> dict[str, Tensor]:
    return group.hyper | {"lr": lr_K[group.rows, None], "schedule": factor_K[group.rows, None]}


def keep(groups: Sequence[Group], states: Sequence[Any], kept: Sequence[int]) -> list[Any]:
    """Return the states of the rows that are kept; those of groups without any are let go."""
    found = []
    for group, state in zip(groups, states, strict=True):
        mine = [row - group.rows.start for row in kept if group.rows.start <= row < group.rows.stop]
        if mine:
            rows = torch.tensor(mine, device=next(iter(group.hyper.values())).device)
            found.append(type(state)(*(v[rows] if isinstance(v, Tensor) else v for v in state)) if state else state)
    return found
