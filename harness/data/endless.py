"""Samples that only come one after the other: iterable data sets, of which nobody knows an end.

A data set is read in shards, each under generators of its own: what it draws, and what comes when,
follows from (run seed, pass, shard) alone. Batches are of one shard each, by turns, so that a run
has the same numbers with any number of workers. To go on in the middle, what had been read is read
again.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from harness.core.errors import HarnessError
from harness.data.shards import Order, Shard
from harness.data.streams import (
    ENDLESS,
    Encoding,
    Failed,
    ReadBatch,
    begin_worker,
    no_sudden_errors,
    read_numbers,
)


class EndlessStream(NamedTuple):
    """A training part whose samples come one after the other; the same to the engine as a
    :class:`~harness.data.streams.SampleStream`."""

    name: str
    """Of the data, for errors."""
    dataset: Any
    """An ``IterableDataset``, or a function that returns an iterator, of samples (x, y)."""
    collate: Callable[[list[Any]], Any]
    """Makes a batch of a list of samples."""
    encoding: Encoding
    transform: Callable[[Any], Any] | None
    """Changes inputs that are trained on."""
    seed: int
    """The data's own, under which samples are read that are not trained on."""
    workers: int
    shards: int
    limit: int = ENDLESS
    """How many samples a part of it has: the first ones."""

    @property
    def size(self) -> int:
        """Number of samples; ``ENDLESS`` of the whole."""
        return self.limit

    def part(self, rows: np.ndarray) -> EndlessStream:
        """Return the first samples, as many as are asked for: none can be chosen.

        Args:
            rows: as many as are wanted.
        """
        return self._replace(limit=len(rows))

    def shard(self, place: int, order: Order) -> Shard:
        """Return one of its shards, at the start.

        Args:
            place: of the shard, from 0.
            order: which samples.
        """
        return Shard(self.dataset, self.transform, place, self.shards, order)

    def plain(self, chunk: int) -> Iterator[ReadBatch]:
        """Yield the first samples of the first pass, by turns of the shards and untransformed; as
        many as the part has, or fewer where the pass ends before.

        Args:
            chunk: samples at a time.

        Raises:
            HarnessError: a sample can't be read.
        """
        turns = self._first_pass(train=False)
        for at in range(0, self.limit, chunk):
            samples = self._checked(turns, min(chunk, self.limit - at))
            if samples:
                yield self._batch(samples)
            if len(samples) < chunk:
                return

    def first(self, number: int, train: bool = False) -> ReadBatch:
        """Return the first samples, read here.

        Args:
            number: how many; fewer where there are not so many.
            train: whether they are transformed.

        Raises:
            HarnessError: a sample can't be read, or there is none.
        """
        turns = self._first_pass(train)
        samples = self._checked(turns, number)
        if not samples:
            raise HarnessError(f"data {self.name}: expected samples, got an iterator without any")
        return self._batch(samples)

    def _first_pass(self, train: bool) -> Iterator[Any]:
        """Yield the samples of the first pass, each shard's by turns."""
        left = [self.shard(shard, Order(self.seed, False)) for shard in range(self.shards)]
        while left:
            for shard in [*left]:
                own = shard.take(1, train, passes=1)
                if own:
                    yield own[0]
                else:
                    left.remove(shard)

    def batches(self, size: int, order: Order, start: int) -> Iterator[ReadBatch]:
        """Yield batches of transformed samples without an end; workers read ahead.

        The workers end with the iterator.

        Args:
            size: samples of a batch.
            order: which samples.
            start: the first batch; those before are read and left out.

        Raises:
            HarnessError: a sample can't be read, or a worker died.
        """
        reader = _Reader(self, size, order, start)
        for got in self._ahead(reader) if self.workers else reader:
            if isinstance(got, Failed):
                raise HarnessError(f"data {self.name}: {got.reason}")
            yield got

    def _ahead(self, reader: _Reader) -> Iterator[ReadBatch | Failed]:
        """Yield what workers have read.

        Raises:
            HarnessError: a worker died.
        """
        # as many as share the shards evenly, so that a shard stays with one of them
        workers = max(n for n in range(1, self.workers + 1) if self.shards % n == 0)
        loader: Any = DataLoader(
            reader,
            batch_size=None,
            num_workers=workers,
            collate_fn=_as_it_is,
            worker_init_fn=begin_worker,
            multiprocessing_context="fork" if sys.platform == "linux" else "spawn",
            generator=torch.Generator(),
        )
        with no_sudden_errors():
            batches = iter(loader)
        try:
            yield from batches
        except (RuntimeError, OSError, EOFError) as error:
            said = (str(error).splitlines() or [type(error).__name__])[0]
            raise HarnessError(
                f"data {self.name}: a worker that reads samples ended: {said}; it was killed, as "
                "for want of memory, or left by itself: stream.workers: 0 may tell more"
            ) from error

    def _checked(self, samples: Iterator[Any], number: int) -> list[Any]:
        """Return the next samples, read here; as many as there are of so many.

        Raises:
            HarnessError: one can't be read.
        """
        try:
            return [sample for _, sample in zip(range(number), samples, strict=False)]
        except Exception as error:  # any: the data set is a user's
            raise HarnessError(f"data {self.name}: {_why(error)}") from error

    def _batch(self, samples: list[Any]) -> ReadBatch:
        """Return samples as a batch.

        Raises:
            HarnessError: they make none.
        """
        try:
            x, y = self.collate(samples)
            return ReadBatch(read_numbers("x", x), self.encoding(read_numbers("y", y)))
        except Exception as error:
            raise HarnessError(f"data {self.name}: {_why(error)}") from error


def check_shards(stream: EndlessStream) -> None:
    """Refuse shards that give the same samples: each would be trained on several times.

    Args:
        stream: the training part.

    Raises:
        HarnessError: the first samples of the first two shards are the same.
    """
    if stream.shards == 1:
        return
    x = stream.first(2).x
    if len(x) == 2 and torch.equal(x[0], x[1]):
        raise HarnessError(
            f"data {stream.name}: expected other samples in each of its {stream.shards} shards, got"
            " the same; share them out by torch.utils.data.get_worker_info(), or in a function by"
            " its arguments shard and shards"
        )


class _Reader(IterableDataset[ReadBatch | Failed]):
    """Yields batches, in a worker or here: in a worker those that are its own.

    Args:
        stream: where samples come from.
        size: samples of a batch.
        order: which samples.
        start: the first batch.
    """

    def __init__(self, stream: EndlessStream, size: int, order: Order, start: int) -> None:
        self.stream, self.size, self.order, self.start = stream, size, order, start

    def __iter__(self) -> Iterator[ReadBatch | Failed]:
        info = get_worker_info()
        own, workers = (0, 1) if info is None else (info.id, info.num_workers)
        stream, shards = self.stream, dict[int, Shard]()
        for number in count(self.start + own, workers):
            place = number % stream.shards
            try:
                if place not in shards:
                    shards[place] = stream.shard(place, self.order)
                    # batches of this shard before the first one that is wanted
                    before = len(range(place, number, stream.shards))
                    shards[place].skip(before * self.size)
                yield stream._batch(shards[place].take(self.size, train=True))
            except Exception as error:  # any: the data set is a user's
                yield Failed(_why(error))
                return


def _as_it_is(batch: Any) -> Any:
    return batch


def _why(error: Exception) -> str:
    """Return why samples can't be read, with the line."""
    if isinstance(error, HarnessError):
        return str(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    return f"reading samples failed: {type(error).__name__}: {error} ({place})"
