"""Minibatches of data that are read when they are trained on, in the order of the run's stream."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

import numpy as np

from harness.core.streams import numpy_stream
from harness.data.endless import EndlessStream
from harness.data.shards import Order
from harness.data.streams import ReadBatch, Wanted
from harness.engine.placement import PlacedStream
from harness.engine.program import Program
from harness.engine.timetable import Timetable
from harness.engine.training_loss import Minibatch


def draw_order(seed: int, epoch: int, count: int, sequential: bool = False) -> np.ndarray:
    """Return the order of a part's samples in an epoch, (N,).

    Args:
        seed: the run's.
        epoch: counted from 0.
        count: samples, N.
        sequential: whether it is the source's order.
    """
    if sequential:
        return np.arange(count)
    return numpy_stream(seed, "order", epoch).permutation(count)


class _Reading:
    """Batches that are being read ahead, from some update on.

    Args:
        key: what they are batches of.
        step: the first.
        batches: where they come from.
    """

    def __init__(self, key: Hashable, step: int, batches: Iterator[ReadBatch]) -> None:
        self.key, self.step, self.batches = key, step, batches


_READING: dict[str, _Reading] = {}
"""What this process reads ahead, one run at most: its workers go on between evaluations."""


def read_batch(program: Program, stream: PlacedStream, seed: int, step: int) -> Minibatch:
    """Return the minibatch of an update of a lone run.

    Args:
        program: the length of an epoch, and the kind of order.
        stream: the run's training samples.
        seed: the run's.
        step: number of the update; asked for in their order it is fastest.

    Raises:
        HarnessError: a sample can't be read.
    """
    recipe, times, samples = program.recipe, program.times, stream.samples
    key = (id(samples.dataset), recipe.data, seed, times, recipe.batch_order)
    reading = _READING.pop("one", None)
    if reading is None or (reading.key, reading.step) != (key, step):
        _end(reading)
        if isinstance(samples, EndlessStream):
            order = Order(seed, recipe.batch_order != "reshuffled")
            batches = samples.batches(times.batch, order, step)
        else:
            wanted = _wanted(times, recipe.batch_order, samples.size, seed, step)
            batches = samples.batches(wanted)
        reading = _Reading(key, step, batches)
    # not kept if it raises
    x_B, y_BD = stream.placed(next(reading.batches))
    reading.step += 1
    if reading.step < times.steps:
        _READING["one"] = reading
    else:
        _end(reading)
    return Minibatch(x_B[None], y_BD[None])


def stop_reading() -> None:
    """End what is read ahead, with its workers."""
    _end(_READING.pop("one", None))


def _end(reading: _Reading | None) -> None:
    if reading is not None:
        reading.batches.close()  # type: ignore[attr-defined]  # it is a generator


def _wanted(times: Timetable, order: str, count: int, seed: int, step: int) -> Iterator[Wanted]:
    """Yield the samples of each update from a step to the end of the run."""
    drawn, rows = -1, np.arange(0)
    for at in range(step, times.steps):
        epoch, position = divmod(at, times.per_epoch)
        # the other kinds have one order for the run
        ordered = epoch if order == "reshuffled" else 0
        if ordered != drawn:
            drawn, rows = ordered, draw_order(seed, ordered, count, order == "sequential")
        batch = rows[position * times.batch : (position + 1) * times.batch]
        yield Wanted(batch.tolist(), seed, epoch, True)
