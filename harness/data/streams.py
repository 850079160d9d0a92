"""Samples that are read when they are trained on: data larger than memory, and random transforms.

Each sample is read under seeds of its own, of torch's, NumPy's and Python's global generators: what
a data set or a transform draws follows from (seed, epoch, sample) alone, and neither from which
process reads it nor from what was read before. So a run has the same numbers with any number of
workers, and goes on in the middle without anything of the loader's being kept.
"""

from __future__ import annotations

import random
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.core.errors import HarnessError
from harness.core.lazy import Lazy
from harness.core.streams import derive

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")

ENDLESS = 2**53
"""Samples of a training part of which nobody knows an end: more than any run uses."""
PIECE = 128
"""Samples that are read at once for an evaluation."""
FEW_PIECES = 4
"""Pieces below which an evaluation starts no workers."""


class Wanted(NamedTuple):
    """Samples of one batch, and the seed that they are read under."""

    rows: Sequence[int]
    seed: int
    epoch: int
    """Which reading of the part it is; all evaluations are one."""
    train: bool
    """Whether they are trained on, and so transformed."""


class ReadBatch(NamedTuple):
    """Inputs (B, *shape) and targets as the engine takes them."""

    x: Tensor
    y: Tensor


class Failed(NamedTuple):
    """Why a batch could not be read: not every exception can be sent by a worker."""

    reason: str


class Encoding(NamedTuple):
    """How targets of samples become those of a batch."""

    classes: int = 0
    """One-hot of so many; 0 for numbers and tokens."""
    tokens: int = 0
    """Classes of whole-numbered targets that stay such."""

    def __call__(self, y: Tensor) -> Tensor:
        """Return targets (B, D) in float64, or tokens (B, *S).

        Raises:
            ValueError: a class is out of range.
        """
        count = self.classes or self.tokens
        if not count:
            return (y[:, None] if y.ndim == 1 else y).to(torch.float64)
        if self.classes and len(y) and (int(y.min()) < 0 or int(y.max()) >= count):
            raise ValueError(
                f"expected classes 0 … {count - 1}, got {int(y.min())} … {int(y.max())}; set"
                " stream.classes"
            )
        if self.tokens:
            return y.to(torch.int64)
        return torch.nn.functional.one_hot(y.long(), count).to(torch.float64)


class SampleStream(NamedTuple):
    """A part of the data whose samples are read when they are needed."""

    name: str
    """Of the data, for errors."""
    dataset: Any
    """Map-style: samples (x, y) by number."""
    rows: np.ndarray
    """Which of its samples are of this part, in the order of the part."""
    collate: Callable[[list[Any]], Any]
    """Makes a batch of a list of samples."""
    encoding: Encoding
    transform: Callable[[Any], Any] | None
    """Changes inputs that are trained on."""
    seed: int
    """The data's own, under which samples are read that are not trained on."""
    workers: int

    @property
    def size(self) -> int:
        """Number of samples."""
        return len(self.rows)

    def part(self, rows: np.ndarray) -> SampleStream:
        """Return some of the samples, as a part of their own.

        Args:
            rows: numbers of samples of this part.
        """
        return self._replace(rows=self.rows[rows])

    def plain(self, chunk: int) -> Iterator[ReadBatch]:
        """Yield all samples in order and untransformed, some at a time.

        Args:
            chunk: samples at a time.

        Raises:
            HarnessError: a sample can't be read.
        """
        # workers share the pieces of a chunk, and are not worth starting for a few
        pieces = [
            [rows[first : first + PIECE] for first in range(0, len(rows), PIECE)]
            for rows in (range(self.size)[at : at + chunk] for at in range(0, self.size, chunk))
        ]
        count = sum(map(len, pieces))
        reader = self if count >= FEW_PIECES else self._replace(workers=0)
        read = reader.batches(Wanted(rows, self.seed, 0, False) for own in pieces for rows in own)
        for own in pieces:
            pairs = [next(read) for _ in own]
            yield ReadBatch(*(torch.cat(each) for each in zip(*pairs, strict=True)))

    def first(self, count: int, train: bool = False) -> ReadBatch:
        """Return the first samples, read here.

        Args:
            count: how many; fewer where there are not so many.
            train: whether they are transformed.

        Raises:
            HarnessError: a sample can't be read.
        """
        wanted = Wanted(range(min(count, self.size)), self.seed, 0, train)
        return next(self._replace(workers=0).batches([wanted]))

    def batches(self, wanted: Iterable[Wanted]) -> Iterator[ReadBatch]:
        """Yield batches in the order in which they are wanted; workers read ahead.

        The workers end with the iterator.

        Args:
            wanted: what to read; asked for more than has been yielded where there are workers.

        Raises:
            HarnessError: a sample can't be read, or a worker died.
        """
        read = self._ahead(wanted) if self.workers else map(_Reader(self), wanted)
        for got in read:
            if isinstance(got, Failed):
                raise HarnessError(f"data {self.name}: {got.reason}")
            yield got

    def _ahead(self, wanted: Iterable[Wanted]) -> Iterator[ReadBatch | Failed]:
        """Yield what workers have read.

        Raises:
            HarnessError: a worker died.
        """
        from torch.utils.data import DataLoader

        loader: Any = DataLoader(
            _Reader(self),  # type: ignore[arg-type]  # only indexed
            batch_size=None,
            sampler=wanted,
            num_workers=self.workers,
            collate_fn=_as_it_is,
            worker_init_fn=begin_worker,
            # by name: in the harness's own workers the default is loky's, which can't start these
            multiprocessing_context="fork" if sys.platform == "linux" else "spawn",
            # a worker's base seed would be drawn from torch's global generator
            generator=torch.Generator(),
        )
        with no_sudden_errors():
            batches = iter(loader)
        try:
            yield from batches
        # torch's word for a worker that was killed, or what comes of memory that it shared
        except (RuntimeError, OSError, EOFError) as error:
            said = (str(error).splitlines() or [type(error).__name__])[0]
            raise HarnessError(
                f"data {self.name}: a worker that reads samples ended: {said}; it was killed, as "
                "for want of memory, or left by itself: stream.workers: 0 may tell more"
            ) from error


@contextmanager
def no_sudden_errors() -> Iterator[None]:
    """Keep torch's handler of dead children out, which raises wherever this process is; who waits
    for a batch is told within seconds in any case."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGCHLD)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, before)


class _Reader:
    """Reads batches, in a worker or here."""

    def __init__(self, stream: SampleStream) -> None:
        self.stream = stream

    def __len__(self) -> int:
        return self.stream.size

    def __getitem__(self, wanted: Wanted) -> ReadBatch | Failed:
        return self(wanted)

    def __call__(self, wanted: Wanted) -> ReadBatch | Failed:
        """Return a batch, or why there is none; the global generators stay as they were."""
        what = ""
        try:
            samples = []
            with own_generators():
                for row in wanted.rows:
                    what = f"reading sample {row}"
                    seed_generators(derive(wanted.seed, "sample", wanted.epoch, int(row)))
                    samples.append(self._sample(int(row), wanted.train))
            what = f"making a batch of samples {wanted.rows[0]} … {wanted.rows[-1]}"
            x, y = self.stream.collate(samples)
            return ReadBatch(read_numbers("x", x), self.stream.encoding(read_numbers("y", y)))
        except Exception as error:  # any: the data set is a user's
            frame = traceback.extract_tb(error.__traceback__)[-1]
            said = f"{type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})"
            return Failed(f"{what} failed: {said}")

    def _sample(self, row: int, train: bool) -> tuple[Any, Any]:
        """Return a sample, transformed if it is trained on.

        Raises:
            ValueError: it is no pair.
        """
        sample = self.stream.dataset[int(self.stream.rows[row])]
        if not isinstance(sample, (tuple, list)) or len(sample) != 2:
            raise ValueError(f"expected a pair (x, y), got a {type(sample).__name__}")
        x, y = sample
        if train and self.stream.transform is not None:
            x = self.stream.transform(x)
        return x, y


def read_numbers(name: str, value: Any) -> Tensor:
    """Return a batch's inputs or targets.

    Raises:
        TypeError: they are no numbers.
    """
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return torch.as_tensor(value)
    of = f" of {type(value[0]).__name__}" if isinstance(value, (list, tuple)) and value else ""
    raise TypeError(
        f"expected {name} as numbers, arrays or tensors of one shape, got a "
        f"{type(value).__name__}{of}"
    )


def _as_it_is(batch: Any) -> Any:
    return batch


def begin_worker(worker: int) -> None:
    """Let a signal end a worker, whatever the process that it was made by does with signals."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def own_generators() -> Iterator[None]:
    """Put the global generators back as they were, on the CPU: nothing else may depend on them."""
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])


def seed_generators(seed: int) -> None:
    """Seed the global generators that a user's code draws from."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    # not torch.manual_seed, which would touch the generators of GPUs
    torch.default_generator.manual_seed(seed)
