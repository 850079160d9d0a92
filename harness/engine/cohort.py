"""The state of a cohort: runs of one shape that are trained at once, a row of every tensor each.

A member's numbers are those of the same run alone: they do not depend on who shares its cohort, nor
on who leaves it.

At an evaluation it can be pickled and go on in another process or on another day, with the same
numbers: the streams of randomness start afresh there. Between two evaluations its
:class:`OpenInterval` holds what else has come of the updates, and
:mod:`harness.engine.checkpoint` can write and read it there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from harness.core.noise import Noise
from harness.core.records import Array, Keep, Outcome, Point
from harness.engine.evaluation_point import evaluated_weights
from harness.engine.external.state import ExternalState, external_state
from harness.engine.initialize import initial_buffers, initial_weights
from harness.engine.loss_scaling import LossScaling, first_scaling
from harness.engine.optimizer_groups import (
    OptimizerGroup,
    OptimizerStates,
    block_columns,
    groups_of,
    initial_states,
    order_by_optimizer,
    states_of_rows,
)
from harness.engine.own_draws import STREAMED
from harness.engine.probing import Probed, memories_of_rows
from harness.engine.program import Program, program_of
from harness.engine.test_set import Permit
from harness.engine.workspace import Workspace
from harness.models.base import Buffers
from harness.optimizers.external import ExternalOptimizer
from harness.probes.base import Memory
from harness.spec.arms import Run, has_own_code


@dataclass
class Member:
    """One run of the cohort: its curve so far, and the state of its early stopping."""

    index: int
    """Its place among the runs that the cohort was started with."""
    run: Run
    points: list[Point] = field(default_factory=list)
    seconds: float = 0.0
    """Its share of the time that updates took."""
    best: float | None = None
    """Best value of the metric that early stopping watches; None before the first evaluation, and
    without early stopping."""
    best_step: int = 0
    """Updates made at that evaluation."""
    waited: int = 0
    """Evaluations since the best one, for early stopping."""
    last_loss: float | None = None
    """Loss of its last minibatch, so that the noise of batches is measured across evaluations."""
    kept_loss: float = math.inf
    """Validation loss of the evaluation whose weights are kept so far."""
    arrays: dict[str, Array] = field(default_factory=dict)
    """The last of each array that its probes measured."""
    started: float = field(default_factory=time.time)
    """When it began, in seconds since 1970."""
    times: dict[int, float] = field(default_factory=dict)
    """When the point of each step was computed, as ``started``."""

    @cached_property  # asked for at every evaluation
    def has_own_code(self) -> bool:
        """Whether a part is of a user's own, other than those that have streams of their own."""
        return has_own_code(self.run, STREAMED)


@dataclass
class OpenInterval:
    """What has come of the updates since the last evaluation, while they are being made."""

    noise: Noise
    """The members' streams, which have been drawn from."""
    losses: list[Tensor] = field(default_factory=list)
    """Loss (K,) of each update's minibatch, before the update."""
    probed: dict[int, Probed] = field(default_factory=dict)
    """Probes' metrics, by the updates made before the one that they looked at."""
    arrays: dict[str, Tensor] = field(default_factory=dict)
    """The last of each array that probes measured, (K, …)."""
    seconds: float = 0.0
    """What the updates took before ``began``, in an earlier process."""
    began: float = field(default_factory=time.perf_counter)
    """When this process began with it."""


@dataclass
class Cohort:
    """All that is needed to go on from an evaluation, here or in another process."""

    members: list[Member]
    """Those that still train, in the order of their rows; members of one optimizer lie together."""
    done: int
    """Updates made so far."""
    w_KP: Tensor
    """Weights."""
    buffers: Buffers
    """Running statistics."""
    blocks: tuple[slice, ...]
    """Columns that are moved call by call; they cover a row. Empty for another library's
    optimizer."""
    states: OptimizerStates
    """The optimizers' states by block and group; none of another library's optimizer."""
    external: ExternalState | None
    """Another library's optimizer and its parameters."""
    best_KP: Tensor | None
    """Weights at each member's best evaluation, where early stopping keeps them."""
    best_buffers: Buffers
    """Running statistics that belong to ``best_KP``."""
    average_KP: Tensor | None
    """Averages of the weights, where the recipes have any."""
    permit: Permit
    """Whether test data are evaluated at the end, and by whom they have been."""
    scaling: LossScaling | None = None
    """The scales of losses in float16."""
    keep: Keep = None
    """Which weights its runs keep when they end."""
    kept_KP: Tensor | None = None
    """Weights at each member's best evaluation, where they are to be kept and early stopping does
    not keep them already."""
    kept_buffers: Buffers = field(default_factory=dict)
    """Running statistics that belong to ``kept_KP``."""
    averaged_buffers: Buffers = field(default_factory=dict)
    """Running statistics at the weights of the last evaluation, where those are an average; empty
    where they are the weights themselves."""
    workspace: Workspace | None = None
    """Memory for the gradient, the same until a member leaves."""
    interval: OpenInterval | None = None
    """The updates since the last evaluation, which ``done`` does not count; None at one."""
    gradients: int = 0
    """Gradients of single samples computed so far, by each member and not by all together."""
    memories: dict[int, Memory] = field(default_factory=dict)
    """What probes keep, by their places among the runs' probes."""
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    """Runs that have ended, by their index."""


def start(runs: Sequence[Run], test: bool, keep: Keep = None) -> Cohort:
    """Return the cohort of the given runs, all of one shape, before its first update.

    Args:
        runs: runs of one shape: their recipes differ in numbers, schedules and optimizers alone.
        test: whether they are evaluated on test data when they end.
        keep: which weights they keep when they end.

    Returns:
        The cohort. Its members are sorted by optimizer; each knows its place among ``runs``.

    Raises:
        HarnessError: parts of the recipe do not go together.
    """
    program = program_of(runs[0].recipe)
    # rows of one optimizer must lie together; ``Member.index`` leads back to the order given
    order = order_by_optimizer([run.recipe for run in runs])
    members = [Member(i, runs[i]) for i in order]
    w_KP = initial_weights(program, [member.run.seed for member in members])
    buffers = initial_buffers(program, [member.run.seed for member in members])
    optimizer = program.recipe.optimizer
    blocks: tuple[slice, ...] = ()
    states: OptimizerStates = []
    external = None
    if isinstance(optimizer, ExternalOptimizer):
        external = external_state(program, optimizer, w_KP)
    else:
        groups = groups_of(program, [m.run.recipe for m in members])
        blocks = block_columns(program, groups)
        states = initial_states(groups, blocks, w_KP)
    best_KP = w_KP.clone() if program.stopping else None
    kept = keep == "best" and not program.stopping
    return Cohort(
        members=members,
        done=0,
        w_KP=w_KP,
        buffers=buffers,
        blocks=blocks,
        states=states,
        external=external,
        best_KP=best_KP,
        # the same tensors until a member first improves: most networks have none, and without early
        # stopping they are never copied
        best_buffers=dict(buffers),
        average_KP=None if program.recipe.average is None else w_KP.clone(),
        permit=Permit(test),
        scaling=first_scaling(w_KP) if program.recipe.amp == "fp16" else None,
        keep=keep,
        kept_KP=w_KP.clone() if kept else None,
        kept_buffers={name: buffer.clone() for name, buffer in buffers.items()} if kept else {},
    )


def groups_in(program: Program, cohort: Cohort) -> list[OptimizerGroup]:
    """Return the members of each of the engine's optimizers; none of another library's."""
    if cohort.external is not None:
        return []
    recipes = [member.run.recipe for member in cohort.members]
    return groups_of(program, recipes)


def evaluated_of(program: Program, cohort: Cohort) -> Tensor:
    """Return the weights (K, P) that the members are evaluated at; they are only to be read."""
    groups = groups_in(program, cohort)
    return evaluated_weights(
        cohort.w_KP,
        groups,
        cohort.blocks,
        cohort.states,
        cohort.external,
        program.layout,
        cohort.average_KP,
    )


def evaluated_buffers(cohort: Cohort) -> Buffers:
    """Return the running statistics at the weights of the last evaluation; only to be read."""
    return cohort.averaged_buffers or cohort.buffers


def keep_rows(program: Program, cohort: Cohort, kept: Sequence[int]) -> None:
    """Let the cohort go on with some of its members alone; all its arrays are compacted.

    The workspace still has the old weights; the loop replaces it when it finds other ones.

    Args:
        program: what the members share.
        cohort: the cohort; it is changed.
        kept: rows of the members that stay, in ascending order.
    """
    # of the old members: the optimizers' states are still cut as they were
    groups = groups_in(program, cohort)
    rows = torch.tensor(kept, dtype=torch.long, device=program.device)
    cohort.members = [cohort.members[row] for row in kept]
    cohort.w_KP = cohort.w_KP[rows]
    cohort.buffers = {name: buffer[rows] for name, buffer in cohort.buffers.items()}
    averaged = cohort.averaged_buffers.items()
    cohort.averaged_buffers = {name: buffer[rows] for name, buffer in averaged}
    cohort.best_buffers = {name: buffer[rows] for name, buffer in cohort.best_buffers.items()}
    cohort.best_KP = None if cohort.best_KP is None else cohort.best_KP[rows]
    cohort.scaling = cohort.scaling and cohort.scaling.of_rows(rows)
    cohort.kept_buffers = {name: buffer[rows] for name, buffer in cohort.kept_buffers.items()}
    cohort.kept_KP = None if cohort.kept_KP is None else cohort.kept_KP[rows]
    cohort.average_KP = None if cohort.average_KP is None else cohort.average_KP[rows]
    cohort.memories = memories_of_rows(cohort.memories, rows)
    # another library's optimizer keeps its own state, and its one member leaves as a whole
    if groups:
        cohort.states = states_of_rows(groups, cohort.states, kept)
