"""One shard of an iterable data set, pass after pass."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.data import IterableDataset
from torch.utils.data._utils import worker as torch_worker

from harness.core.streams import derive
from harness.data.streams import own_generators, seed_generators
from harness.spec.calls import parameters_of


class Order(NamedTuple):
    """Which samples a run reads."""

    seed: int
    again: bool
    """Whether every pass over the data is seeded as the first one was."""


class Shard:
    """One shard's samples, pass after pass, under generators of its own.

    Args:
        dataset: an ``IterableDataset``, or a function that returns an iterator.
        transform: changes inputs that are trained on.
        place: of the shard, from 0.
        shards: how many there are.
        order: how passes are seeded.
    """

    def __init__(
        self,
        dataset: Any,
        transform: Callable[[Any], Any] | None,
        place: int,
        shards: int,
        order: Order,
    ) -> None:
        # neither shards nor runs that one process reads may share what a data set keeps in itself
        own = isinstance(dataset, IterableDataset)
        self.dataset = copy.deepcopy(dataset) if own else dataset
        self.transform, self.place, self.shards, self.order = transform, place, shards, order
        self.passes, self.read = 0, 0
        self.iterator: Iterator[Any] | None = None
        self.generators: tuple[Any, ...] = ()

    def skip(self, number: int) -> None:
        """Read samples and leave them out; transforms draw as they did."""
        for _ in range(number):
            self.take(1, train=True)

    def take(self, number: int, train: bool, passes: int | None = None) -> list[Any]:
        """Return the next samples; fewer only where so many passes are over.

        Args:
            number: how many.
            train: whether they are transformed.
            passes: after which nothing more comes; by default there is no end.

        Raises:
            ValueError: a pass has no samples, or a sample is no pair.
        """
        samples: list[Any] = []
        with own_generators(), self._as_worker():
            if self.generators:
                _set_generators(self.generators)
            while len(samples) < number and self.passes != passes:
                if self.iterator is None:
                    self._begin()
                assert self.iterator is not None
                for sample in self.iterator:
                    samples.append(self._transformed(sample, train))
                    self.read += 1
                    if len(samples) == number:
                        break
                else:
                    self._end()
            self.generators = _generators()
        return samples

    def _begin(self) -> None:
        """Begin a pass."""
        number = 0 if self.order.again else self.passes
        seed_generators(derive(self.order.seed, "shard", number, self.place))
        make, self.read = self.dataset, 0
        if isinstance(make, IterableDataset):
            self.iterator = iter(make)
            return
        offered = {"shard": self.place, "shards": self.shards}
        taken = parameters_of(make)
        self.iterator = iter(make(**{n: value for n, value in offered.items() if n in taken}))

    def _end(self) -> None:
        """End a pass.

        Raises:
            ValueError: it had no samples, so that there would never be any.
        """
        if not self.read:
            raise ValueError(f"expected samples, got none in pass {self.passes}")
        self.passes, self.iterator = self.passes + 1, None

    def _transformed(self, sample: Any, train: bool) -> tuple[Any, Any]:
        if not isinstance(sample, (tuple, list)) or len(sample) != 2:
            raise ValueError(f"expected a pair (x, y), got a {type(sample).__name__}")
        x, y = sample
        if train and self.transform is not None:
            x = self.transform(x)
        return x, y

    @contextmanager
    def _as_worker(self) -> Iterator[None]:
        """Let ``torch.utils.data.get_worker_info`` tell the shard, by which iterable data sets know
        what is theirs; whoever reads it, and None where there is one."""
        before, shards = torch_worker._worker_info, self.shards
        info = torch_worker.WorkerInfo(
            id=self.place, num_workers=shards, seed=torch.initial_seed(), dataset=self.dataset
        )
        torch_worker._worker_info = info if shards > 1 else None
        try:
            yield
        finally:
            torch_worker._worker_info = before


def _generators() -> tuple[Any, ...]:
    return random.getstate(), np.random.get_state(), torch.get_rng_state()


def _set_generators(states: tuple[Any, ...]) -> None:
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.set_rng_state(states[2])
