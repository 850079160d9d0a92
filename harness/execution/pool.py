"""Jobs to an executor and back: halved when they fail, tried again when a worker dies, counted while they run."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from loky import ProcessPoolExecutor

from harness.core.records import Outcome
from harness.execution.jobs import Done, Job, perform

Result = TypeVar("Result")
SLOTS = 100_000
TICK = 0.2
"""Seconds between two looks at the counters."""


class Pool:
    """Trains jobs on an executor.

    Args:
        make: makes the executor, and makes another when a worker has died.
        tick: called about five times a second with the updates made by all jobs so far.
    """

    def __init__(
        self, make: Callable[[], Executor], tick: Callable[[int], None] = lambda updates: None
    ) -> None:
        self.make, self.tick, self.board = make, tick, Board()
        self.executor = make()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        """End the workers at once, whatever they do: they keep nothing that is missed."""
        if isinstance(self.executor, ProcessPoolExecutor):
            self.executor.shutdown(wait=True, kill_workers=True)
        else:
            self.executor.shutdown()
        self.board.close()

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Done]]:
        """Yield each job with what became of it, as they end.

        A job of several runs that fails (out of memory, or one bad run) comes back as its two halves, each trained
        anew; a single run that fails comes back with an outcome that says so.
        """
        futures = {self._submit(job): job for job in jobs}
        while futures:
            ended, _ = wait(futures, timeout=TICK, return_when=FIRST_COMPLETED)
            self.tick(self.board.total())
            orphans: list[Job] = []
            for future in ended:
                job = futures.pop(future)
                try:
                    done = future.result()
                except BrokenExecutor:
                    orphans.append(job)
                    continue
                if done.error and len(job.runs) > 1:
                    futures |= {self._submit(half): half for half in job.halves()}
                else:
                    yield job, _or_failed(job, done)
            if orphans:
                orphans += futures.values()
                futures = {}
                yield from self._one_by_one(orphans)

    def alone(self, call: Callable[[Any], Result], argument: Any) -> Result | None:
        """Return the result of a call in a worker while no other has anything to do; None if it fails."""
        try:
            return self.executor.submit(call, argument).result()
        except BrokenExecutor:
            self.executor = self.make()
        except Exception:
            pass
        return None

    def _one_by_one(self, orphans: Iterable[Job]) -> Iterator[tuple[Job, Done]]:
        """Train the jobs that a dead worker left, alone, so that the one that kills its worker is found."""
        for job in sorted(orphans, key=lambda job: job.members):
            self.executor.shutdown(wait=False)
            self.executor = self.make()
            try:
                done = self._submit(job).result()
            except BrokenExecutor:
                done = Done({}, None, "the worker process died (out of memory, or killed)")
            if done.error and len(job.runs) > 1:
                yield from self._one_by_one(job.halves())
            else:
                yield job, _or_failed(job, done)

    def _submit(self, job: Job) -> Future[Done]:
        return self.executor.submit(
            perform, job._replace(board=self.board.path, slot=self.board.slot())
        )


def _or_failed(job: Job, done: Done) -> Done:
    if not done.error:
        return done
    return Done({member: Outcome("failed", (), {}, done.error) for member in job.members})


class Board:
    """Counters in a file that workers write and the driver reads."""

    def __init__(self) -> None:
        handle, name = tempfile.mkstemp(prefix="harness-", suffix=".progress")
        os.close(handle)
        self.path, self.next = Path(name), 0
        self.counts = np.memmap(self.path, dtype=np.int64, mode="w+", shape=(SLOTS,))

    def slot(self) -> int:
        """Return a counter for a new job."""
        self.next = (self.next + 1) % SLOTS
        return self.next

    def total(self) -> int:
        """Return the sum of all counters."""
        return int(self.counts[: self.next + 1].sum())

    def close(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)
