"""The optimizers of a cohort: members of one lie together, and each moves its own rows.

Arms with different optimizers share a cohort, since their gradients cost the same: one pass
computes the gradients of all rows, then each optimizer moves the rows of its members by one call.
Numeric fields may differ within a group; everything else about the optimizer must be the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import NamedTuple

import torch
from torch import Tensor

from harness.core.parameter_layout import Layout
from harness.core.parameter_numbers import GroupNumbers, not_exempt
from harness.engine.parameter_groups import group_numbers
from harness.engine.program import Program
from harness.optimizers.base import HyperColumns, Optimizer, OptimizerState
from harness.spec.component import as_a
from harness.spec.resolved import ResolvedRecipe
from harness.spec.space import value_of

OptimizerStates = Sequence[Sequence[OptimizerState]]
"""The optimizers' states by block and group."""

APART = 2**18
"""Bytes of a parameter, over the members of one optimizer, from which moving it by calls of its own
pays.

Below, the calls cost more than it takes to copy the gradient into the rows; measured on MLPs with
benchmarks/overhead.py.
"""


class OptimizerGroup(NamedTuple):
    """The members that one call of an optimizer moves."""

    optimizer: Optimizer
    """That of one of the members. Its numbers are not used: ``fields`` has every member's."""
    rows: slice
    """Where the members lie in the cohort."""
    fields: HyperColumns
    """Each member's numbers by field, (members, 1) each; ``lr`` before the schedule."""
    apart: HyperColumns = {}
    """Of the fields that differ between parameters, what updates go by: (members, P) each."""
    lr_KP: Tensor | None = None
    """Factors on the learning rate by parameter; None where all are 1."""


class OptimizerKind(NamedTuple):
    """What members must share to be moved by one call."""

    optimizer: Optimizer
    """Without its numbers: each is 0."""
    form: str
    """What the optimizer itself distinguishes, as :meth:`Optimizer.form` says."""


def kind_of(optimizer: Optimizer) -> OptimizerKind:
    """Return what members must share with this optimizer to be moved with it.

    Two optimizers are moved by one call where their kinds are equal.

    >>> from harness import SGD
    >>> plain, heavy = SGD(lr=0.1), SGD(lr=0.1, momentum=0.9)
    >>> kind_of(plain) == kind_of(SGD(lr=0.2)), kind_of(plain) == kind_of(heavy)
    (True, False)
    """
    # ``model_copy`` does not validate: 0 need not be a valid learning rate, it is never used
    numberless = optimizer.model_copy(update=dict.fromkeys(optimizer.numbers(), 0.0))
    return OptimizerKind(numberless, optimizer.form())


def order_by_optimizer(recipes: Sequence[ResolvedRecipe]) -> list[int]:
    """Return the recipes' places, ordered so that those of one kind of optimizer lie together.

    Kinds come in the order of their first recipe, and recipes of one kind stay in theirs: the order
    of rows depends on the recipes alone.
    """
    kinds: list[OptimizerKind] = []
    ranks = []
    for recipe in recipes:
        if isinstance(recipe.optimizer, Optimizer):
            kind = kind_of(recipe.optimizer)
            if kind not in kinds:
                kinds.append(kind)
            ranks.append(kinds.index(kind))
        else:  # another library's optimizer moves one run alone
            ranks.append(0)
    # Python's sort is stable
    return sorted(range(len(recipes)), key=ranks.__getitem__)


def groups_of(program: Program, recipes: Sequence[ResolvedRecipe]) -> list[OptimizerGroup]:
    """Return the groups of members, each with its numbers as tensors.

    Args:
        program: what the members share.
        recipes: the members', in the order of the rows, as :func:`order_by_optimizer` has it.

    Raises:
        HarnessError: an optimizer is not one of the engine's.
    """
    optimizers = [as_a(Optimizer, recipe.optimizer) for recipe in recipes]
    said = group_numbers(program.layout, recipes, program.device, program.dtype, program.scalings)
    groups = []
    for _, rows in groupby(range(len(optimizers)), key=lambda row: kind_of(optimizers[row])):
        members = list(rows)
        numbers = [optimizers[row].numbers() for row in members]
        fields = {
            name: torch.tensor([[own[name]] for own in numbers], dtype=torch.float64).to(
                program.device, program.dtype
            )
            for name in numbers[0]
        }
        optimizer, place = optimizers[members[0]], slice(members[0], members[-1] + 1)
        here = said.of_rows(place)
        apart = decay_of_parameters(optimizer, fields, program.layout, here)
        groups.append(OptimizerGroup(optimizer, place, fields, apart, here.lr_KP))
    return groups


def decay_of_parameters(
    optimizer: Optimizer, fields: HyperColumns, layout: Layout, said: GroupNumbers
) -> dict[str, Tensor]:
    """Return ``weight_decay`` (K, P) where it differs between parameters, by its name.

    Args:
        optimizer: its field ``exempt``, if it has one, names the roles that do not decay.
        fields: the members' numbers, (K, 1) each.
        layout: the parameters, with their roles.
        said: what the recipes' groups say of these members.

    Returns:
        Nothing where the optimizer has no decay, or all parameters have the field's.
    """
    if "weight_decay" not in fields:
        return {}
    exempt = value_of(getattr(optimizer, "exempt", ()), "optimizer.exempt")
    whole = slice(0, layout.width)
    decay = said.decays(not_exempt(fields["weight_decay"], layout, exempt, whole), whole)
    return {} if decay is fields["weight_decay"] else {"weight_decay": decay}


def block_columns(program: Program, groups: Sequence[OptimizerGroup]) -> tuple[slice, ...]:
    """Return the columns that are moved call by call: large parameters alone, if allowed.

    The gradient of a parameter that is moved alone need not be copied into the rows, where the
    members lie apart: a matrix product writes (K, *shape) in one piece.

    Args:
        program: says whether gradients can be written so, and whether regularizers allow it.
        groups: the members of each optimizer.

    Returns:
        Slices that cover a row, one for each call of an optimizer; a single one of the whole row if
        an optimizer or a regularizer needs all weights at once.
    """
    coordinatewise = all(group.optimizer.coordinatewise for group in groups) and all(
        regularizer.coordinatewise for regularizer in program.regularizers
    )
    if not (coordinatewise and program.differentiator.writes_apart):
        return (slice(0, program.layout.width),)
    # the smallest group gains least by a call of its own
    fewest = min(group.rows.stop - group.rows.start for group in groups)
    return program.layout.blocks(APART // (fewest * program.dtype.itemsize))


def initial_states(
    groups: Sequence[OptimizerGroup], blocks: Sequence[slice], w_KP: Tensor
) -> OptimizerStates:
    """Return each optimizer's state of each block before the first update.

    Args:
        groups: the members of each optimizer.
        blocks: the columns of each block.
        w_KP: the first weights; only read.
    """
    return [
        [group.optimizer.init(w_KP[group.rows, columns]) for group in groups] for columns in blocks
    ]


def fields_at(group: OptimizerGroup, lr_K: Tensor, factor_K: Tensor) -> dict[str, Tensor]:
    """Return the numeric fields of a group's optimizer at one update, (members, 1) each.

    Args:
        group: the members.
        lr_K: all members' learning rates, the schedules' factors in them.
        factor_K: the factors alone, for what else they scale.
    """
    return {
        **group.fields,
        "lr": lr_K[group.rows].unsqueeze(1),
        "schedule": factor_K[group.rows].unsqueeze(1),
    }


def update_fields(group: OptimizerGroup, lr_K: Tensor, factor_K: Tensor) -> dict[str, Tensor]:
    """Return what a group's optimizer goes by in an update: :func:`fields_at`, by parameter.

    Args:
        group: the members.
        lr_K: all members' learning rates, the schedules' factors in them.
        factor_K: the factors alone.

    Returns:
        (members, 1) each, or (members, P) where parameters differ.
    """
    fields = {**fields_at(group, lr_K, factor_K), **group.apart}
    if group.lr_KP is not None:
        fields |= {name: fields[name] * group.lr_KP for name in ("lr", "schedule")}
    return fields


def fields_in(fields: HyperColumns, columns: slice, layout: Layout) -> HyperColumns:
    """Return the numbers of some columns of the rows, those of one parameter as (K, 1).

    Args:
        fields: (K, 1) or (K, P) each.
        columns: those of one or several whole parameters.
        layout: where each parameter lies in a row.
    """
    width = columns.stop - columns.start
    if width == layout.width or all(value.shape[1] == 1 for value in fields.values()):
        return fields
    # a block of one parameter: a column for each weight would cost passes over memory
    if any((slot.offset, slot.size) == (columns.start, width) for slot in layout.slots.values()):
        columns = slice(columns.start, columns.start + 1)
    return {
        name: value if value.shape[1] == 1 else value[:, columns] for name, value in fields.items()
    }


def move_groups(
    groups: Sequence[OptimizerGroup],
    g_KC: Tensor,
    states: Sequence[OptimizerState],
    w_KC: Tensor,
    fields: Sequence[HyperColumns],
    layout: Layout,
) -> list[OptimizerState]:
    """Move every group by its optimizer, in the weights' own memory; return the new states.

    Args:
        groups: the members of each optimizer.
        g_KC: the gradient in all columns of the rows, or some.
        states: the groups' states of these columns.
        w_KC: the weights in these columns.
        fields: each group's numbers in this update, of these columns.
        layout: where each parameter lies in a whole row.
    """
    after = []
    for group, state, own in zip(groups, states, fields, strict=True):
        # a cohort of one optimizer, the usual one, is not sliced: a slice costs as much as a small
        # update's arithmetic
        alone = len(groups) == 1
        g, w = (g_KC, w_KC) if alone else (g_KC[group.rows], w_KC[group.rows])
        moved, state = group.optimizer.update(g, state, w, own, layout)
        if moved is not w:
            w.copy_(moved)
        after.append(state)
    return after


def stability_thresholds(
    groups: Sequence[OptimizerGroup], states: OptimizerStates, lr_K: Tensor, factor_K: Tensor
) -> Tensor:
    """Return the curvatures (K,) above which optimizers diverge on quadratics; NaN: unknown.

    Args:
        groups: the members of each optimizer.
        states: the optimizers' states after an update.
        lr_K: the learning rates of that update, the schedules' factors in them.
        factor_K: the factors alone.
    """
    thresholds_K = torch.full_like(lr_K, torch.nan)
    # it does not depend on the columns: the states of the first block answer for all
    for group, state in zip(groups, states[0] if groups else (), strict=True):
        threshold_K1 = group.optimizer.stability_threshold(state, fields_at(group, lr_K, factor_K))
        if threshold_K1 is not None:
            thresholds_K[group.rows] = threshold_K1[:, 0]
    return thresholds_K


def preconditioners(
    groups: Sequence[OptimizerGroup],
    blocks: Sequence[slice],
    states: OptimizerStates,
    lr_K: Tensor,
    factor_K: Tensor,
    like_KP: Tensor,
) -> Tensor | None:
    """Return what optimizers divide the gradient by (K, P); None where all divide by 1.

    Args:
        groups: the members of each optimizer.
        blocks: the columns of each block.
        states: the optimizers' states after an update.
        lr_K: the learning rates of that update, the schedules' factors in them.
        factor_K: the factors alone.
        like_KP: rows of the wanted shape; they are not read.
    """
    fields = [fields_at(group, lr_K, factor_K) for group in groups]
    divisors = [
        _divisor(groups, own, fields, like_KP[:, columns])
        for columns, own in zip(blocks, states, strict=True)
    ]
    # a group divides in all of its blocks or in none, so that no block is missing among several
    known = [divisor for divisor in divisors if divisor is not None]
    factors = [group.lr_KP for group in groups]
    if all(factor is None for factor in factors):
        return torch.cat(known, 1) if known else None
    # a step of ηcg/D is one of ηg/(D/c): a factor on the learning rate belongs to the divisor
    divisors_KP = torch.cat(known, 1) if known else torch.ones_like(like_KP)
    for group in groups:
        if group.lr_KP is not None:
            divisors_KP[group.rows] /= group.lr_KP
    return divisors_KP


def _divisor(
    groups: Sequence[OptimizerGroup],
    states: Sequence[OptimizerState],
    fields: Sequence[HyperColumns],
    like_KC: Tensor,
) -> Tensor | None:
    """Return the divisors (K, C) in one block; None where no group divides."""
    divisors = [
        group.optimizer.preconditioner(state, own)
        for group, state, own in zip(groups, states, fields, strict=True)
    ]
    if all(divisor is None for divisor in divisors):
        return None
    rows = [
        torch.ones_like(like_KC[group.rows]) if divisor is None else divisor
        for group, divisor in zip(groups, divisors, strict=True)
    ]
    return torch.cat(rows)


def states_of_rows(
    groups: Sequence[OptimizerGroup], states: OptimizerStates, rows: Sequence[int]
) -> OptimizerStates:
    """Return the states of some of the cohort's rows; groups without any of them have none.

    Args:
        groups: the members of each optimizer before.
        states: the optimizers' states before, by block and group.
        rows: the rows that stay, in ascending order.
    """
    own_rows = []
    for group in groups:
        inside = [
            row - group.rows.start for row in rows if group.rows.start <= row < group.rows.stop
        ]
        device = next(iter(group.fields.values())).device
        own_rows.append(torch.tensor(inside, dtype=torch.long, device=device))
    return [
        [_rows_of(state, own) for state, own in zip(block, own_rows, strict=True) if len(own)]
        for block in states
    ]


def _rows_of(state: OptimizerState, rows: Tensor) -> OptimizerState:
    """Return the rows of every tensor in an optimizer's state, a NamedTuple or a tuple of such."""
    parts = [_rows_of_part(part, rows) for part in state]
    if not hasattr(state, "_fields"):
        return tuple(parts)
    # a NamedTuple's constructor; ``OptimizerState`` says no more than that it is a tuple
    make: Callable[..., OptimizerState] = type(state)
    return make(*parts)


def _rows_of_part(part: object, rows: Tensor) -> object:
    """Return a part's rows; plain values, such as the count of updates, are of all members."""
    if isinstance(part, Tensor):
        return part[rows]
    return _rows_of(part, rows) if isinstance(part, tuple) else part
