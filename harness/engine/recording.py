"""What is recorded of the members at an evaluation: plain points of their curves.

Here tensors end: from here on a run is Python numbers, which go to other processes and the store.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from harness.core.records import Point
from harness.engine.cohort import Cohort, Member
from harness.engine.probing import Probed
from harness.engine.program import Program
from harness.engine.tally import defined
from harness.engine.timetable import samples_seen


class TrainedInterval(NamedTuple):
    """What came of the updates since the last evaluation, on the CPU."""

    losses_SK: Tensor
    """Loss of each update's minibatch, before the update."""
    probed: Mapping[int, Probed]
    """Probes' metrics, by the updates made before the one that they looked at."""
    arrays: Mapping[str, Tensor]
    """Probes' arrays by name, (K, …) each."""
    seconds: float
    """What the updates took, of all members together."""


def no_updates(members: int) -> TrainedInterval:
    """Return what has come of training before the first update.

    Args:
        members: how many members there are, K.
    """
    return TrainedInterval(torch.zeros(0, members), {}, {}, 0.0)


def record_interval(
    program: Program,
    cohort: Cohort,
    interval: TrainedInterval,
    metrics: Mapping[str, list[float]],
) -> list[dict[str, float]]:
    """Add an evaluation, and what probes measured before it, to every member's curve.

    A member whose losses are no longer finite gets no point: it has diverged, see
    :func:`find_first_bad`.

    Args:
        program: what the members share.
        cohort: the members.
        interval: the updates before the evaluation.
        metrics: the evaluation's metrics by name, one value a member.

    Returns:
        The metrics of each member, with those of its minibatches.
    """
    values = []
    # one copy to Python for each tensor and not for each number; a row a member
    probed = [
        (step, names, values_VK.double().T.tolist())
        for step, (names, values_VK) in interval.probed.items()
    ]
    arrays = {name: value.tolist() for name, value in interval.arrays.items()}
    now = time.time()
    for row, member in enumerate(cohort.members):
        own = defined({name: column[row] for name, column in metrics.items()})
        own |= batch_metrics(member, interval.losses_SK[:, row].double().tolist())
        values.append(own)
        _note_times(member, cohort.done, len(interval.losses_SK), list(interval.probed), now)
        member.seconds += interval.seconds / len(cohort.members)
        member.arrays |= {name: rows[row] for name, rows in arrays.items()}
        for step, names, table in probed:
            pairs = zip(names, table[row], strict=True)
            # a probe's number that is not finite (a ratio over 0) is left out: it is no divergence
            finite = {name: value for name, value in pairs if math.isfinite(value)}
            _add_point(member, _point(program, step, finite))
        if find_first_bad(interval.losses_SK[:, row], own) is None:
            _add_point(member, _point(program, cohort.done, own))
    return values


def batch_metrics(member: Member, losses: list[float]) -> dict[str, float]:
    """Return the mean loss of the minibatches since the last evaluation, and how much it jumps.

    The jump is √(½ mean (l_{t+1} − l_t)²): the deviation of independent noise, without the trend
    (von Neumann 1941).

    Args:
        member: its last loss before is the first jump's, and becomes the last of ``losses``.
        losses: of the minibatches, in their order; empty before the first update.

    Returns:
        ``batch/loss`` and ``batch/noise``; without losses nothing, and without two losses or where
        one is not finite no noise.
    """
    if not losses:
        return {}
    row = losses if member.last_loss is None else [member.last_loss, *losses]
    member.last_loss = losses[-1]
    metrics = {"batch/loss": sum(losses) / len(losses)}
    if len(row) > 1 and math.isfinite(sum(row)):
        jumps = [after - before for before, after in pairwise(row)]
        # hypot of many numbers is the root of the sum of their squares, without overflow
        metrics["batch/noise"] = math.hypot(*jumps) / math.sqrt(2 * len(jumps))
    return metrics


def find_first_bad(losses_S: Tensor, values: Mapping[str, float]) -> int | None:
    """Return the first update since the last evaluation whose loss is not finite, if any.

    Args:
        losses_S: the member's losses since the last evaluation.
        values: its metrics at this one.

    Returns:
        The update's place in ``losses_S``, or their number if only the evaluation itself is not
        finite; None where all is finite.

    >>> find_first_bad(torch.tensor([0.5, math.inf, math.nan]), {"valid/loss": math.nan})
    1
    """
    bad = (~losses_S.isfinite()).nonzero()
    if len(bad):
        return int(bad[0])
    return None if all(map(math.isfinite, values.values())) else len(losses_S)


def _note_times(member: Member, done: int, updates: int, probed: list[int], now: float) -> None:
    """Note when an interval's points were computed: the evaluation now, and probes in its course.

    A device is not waited for at each probe, so that theirs are shares of the interval's time.

    Args:
        member: its times get those of the interval.
        done: updates made so far.
        updates: those of the interval.
        probed: the steps that probes looked at.
        now: seconds since 1970.
    """
    first = done - updates
    began = member.times.get(first, member.started)
    for step in probed:
        share = (step - first) / updates
        member.times.setdefault(step, began + share * (now - began))
    member.times[done] = now


def _add_point(member: Member, point: Point) -> None:
    """Add a point, or its metrics to the last point's if that is of the same step."""
    if member.points and member.points[-1].step == point.step:
        last = member.points.pop()
        point = last._replace(metrics=last.metrics | point.metrics)
    member.points.append(point)


def _point(program: Program, done: int, values: dict[str, float]) -> Point:
    times = program.times
    samples = samples_seen(program.recipe, times, program.train.size, done)
    return Point(done, done / times.per_epoch, samples, values)
