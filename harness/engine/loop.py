"""The training loop: a cohort of runs from one evaluation to the next, until all have ended.

Workers call :func:`advance`; it knows nothing of processes, stores or the search. Everything that
is not in the cohort is made afresh in every interval between two evaluations, so that a run which
stops at one and goes on elsewhere has the same numbers as one that does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from harness.core.heartbeat import beat
from harness.core.noise import Noise
from harness.engine.averaging import average_rates, move_average
from harness.engine.batches import Batches
from harness.engine.cohort import Cohort, OpenInterval, evaluated_buffers, evaluated_of, groups_in
from harness.engine.denormals import denormals_as_zero
from harness.engine.differentiate import TrainingPass
from harness.engine.evaluate import evaluate_members
from harness.engine.external.torch_optimizer import make_external_update
from harness.engine.hyperparameters import Hyperparameters, stack_hyperparameters
from harness.engine.leaving import budget_is_spent, find_endings, leave
from harness.engine.optimizer_groups import OptimizerGroup, OptimizerStates
from harness.engine.own_draws import OwnStreams
from harness.engine.parameter_groups import group_numbers
from harness.engine.probing import Probing
from harness.engine.program import Program, program_of
from harness.engine.recording import TrainedInterval, no_updates, record_interval
from harness.engine.several_updates import SeveralUpdates, several_at_once
from harness.engine.splits import splits_of
from harness.engine.statistics import buffers_at
from harness.engine.timetable import run_lengths, schedule_factors, updates_worth
from harness.engine.training_loss import Minibatch
from harness.engine.update import Update, make_update
from harness.engine.workspace import Workspace
from harness.models.base import Buffers
from harness.probes.base import probes_of

UpdateCounter = Callable[[int], None]
"""Told the number of updates made, counted over members."""
Between = Callable[[Cohort], None]
"""Called between updates, after each or after some of them, but not just before an evaluation; the
cohort can be saved there."""


@denormals_as_zero()
def advance(
    cohort: Cohort,
    until: int | None = None,
    count: UpdateCounter = lambda _: None,
    between: Between = lambda _: None,
) -> Cohort:
    """Train on; the outcomes of runs that end are gathered in the cohort.

    Args:
        cohort: the state to go on from, at an evaluation or as ``between`` saw it; it is changed.
        until: the update to stop at, which must be one after which runs are evaluated; by default
            the end.
        count: told how many updates were made since the last call, just before each evaluation.
        between: may save the cohort; whatever it raises ends the training.

    Returns:
        The same cohort, with fewer members if some have ended; it can be pickled.
    """
    program = program_of(cohort.members[0].run.recipe)
    with _streams(program, cohort).kept():
        _advance(program, cohort, until, count, between)
    # it holds views of the weights: pickled, they would be copies that no longer follow the weights
    cohort.workspace = None
    return cohort


@denormals_as_zero()
def seconds_of_updates(cohort: Cohort, updates: int) -> float:
    """Make so many more updates, evaluate nothing, and return the seconds that they took."""
    program = program_of(cohort.members[0].run.recipe)
    with _streams(program, cohort).kept():
        return train_interval(program, cohort, cohort.done + updates).seconds


def _streams(program: Program, cohort: Cohort) -> OwnStreams:
    members = cohort.members
    own = any(member.has_own_code for member in members)
    return OwnStreams(own, [member.run.seed for member in members], program.device)


def _advance(
    program: Program, cohort: Cohort, until: int | None, count: UpdateCounter, between: Between
) -> None:
    """Train and evaluate up to an update."""
    times = program.times
    stop = times.steps if until is None else until
    # a new cohort: the curves begin with the initial weights
    if cohort.done == 0 and not cohort.members[0].points:
        evaluate_cohort(program, cohort, no_updates(len(cohort.members)))
    for target in times.evaluations:
        if not cohort.members:
            break
        if cohort.done < target <= stop:
            interval = train_interval(program, cohort, target, between)
            count(len(interval.losses_SK) * len(cohort.members))
            evaluate_cohort(program, cohort, interval)


def evaluate_cohort(program: Program, cohort: Cohort, interval: TrainedInterval) -> None:
    """Evaluate all members, record a point for each, and take out those that have ended.

    Args:
        program: what the members share.
        cohort: the members; it is changed.
        interval: what came of the updates since the last evaluation.
    """
    recipes = [member.run.recipe for member in cohort.members]
    streams = _streams(program, cohort)
    streams.begin(cohort.done, "own evaluation")
    with streams.shared():
        evaluated_KP = evaluated_of(program, cohort)
        if evaluated_KP is not cohort.w_KP and cohort.buffers:
            hyper = stack_hyperparameters(recipes, program.device, program.dtype)
            splits = splits_of(program, recipes)
            cohort.averaged_buffers = buffers_at(splits, evaluated_KP, cohort.buffers, hyper)
        metrics = evaluate_members(program, evaluated_KP, evaluated_buffers(cohort), recipes)
        values = record_interval(program, cohort, interval, metrics)
        ended = find_endings(program, cohort, interval, values, evaluated_KP)
        if ended:
            leave(program, cohort, ended)


def train_interval(
    program: Program, cohort: Cohort, target: int, between: Between = lambda _: None
) -> TrainedInterval:
    """Make the updates up to ``target``, or as many as the budget of gradients allows.

    Args:
        program: what the members share.
        cohort: the members, of which ``done`` updates have been made, and those of an interval that
            was begun; it is changed.
        target: updates made at the next evaluation.
        between: called between two updates, or between the calls that make several of them.

    Returns:
        The losses and what probes measured, on the CPU.
    """
    recipes = [member.run.recipe for member in cohort.members]
    seeds = [member.run.seed for member in cohort.members]
    hyper, splits = _numbers(program, cohort), splits_of(program, recipes)
    noise = Noise(seeds, cohort.done, program.device, program.dtype)
    own = cohort.interval or OpenInterval(noise)
    cohort.interval, batches = own, Batches(program, splits, seeds)
    groups = groups_in(program, cohort)
    probes = probes_of(cohort.members[0].run.probes)
    probing = Probing(
        *(program, splits, groups, cohort.blocks, probes, seeds, hyper, cohort.memories),
        *(own.probed, own.arrays),
    )
    factors_SK, several = _factors(program, cohort, target), None
    if factors_SK is not None and several_at_once(program, cohort, groups, hyper, batches):
        several = SeveralUpdates(program, cohort, groups, batches, hyper, hyper.lr_K * factors_SK)
    streams = _streams(program, cohort)
    one = _one_update(program, cohort, groups, hyper, batches, probing, streams, target)
    with _mode(program, cohort), streams.shared():
        while (step := cohort.done + len(own.losses)) < target:
            unseen = 0 if several is None else probing.unseen(step, several.ahead(step, target))
            if several is not None and unseen:
                losses_SK, seen = several.make(step, unseen, own.noise)
                own.losses += losses_SK.unbind()
                cohort.gradients += seen
            else:
                at = len(own.losses)
                one(own, step, _factor(program, cohort) if factors_SK is None else factors_SK[at])
            beat()
            if budget_is_spent(program, cohort):
                break
            if cohort.done + len(own.losses) < target:
                between(cohort)
    return _closed(cohort, own)


def _one_update(
    program: Program,
    cohort: Cohort,
    groups: list[OptimizerGroup],
    hyper: Hyperparameters,
    batches: Batches,
    probing: Probing,
    streams: OwnStreams,
    target: int,
) -> Callable[[OpenInterval, int, Tensor], None]:
    """Return what makes an update of all members, which probes may look at."""
    make = _updater(program, cohort, groups)
    recipes = [member.run.recipe for member in cohort.members]
    run = run_lengths(program.recipe, program.times, program.train.size)
    rates_SK = average_rates(recipes, run, cohort.done, target)

    def one(own: OpenInterval, step: int, factor_K: Tensor) -> None:
        streams.begin(step)
        batch, buffers = batches.batch(step), cohort.buffers
        before_KP = probing.before(
            step, cohort.w_KP, cohort.states, cohort.external, cohort.average_KP
        )
        update = make(
            *(cohort.w_KP, buffers, cohort.states, batch, hyper, factor_K, own.noise),
            probing.record,
        )
        cohort.w_KP, cohort.buffers, cohort.states = update.w_KP, update.buffers, update.states
        if cohort.average_KP is not None and rates_SK is not None:
            move_average(cohort.average_KP, cohort.w_KP, rates_SK[len(own.losses)])
        # left on the device: reading a number of a GPU would wait for it at every update
        own.losses.append(update.loss_K)
        # the last batch of an epoch may be smaller
        cohort.gradients += update.gradients * batch.x_KB.shape[1]
        if before_KP is not None:
            probing.after(step, before_KP, buffers, batch, update, factor_K)

    return one


def _numbers(program: Program, cohort: Cohort) -> Hyperparameters:
    """Return the members' numbers, those of groups of parameters among them."""
    recipes = [member.run.recipe for member in cohort.members]
    device, dtype = program.device, program.dtype
    hyper = stack_hyperparameters(recipes, device, dtype)
    said = group_numbers(program.layout, recipes, device, dtype, program.scalings)
    return hyper._replace(groups=said, masks={}, scaling=cohort.scaling)


def _closed(cohort: Cohort, own: OpenInterval) -> TrainedInterval:
    """Return what has come of an interval, which the cohort leaves behind."""
    cohort.done, cohort.interval = cohort.done + len(own.losses), None
    losses_SK = torch.stack(own.losses).cpu()
    arrays = {name: value.cpu() for name, value in own.arrays.items()}
    seconds = own.seconds + time.perf_counter() - own.began
    return TrainedInterval(losses_SK, own.probed, arrays, seconds)


def _factors(program: Program, cohort: Cohort, target: int) -> Tensor | None:
    """Return the schedules' factors (S, K) of the updates up to ``target``; None: not known yet."""
    if cohort.external is not None and program.recipe.gradients is not None:
        return None
    recipes = [member.run.recipe for member in cohort.members]
    run = run_lengths(program.recipe, program.times, program.train.size)
    # of a begun interval the whole schedule again
    factors_SK = schedule_factors(recipes, run, cohort.done, target)
    return factors_SK.to(program.device, program.dtype)


def _factor(program: Program, cohort: Cohort) -> Tensor:
    """Return the schedules' factors (K,) of the coming update, by the budget that is used.

    How many gradients an update of another library's optimizer takes is not known before.
    """
    recipes, times = [member.run.recipe for member in cohort.members], program.times
    run = run_lengths(program.recipe, times, program.train.size)
    at = updates_worth(program.recipe, times, program.train.size, cohort.gradients)
    return schedule_factors(recipes, run, at, at + 1)[0].to(program.device, program.dtype)


class _MakeUpdate(Protocol):
    def __call__(
        self,
        w_KP: Tensor,
        buffers: Buffers,
        states: OptimizerStates,
        batch: Minibatch,
        hyper: Hyperparameters,
        factor_K: Tensor,
        noise: Noise,
        record: TrainingPass | None,
    ) -> Update: ...


def _updater(program: Program, cohort: Cohort, groups: list[OptimizerGroup]) -> _MakeUpdate:
    """Return what makes an update: the engine's optimizers, or another library's."""
    if cohort.external is not None:
        return partial(make_external_update, program, cohort.external)
    return partial(make_update, program, groups, workspace=_workspace(program, cohort))


def _workspace(program: Program, cohort: Cohort) -> Workspace | None:
    """Return memory for the gradient, the same until a member leaves.

    Then :func:`~harness.engine.cohort.keep_rows` makes new weights, and views of the old ones would
    be moved instead.
    """
    if cohort.workspace is None or cohort.workspace.w_KP is not cohort.w_KP:
        cohort.workspace = program.differentiator.workspace(cohort.w_KP, cohort.blocks)
    return cohort.workspace


def _mode(program: Program, cohort: Cohort) -> AbstractContextManager[object]:
    """Return the context that the updates are made in."""
    # another library's optimizer may need autograd
    return nullcontext() if cohort.external is not None else program.differentiator.mode()
