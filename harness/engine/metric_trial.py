"""A recipe's metrics tried on random outputs, before anything trains.

Which numbers a function of a user's own returns shows when it is called; and that a metric can't be
defined on a part of the data (a class without samples) follows from the targets alone.
"""

from __future__ import annotations

import math

import torch

from harness.core.streams import numpy_stream
from harness.core.time_limit import limited
from harness.data.base import load_data
from harness.engine.evaluate import scored_by
from harness.engine.program import Program
from harness.engine.tally import keeps_outputs, numbers_kept
from harness.engine.user_code import in_words
from harness.losses.cross_entropy import CrossEntropy
from harness.losses.tokens import are_tokens, outputs_for
from harness.metrics.base import Metric

MOST_NUMBERS = 10**7
"""Outputs of a part up to which metrics are tried on it."""
HUGE = 2**30
"""Bytes of a member's outputs, kept for metrics, from which the plan says so."""


def try_metrics(program: Program) -> tuple[str, ...]:
    """Return the names of the numbers that the recipe's metrics give, such as ``f1``.

    Args:
        program: what is to be trained; it stays as it is.

    Raises:
        HarnessError: a metric fails on the training samples, with its line.
    """
    y = program.train.y[: max(1, MOST_NUMBERS // numbers_kept(program))]
    return tuple(name for metric in program.metrics for name in _values(program, metric, y))


def metric_notes(program: Program) -> list[str]:
    """Return what a user should know of the recipe's metrics, in sentences."""
    data, notes = load_data(program.recipe.data), []
    for part in ("valid", "test"):
        y = torch.as_tensor(getattr(data, part).y)
        if not len(y) or len(y) * numbers_kept(program) > MOST_NUMBERS:
            continue
        missing = [
            name
            for metric in program.metrics
            for name, value in _values(program, metric, y).items()
            if not math.isfinite(value)
        ]
        if missing:
            notes.append(
                f"{', '.join(missing)} may not be defined on the {part} part ({len(y)} samples), "
                "as where a class has none; then it is not recorded there"
            )
    taken = [metric.recorded for metric in program.metrics if metric.of_probabilities]
    if taken and not isinstance(program.loss, CrossEntropy):
        notes.append(
            f"metrics {', '.join(taken)} take softmax(out) for probabilities, which only "
            f"CrossEntropy trains, got loss {program.loss.name}"
        )
    kept = program.largest_part() * numbers_kept(program) * program.dtype.itemsize
    if keeps_outputs(program.metrics) and kept > HUGE:
        names = ", ".join(metric.recorded for metric in program.metrics)
        notes.append(
            f"of metrics {names} some need all outputs of a part at once: up to "
            f"{kept / 2**30:.1f} GiB for each member of a cohort"
        )
    return notes


def _values(program: Program, metric: Metric, y: torch.Tensor) -> dict[str, float]:
    """Return what a metric gives for random outputs beside these targets.

    Raises:
        HarnessError: the metric fails.
    """
    shape = y.shape[1:]
    if are_tokens(y):
        shape = torch.Size(outputs_for(tuple(shape), load_data(program.recipe.data).outputs))
    drawn = numpy_stream(0, "metric trial").standard_normal((1, len(y), *shape))
    out = torch.as_tensor(drawn, dtype=program.dtype, device=y.device)
    part = f"recipe.metrics: {metric.name}"
    with limited(part), in_words(part):
        values = metric.measure(scored_by(program, out, y))
    return {name: float(value_K[0]) for name, value_K in values.items()}
