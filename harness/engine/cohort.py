"""The training loop: a cohort of runs from one evaluation to the next, until all have ended."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor

from harness.core.records import Array, Outcome, Point, Status
from harness.engine.batches import Orders
from harness.engine.denormals import flushed
from harness.engine.evaluate import evaluate, train_sample
from harness.engine.external import torch_optimizer as eager
from harness.engine.probing import Probed, Watch, rows_of
from harness.engine.program import (
    Program,
    hyperparameters,
    initial_weights,
    program_of,
    schedule_factors,
    written_out,
)
from harness.engine.step import step
from harness.engine.test_set import Permit
from harness.engine.update import Group, first_states, groups_of, keep, kind_of, pieces_of
from harness.engine.workspace import Room, room_for
from harness.models.base import Buffers, Noise
from harness.optimizers.external import ExternalOptimizer
from harness.probes.base import Memory, probes_of
from harness.spec.arms import Run
from harness.spec.resolved import ResolvedRecipe

Progress = Callable[[int], None]
"""Told the number of updates made, counted over members."""


@dataclass
class Member:
    """One run of the cohort, and what is remembered of it."""

    index: int
    run: Run
    points: list[Point] = field(default_factory=list)
    seconds: float = 0.0
    best: float | None = None
    best_step: int = 0
    waited: int = 0
    """Evaluations since the best one."""
    last: float | None = None
    """Loss of its last batch."""
    arrays: dict[str, Array] = field(default_factory=dict)
    """The last of each array that its probes measured."""


@dataclass
class Cohort:
    """The state of a cohort between two evaluations: all that is needed to go on."""

    members: list[Member]
    done: int
    """Updates made so far."""
    w_KP: Tensor
    buffers: Buffers
    pieces: tuple[slice, ...]
    """Columns that are moved call by call."""
    state: Any
    """The update rules' states by piece and group; the optimizer of the eager path."""
    best_KP: Tensor | None
    best_buffers: Buffers
    permit: Permit
    """Whether test data are evaluated at the end, and by whom they have been."""
    room: Room | None = None
    spent: int = 0
    """Gradients of single samples computed so far."""
    memories: dict[str, Memory] = field(default_factory=dict)
    """What probes keep, by their names."""
    outcomes: dict[int, Outcome] = field(default_factory=dict)


def start(runs: Sequence[Run], test: bool) -> Cohort:
    """Return the cohort of the given runs (all of one shape) before its first update; runs of one rule lie together."""
    program = program_of(runs[0].recipe)
    members = [
        Member(i, run)
        for i, run in sorted(enumerate(runs), key=lambda pair: kind_of(pair[1].recipe))
    ]
    groups = _groups(program, members)
    w_KP = initial_weights(program, [member.run.seed for member in members])
    buffers = {
        name: b.to(program.device, program.dtype if b.is_floating_point() else b.dtype)
        .expand(len(runs), *b.shape)
        .clone()
        for name, b in program.network.buffers().items()
    }
    optimizer = program.optimizer
    pieces: tuple[slice, ...] = ()
    if isinstance(optimizer, ExternalOptimizer):
        state: Any = eager.init(program, optimizer, w_KP)
    else:
        pieces = pieces_of(program, groups)
        state = first_states(groups, pieces, w_KP)
    best_KP = w_KP.clone() if program.stopping else None
    return Cohort(members, 0, w_KP, buffers, pieces, state, best_KP, dict(buffers), Permit(test))


@flushed()
def advance(
    cohort: Cohort, until: int | None = None, progress: Progress = lambda _: None
) -> Cohort:
    """Train until update ``until`` (which must be an evaluation) or the end; outcomes are gathered in the cohort."""
    program = program_of(cohort.members[0].run.recipe)
    times = program.times
    stop = times.steps if until is None else until
    if cohort.done == 0 and not cohort.members[0].points:
        _examine(program, cohort, _nothing(len(cohort.members)), 0.0)
    for target in (e for e in times.evaluations if cohort.done < e <= stop):
        if not cohort.members:
            break
        began = time.perf_counter()
        trained = _train(program, cohort, target)
        progress(len(trained.losses_SK) * len(cohort.members))
        _examine(program, cohort, trained, time.perf_counter() - began)
    cohort.room = None  # views of the weights, which would be copies after a way between processes
    return cohort


class Trained(NamedTuple):
    """What came of some updates, on the CPU."""

    losses_SK: Tensor
    """Loss of each update's batch."""
    probed: dict[int, Probed]
    """Probes' metrics by step."""
    arrays: dict[str, Tensor]
    """Probes' arrays by name, (K, …) each."""


def _nothing(members: int) -> Trained:
    return Trained(torch.zeros(0, members), {}, {})


def drop(cohort: Cohort, indices: Sequence[int], status: Status) -> None:
    """End the given runs where they are, with the given status."""
    program = program_of(cohort.members[0].run.recipe)
    leaving = [row for row, member in enumerate(cohort.members) if member.index in set(indices)]
    _leave(program, cohort, {row: (status, "") for row in leaving})


def _groups(program: Program, members: Sequence[Member]) -> list[Group]:
    if isinstance(program.optimizer, ExternalOptimizer):
        return []
    return groups_of([m.run.recipe for m in members], program.device, program.dtype)


def _train(program: Program, cohort: Cohort, target: int) -> Trained:
    """Make the updates up to ``target``, or as many as the budget of gradients allows."""
    runs = [member.run for member in cohort.members]
    seeds, recipes = [run.seed for run in runs], [run.recipe for run in runs]
    hyper = active(recipes, hyperparameters(recipes, program.device, program.dtype))
    factors_SK = schedule_factors(recipes, program.times, cohort.done, target).to(
        program.device, program.dtype
    )
    noise = Noise(seeds, cohort.done, program.device, program.dtype)
    orders = Orders(program, seeds)
    eagerly, groups = (
        isinstance(program.optimizer, ExternalOptimizer),
        _groups(program, cohort.members),
    )
    watch = Watch(
        program, groups, cohort.pieces, probes_of(runs[0].probes), seeds, hyper, cohort.memories
    )
    move = (
        partial(eager.eager_step, program)
        if eagerly
        else partial(step, program, groups, room=_room(program, cohort))
    )
    losses = []
    with torch.inference_mode(written_out(program) and not eagerly):
        for offset, factor_K in enumerate(factors_SK):
            now = cohort.done + offset
            batch = orders.batch(now)
            seen_KP, buffers = watch.before(now, cohort.w_KP), cohort.buffers
            moved = move(
                cohort.w_KP, buffers, cohort.state, batch, hyper, factor_K, noise, watch.seen
            )
            cohort.w_KP, cohort.buffers, cohort.state = moved[:3]
            losses.append(moved.loss_K)
            cohort.spent += moved.gradients * batch.x_KB.shape[1]
            if seen_KP is not None:
                watch.after(now, seen_KP, buffers, batch, moved, factor_K)
            if _spent(program, cohort):
                break
    cohort.done += len(losses)
    arrays = {name: value.cpu() for name, value in watch.arrays.items()}
    return Trained(torch.stack(losses).cpu(), watch.found, arrays)


def _room(program: Program, cohort: Cohort) -> Room | None:
    """Return room for the gradient, the same until somebody leaves; None where autograd makes its own."""
    if written_out(program) and (cohort.room is None or cohort.room.w_KP is not cohort.w_KP):
        cohort.room = room_for(program.layout, cohort.w_KP, cohort.pieces)
    return cohort.room


def _spent(program: Program, cohort: Cohort) -> bool:
    budget = program.recipe.gradients
    return budget is not None and cohort.spent >= budget


def active(recipes: Sequence[ResolvedRecipe], hyper: dict[str, Tensor]) -> dict[str, Tensor]:
    """Leave out dropout rates where nobody drops, so that no noise is drawn in vain."""
    numbers = [recipe.numbers() for recipe in recipes]
    rates = ("regularizers.Dropout.rate", "model.dropout")
    idle = {path for path in rates if not any(row.get(path) for row in numbers)}
    return {path: value for path, value in hyper.items() if path not in idle}


def _examine(program: Program, cohort: Cohort, trained: Trained, seconds: float) -> None:
    """Evaluate all members, record a point for each, and let go of those that have ended."""
    metrics = measure(program, cohort.w_KP, cohort.buffers, cohort.members)
    ended: dict[int, tuple[Status, str]] = {}
    probed = [
        (step, names, values_VK.double().T.tolist())
        for step, (names, values_VK) in trained.probed.items()
    ]
    arrays = {name: value.tolist() for name, value in trained.arrays.items()}
    for row, member in enumerate(cohort.members):
        losses_S = trained.losses_SK[:, row]
        values = {name: column[row] for name, column in metrics.items()} | _batch_metrics(
            member, losses_S
        )
        member.seconds += seconds / len(cohort.members)
        for now, names, table in probed:
            finite = {
                name: value
                for name, value in zip(names, table[row], strict=True)
                if math.isfinite(value)
            }
            _add(member, _point(program, now, finite))
        member.arrays |= {name: rows[row] for name, rows in arrays.items()}
        bad = _first_bad(losses_S, values)
        if bad is not None:
            ended[row] = (
                "diverged",
                f"loss not finite at step {cohort.done - len(losses_S) + bad + 1}",
            )
            continue
        _add(member, _point(program, cohort.done, values))
        if _watch(program, cohort, row, values):
            ended[row] = ("stopped", "")
    if cohort.done == program.times.steps or _spent(program, cohort):
        ended |= {row: ("finished", "") for row in range(len(cohort.members)) if row not in ended}
    if ended:
        _leave(program, cohort, ended)


def _batch_metrics(member: Member, losses_S: Tensor) -> dict[str, float]:
    """Return the mean loss of the batches since the last evaluation, and how much it jumps from one to the next.

    The jump is √(½ mean (l_{t+1} − l_t)²): the deviation of independent noise, without the trend (von Neumann 1941).
    """
    losses = losses_S.double().tolist()
    if not losses:
        return {}
    row = losses if member.last is None else [member.last, *losses]
    member.last = losses[-1]
    found = {"batch/loss": sum(losses) / len(losses)}
    if len(row) > 1 and math.isfinite(sum(row)):
        found["batch/noise"] = math.hypot(*(b - a for a, b in pairwise(row))) / math.sqrt(
            2 * (len(row) - 1)
        )
    return found


def _add(member: Member, point: Point) -> None:
    """Put a point behind the others, or its metrics to those of the last point if it is of the same step."""
    if member.points and member.points[-1].step == point.step:
        last = member.points.pop()
        point = last._replace(metrics=last.metrics | point.metrics)
    member.points.append(point)


def measure(
    program: Program, w_KP: Tensor, buffers: Buffers, members: Sequence[Member]
) -> dict[str, list[float]]:
    """Return the metrics on training and validation samples by name, one value a member."""
    hyper = hyperparameters([m.run.recipe for m in members], program.device, program.dtype)
    parts = {"train": train_sample(program), "valid": program.valid}
    return {
        f"{name}/{metric}": value_K.tolist()
        for name, part in parts.items()
        if part.size
        for metric, value_K in evaluate(program, w_KP, buffers, hyper, part).items()
    }


def _first_bad(losses_S: Tensor, values: dict[str, float]) -> int | None:
    bad = (~losses_S.isfinite()).nonzero()
    if len(bad):
        return int(bad[0])
    return None if all(map(math.isfinite, values.values())) else len(losses_S)


def _point(program: Program, done: int, values: dict[str, float]) -> Point:
    epoch, rest = divmod(done, program.times.per_epoch)
    full = program.times.batch * program.times.per_epoch
    samples = (
        epoch * (full if program.recipe.drop_last else program.train.size)
        + rest * program.times.batch
    )
    return Point(done, done / program.times.per_epoch, samples, values)


def _watch(program: Program, cohort: Cohort, row: int, values: dict[str, float]) -> bool:
    """Keep a member's best weights; return whether its patience is over."""
    stopping, member = program.stopping, cohort.members[row]
    if stopping is None or cohort.best_KP is None:
        return False
    if not stopping.improved(values[stopping.metric], member.best):
        member.waited += 1
        return member.waited >= stopping.patience
    member.best, member.best_step, member.waited = values[stopping.metric], cohort.done, 0
    cohort.best_KP[row] = cohort.w_KP[row]
    for name, buffer in cohort.buffers.items():
        if cohort.best_buffers[name] is buffer:
            cohort.best_buffers[name] = buffer.clone()
        cohort.best_buffers[name][row] = buffer[row]
    return False


def _leave(program: Program, cohort: Cohort, ended: dict[int, tuple[Status, str]]) -> None:
    """Close the given rows and keep the others."""
    closing = _close(program, cohort, list(ended))
    for (row, (status, detail)), summary in zip(ended.items(), closing, strict=True):
        member = cohort.members[row]
        costs = {"seconds": member.seconds, "steps": cohort.done, "gradients": cohort.spent}
        summary |= {f"cost/{name}": float(value) for name, value in costs.items()}
        cohort.outcomes[member.index] = Outcome(
            status,
            tuple(member.points),
            summary
            if status != "diverged"
            else {name: value for name, value in summary.items() if name.startswith("cost/")},
            detail,
            member.arrays,
        )
    kept = [row for row in range(len(cohort.members)) if row not in ended]
    groups = _groups(program, cohort.members)
    rows = torch.tensor(kept, dtype=torch.long, device=program.device)
    cohort.members = [cohort.members[row] for row in kept]
    cohort.w_KP = cohort.w_KP[rows]
    cohort.buffers = {name: b[rows] for name, b in cohort.buffers.items()}
    cohort.best_buffers = {name: b[rows] for name, b in cohort.best_buffers.items()}
    cohort.best_KP = None if cohort.best_KP is None else cohort.best_KP[rows]
    cohort.memories = rows_of(cohort.memories, rows)
    if groups:
        cohort.state = keep(groups, cohort.state, kept)


def _close(program: Program, cohort: Cohort, rows: list[int]) -> list[dict[str, float]]:
    """Return the closing numbers of the given rows, at their best weights where early stopping keeps them."""
    members = [cohort.members[row] for row in rows]
    kept = torch.tensor(rows, dtype=torch.long, device=program.device)
    source, buffers = (
        (cohort.w_KP, cohort.buffers)
        if cohort.best_KP is None
        else (cohort.best_KP, cohort.best_buffers)
    )
    w_KP, own = source[kept], {name: b[kept] for name, b in buffers.items()}
    closing = [_last(program, member) for member in members]
    found = measure(program, w_KP, own, members) if program.stopping else {}
    if cohort.permit.allowed and program.test.size:
        hyper = hyperparameters([m.run.recipe for m in members], program.device, program.dtype)
        test = program.test.open(cohort.permit, [m.index for m in members])
        found |= {
            f"test/{name}": value_K.tolist()
            for name, value_K in evaluate(program, w_KP, own, hyper, test).items()
        }
    return [
        row | {name: values[i] for name, values in found.items()} for i, row in enumerate(closing)
    ]


def _last(program: Program, member: Member) -> dict[str, float]:
    """Return the last value of each metric of a member, and when it was at its best."""
    last = {name: value for point in member.points for name, value in point.metrics.items()}
    if program.stopping:
        best = (
            next(p for p in member.points if p.step == member.best_step) if member.points else None
        )
    else:
        held = [p for p in member.points if "valid/loss" in p.metrics]
        best = min(held, key=lambda p: p.metrics["valid/loss"]) if held else None
    if best is None:
        return last
    return last | {
        "best/step": float(best.step),
        "best/epoch": best.epoch,
        "best/valid/loss": best.metrics["valid/loss"],
    }
