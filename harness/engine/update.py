"""The update rules of a cohort: members of one rule lie together, and each rule moves its own rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

import torch
from torch import Tensor

from harness.core.parameter_layout import Layout
from harness.engine.program import Program, written_out
from harness.optimizers.base import HyperColumns, Optimizer, OptimizerState
from harness.spec.resolved import ResolvedRecipe


class Group(NamedTuple):
    """The members that share a rule."""

    rule: Optimizer
    rows: slice
    hyper: dict[str, Tensor]
    """The rule's numeric fields by name, (members, 1) each."""


def kind_of(recipe: ResolvedRecipe) -> str:
    """Return what members must share to be moved by one call: the rule less its numbers, and its form."""
    rule = recipe.optimizer
    form = rule.form() if isinstance(rule, Optimizer) else ""
    return form + json.dumps(
        {k: v for k, v in rule.dump().items() if k not in rule.numbers()}, sort_keys=True
    )


def groups_of(
    recipes: Sequence[ResolvedRecipe], device: torch.device, dtype: torch.dtype
) -> list[Group]:
    """Return the groups of a cohort whose members are ordered by :func:`kind_of`."""
    groups: list[Group] = []
    for _, rows in groupby(range(len(recipes)), key=lambda row: kind_of(recipes[row])):
        mine = list(rows)
        rule = recipes[mine[0]].optimizer
        assert isinstance(rule, Optimizer)
        numbers = [recipes[row].optimizer.numbers() for row in mine]
        columns = {
            n: torch.tensor([[r[n]] for r in numbers], dtype=torch.float64).to(device, dtype)
            for n in numbers[0]
        }
        groups.append(Group(rule, slice(mine[0], mine[-1] + 1), columns))
    return groups


APART = 2**18
"""Bytes of a tensor, over the members of a rule, from which moving it by calls of its own costs less than what they save."""


def pieces_of(program: Program, groups: Sequence[Group]) -> tuple[slice, ...]:
    """Return the columns that are moved call by call: large tensors alone, if what moves them acts coordinate by coordinate.

    A tensor's gradient then need not be carried into the rows, whose members lie apart.
    """
    apart = all(group.rule.coordinatewise for group in groups) and all(
        hook.coordinatewise for hook in program.hooks
    )
    if not (apart and written_out(program)):
        return (slice(0, program.layout.width),)
    fewest = min(group.rows.stop - group.rows.start for group in groups)
    return program.layout.pieces(APART // (fewest * program.dtype.itemsize))


def first_states(groups: Sequence[Group], pieces: Sequence[slice], w_KP: Tensor) -> list[list[Any]]:
    """Return each rule's state of each piece before the first update."""
    return [[group.rule.init(w_KP[group.rows, some]) for group in groups] for some in pieces]


def columns(group: Group, lr_K: Tensor, factor_K: Tensor) -> dict[str, Tensor]:
    """Return the numeric fields of a group's rule at one update, (members, 1) each."""
    return group.hyper | {
        "lr": lr_K[group.rows].unsqueeze(1),
        "schedule": factor_K[group.rows].unsqueeze(1),
    }


def update(
    groups: Sequence[Group],
    g_KC: Tensor,
    states: Sequence[Any],
    w_KC: Tensor,
    numbers: Sequence[HyperColumns],
    layout: Layout,
) -> list[Any]:
    """Move every group by its rule, in the weights' own memory; return the new states.

    ``numbers`` holds each group's :func:`columns`; what is moved are all columns of the rows, or some.
    """
    after = []
    for group, state, own in zip(groups, states, numbers, strict=True):
        # a cohort of one rule, the usual one, is not sliced
        g, mine_KC = (g_KC, w_KC) if len(groups) == 1 else (g_KC[group.rows], w_KC[group.rows])
        moved_KC, state = group.rule.update(g, state, mine_KC, own, layout)
        if moved_KC is not mine_KC:
            mine_KC.copy_(moved_KC)
        after.append(state)
    return after


def stability_thresholds(
    groups: Sequence[Group],
    states: Sequence[Sequence[OptimizerState]],
    lr_K: Tensor,
    factor_K: Tensor,
) -> Tensor:
    """Return the curvature (K,) above which each member's rule diverges on a quadratic; NaN where not known."""
    thresholds_K = torch.full_like(lr_K, torch.nan)
    # it does not depend on the columns: those of the first piece answer for all
    for group, state in zip(groups, states[0] if groups else (), strict=True):
        threshold_K1 = group.rule.stability_threshold(state, columns(group, lr_K, factor_K))
        if threshold_K1 is not None:
            thresholds_K[group.rows] = threshold_K1[:, 0]
    return thresholds_K


def preconditioners(
    groups: Sequence[Group],
    pieces: Sequence[slice],
    states: Sequence[Sequence[Any]],
    lr_K: Tensor,
    factor_K: Tensor,
    like_KP: Tensor,
) -> Tensor | None:
    """Return what each rule divides the gradient by (K, P), 1 for those that divide by nothing; None where all do."""
    numbers = [columns(group, lr_K, factor_K) for group in groups]
    found = [
        _preconditioners(groups, own, numbers, like_KP[:, some])
        for some, own in zip(pieces, states, strict=True)
    ]
    known = [divisor for divisor in found if divisor is not None]
    return torch.cat(known, 1) if known else None


def _preconditioners(
    groups: Sequence[Group], states: Sequence[Any], numbers: Sequence[HyperColumns], like_KC: Tensor
) -> Tensor | None:
    found = [
        g.rule.preconditioner(state, own)
        for g, state, own in zip(groups, states, numbers, strict=True)
    ]
    if all(divisor is None for divisor in found):
        return None
    ones = [torch.ones_like(like_KC[group.rows]) for group in groups]
    return torch.cat(
        [one if divisor is None else divisor for divisor, one in zip(found, ones, strict=True)]
    )


def keep(
    groups: Sequence[Group], states: Sequence[Sequence[Any]], kept: Sequence[int]
) -> list[list[Any]]:
    """Return the states of the rows that are kept; those of groups without any are let go."""
    mine = [
        [row - group.rows.start for row in kept if group.rows.start <= row < group.rows.stop]
        for group in groups
    ]
    rows = [
        torch.tensor(own, device=next(iter(group.hyper.values())).device)
        for group, own in zip(groups, mine, strict=True)
    ]
    return [
        [_rows(state, own) for state, own in zip(piece, rows, strict=True) if len(own)]
        for piece in states
    ]


def _rows(state: Any, rows: Tensor) -> Any:
    return (
        type(state)(*(v[rows] if isinstance(v, Tensor) else v for v in state)) if state else state
    )
