"""Members that leave a cohort: why, and the closing numbers that become their outcomes.

The loop asks after every evaluation; the search drops members between two jobs. The test set is
opened here and nowhere else, for members that leave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from harness.core.metric_names import larger_is_better
from harness.core.records import Outcome, Status
from harness.engine.cohort import Cohort, Member, evaluated_buffers, evaluated_of, keep_rows
from harness.engine.evaluate import evaluate, evaluate_members
from harness.engine.hyperparameters import Hyperparameters, stack_hyperparameters
from harness.engine.keeping import keep_best, kept_weights
from harness.engine.program import Program, program_of
from harness.engine.recording import TrainedInterval, find_first_bad
from harness.engine.splits import Split, splits_of
from harness.engine.tally import defined
from harness.engine.test_set import Permit
from harness.models.base import Buffers


class Ending(NamedTuple):
    """How a run ends."""

    status: Status
    detail: str = ""
    """Why it diverged, in words."""


def drop(cohort: Cohort, indices: Sequence[int], status: Status) -> None:
    """End the given runs where they are, with the given status.

    Args:
        cohort: at an evaluation; it is changed.
        indices: the runs, by their places among those that the cohort was started with; runs that
            have ended already are passed over.
        status: how they end, such as ``pruned``.
    """
    if not cohort.members:
        return
    program = program_of(cohort.members[0].run.recipe)
    wanted = set(indices)
    rows = [row for row, member in enumerate(cohort.members) if member.index in wanted]
    leave(program, cohort, {row: Ending(status) for row in rows})


def find_endings(
    program: Program,
    cohort: Cohort,
    interval: TrainedInterval,
    values: Sequence[Mapping[str, float]],
    evaluated_KP: Tensor,
) -> dict[int, Ending]:
    """Return the rows of the members that end with this evaluation, and how.

    A member may end for several reasons at once; a loss that is not finite comes before early
    stopping, and that before the end of the budget.

    Args:
        program: what the members share.
        cohort: the members; for early stopping, the weights of their best evaluation are kept.
        interval: the updates before the evaluation.
        values: the metrics of each member, in the order of the rows.
        evaluated_KP: the weights that were evaluated.
    """
    ended = {}
    for row, own in enumerate(values):
        losses_S = interval.losses_SK[:, row]
        bad = find_first_bad(losses_S, own)
        if bad is not None:
            # updates are counted from 1 for people; ``bad`` counts from 0 within the interval
            step = cohort.done - len(losses_S) + bad + 1
            ended[row] = Ending("diverged", f"loss not finite at step {step}")
            continue
        keep_best(cohort, row, own, evaluated_KP)
        if _patience_is_over(program, cohort, row, own, evaluated_KP):
            ended[row] = Ending("stopped")
        elif cohort.done == program.times.steps or budget_is_spent(program, cohort):
            ended[row] = Ending("finished")
    return ended


def budget_is_spent(program: Program, cohort: Cohort) -> bool:
    """Return whether the recipe's budget of gradients, if it has one, is used up."""
    budget = program.recipe.gradients
    return budget is not None and cohort.gradients >= budget


def _patience_is_over(
    program: Program,
    cohort: Cohort,
    row: int,
    values: Mapping[str, float],
    evaluated_KP: Tensor,
) -> bool:
    """Keep a member's weights if they are its best; return whether early stopping ends it."""
    stopping, member = program.stopping, cohort.members[row]
    if stopping is None or cohort.best_KP is None:
        return False
    # a metric that is not defined has no value, and so has not improved
    value = values.get(stopping.metric)
    maximize = larger_is_better(stopping.metric, program.recipe.declared)
    if value is None or not stopping.improved(value, member.best, maximize):
        member.waited += 1
        return member.waited >= stopping.patience
    member.best, member.best_step, member.waited = value, cohort.done, 0
    # copied into rows of their own: the weights' memory is that of the next update
    cohort.best_KP[row] = evaluated_KP[row]
    for name, buffer in evaluated_buffers(cohort).items():
        # until the first improvement they are the same tensors (see ``start``): without a copy this
        # would write into the members' own statistics
        if cohort.best_buffers[name] is cohort.buffers[name]:
            cohort.best_buffers[name] = buffer.clone()
        cohort.best_buffers[name][row] = buffer[row]
    return False


def leave(program: Program, cohort: Cohort, ended: Mapping[int, Ending]) -> None:
    """Make the outcomes of the given rows, and let the cohort go on without them.

    Args:
        program: what the members share.
        cohort: at an evaluation; the outcomes are put into it, and its arrays are compacted.
        ended: how the members of some rows end, by row.
    """
    closing = _closing_numbers(program, cohort, list(ended))
    for (row, ending), summary in zip(ended.items(), closing, strict=True):
        member = cohort.members[row]
        costs = {
            "cost/seconds": member.seconds,
            "cost/steps": float(cohort.done),
            "cost/gradients": float(cohort.gradients),
        }
        # numbers at weights that are not finite say nothing
        bad = ending.status == "diverged"
        cohort.outcomes[member.index] = Outcome(
            status=ending.status,
            points=tuple(member.points),
            summary=costs if bad else summary | costs,
            detail=ending.detail,
            arrays=member.arrays,
            weights={} if bad else kept_weights(program, cohort, row),
            kept=None if bad else cohort.keep,
            started=member.started,
            times=member.times,
        )
    keep_rows(program, cohort, [row for row in range(len(cohort.members)) if row not in ended])


def _closing_numbers(program: Program, cohort: Cohort, rows: list[int]) -> list[dict[str, float]]:
    """Return the rows' closing numbers, at their best weights where early stopping keeps them."""
    members = [cohort.members[row] for row in rows]
    recipes = [member.run.recipe for member in members]
    kept = torch.tensor(rows, dtype=torch.long, device=program.device)
    if cohort.best_KP is None:
        weights, buffers = evaluated_of(program, cohort), evaluated_buffers(cohort)
    else:
        weights, buffers = cohort.best_KP, cohort.best_buffers
    w_KP, own = weights[kept], {name: buffer[kept] for name, buffer in buffers.items()}
    metrics: dict[str, list[float]] = {}
    # the last point is of the last evaluation; with early stopping the result is another one's
    if program.stopping:
        metrics |= evaluate_members(program, w_KP, own, recipes)
    if cohort.permit.allowed and program.test.size:
        metrics |= _test_metrics(program, cohort.permit, members, w_KP, own)
    return [
        _last_metrics(program, member)
        | defined({name: values[i] for name, values in metrics.items()})
        for i, member in enumerate(members)
    ]


def _test_metrics(
    program: Program, permit: Permit, members: list[Member], w_KP: Tensor, buffers: Buffers
) -> dict[str, list[float]]:
    """Return the metrics of some members on the test data, by name; opened once a member."""
    recipes = [member.run.recipe for member in members]
    hyper = stack_hyperparameters(recipes, program.device, program.dtype)

    # split by split: the samples are the same in all, but are scaled by the split's training part
    def measure(
        split: Split, w_KP: Tensor, buffers: Buffers, hyper: Hyperparameters
    ) -> dict[str, Tensor]:
        test = split.program.test.open(permit, [members[row].index for row in split.members])
        metrics = split.program.metrics
        return evaluate(split.program, w_KP, buffers, hyper, test, metrics=metrics)

    tested = splits_of(program, recipes).measure(w_KP, buffers, hyper, measure)
    return {f"test/{name}": value_K.tolist() for name, value_K in tested.items()}


def _without_outdated(program: Program, member: Member, last: dict[str, float]) -> dict[str, float]:
    """Leave out what evaluations measured once and the one that counts could not: there it is not
    defined. With early stopping all of it is measured anew, at the best weights."""
    evaluated = [point.metrics for point in member.points if "train/loss" in point.metrics]
    now = evaluated[-1] if evaluated and not program.stopping else {}
    parts = ("train/", "valid/")
    return {
        name: value for name, value in last.items() if name in now or not name.startswith(parts)
    }


def _last_metrics(program: Program, member: Member) -> dict[str, float]:
    """Return the last value of each metric of a member, and when it was at its best."""
    # a later point's value takes the place of an earlier one's
    last = {name: value for point in member.points for name, value in point.metrics.items()}
    if program.metrics:
        last = _without_outdated(program, member, last)
    if program.stopping:
        candidates = [point for point in member.points if point.step == member.best_step]
        best = candidates[0] if candidates else None
    else:
        evaluated = [point for point in member.points if "valid/loss" in point.metrics]
        # of equal losses the earliest
        best = min(evaluated, key=lambda p: p.metrics["valid/loss"], default=None)
    if best is None:
        return last
    return last | {
        "best/step": float(best.step),
        "best/epoch": best.epoch,
        "best/valid/loss": best.metrics["valid/loss"],
    }
