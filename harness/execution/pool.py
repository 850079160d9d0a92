"""Jobs to an executor and back.

They are halved when they fail, tried again when an executor breaks, and counted while they run.
What goes wrong with a run ends as that run's outcome and never as an exception of the pool.
"""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from harness.core.records import Outcome
from harness.core.temporary import marked
from harness.execution.given import GivenExecutor
from harness.execution.jobs import Done, Job, perform
from harness.execution.local import Serial
from harness.execution.own_runs import OwnRuns
from harness.execution.signals import GRACE

SLOTS = 100_000
"""Counters of a board, one a job: far more than jobs run at a time, so that one is used again only
when its job is long over. They take less than a megabyte."""
TICK = 0.2
"""Seconds between two looks at the counters: as often as a person sees a number change."""

_Argument = TypeVar("_Argument")
_Returned = TypeVar("_Returned")


class Pool:
    """Trains jobs on an executor, as a context: the workers end with it.

    Args:
        make: makes the executor, and makes another when it has broken: those that users give may
            do so when a worker dies.
        tick: called about five times a second while :meth:`run` waits, with the updates that all
            jobs have made so far.
        own: runs of a user's own trainers at a time, each in a process of its own.
    """

    def __init__(
        self,
        make: Callable[[], Executor],
        tick: Callable[[int], None] = lambda updates: None,
        own: int = 1,
    ) -> None:
        self.make, self.tick, self.board = make, tick, Board()
        self.executor = make()
        self.own_runs = OwnRuns(own)
        self._ended = False
        self.saving: set[Future[Done]] = set()
        """Jobs under way whose checkpoints are worth waiting for when the driver ends."""
        # twice what is trained at a time: no worker waits for the next job
        self.ahead, self.own = max(8, 2 * own), own

    @property
    def elsewhere(self) -> bool:
        """Whether the workers may be on other machines."""
        return isinstance(self.executor, GivenExecutor)

    @property
    def on_this_machine(self) -> bool:
        """Whether there are worker processes, and all of them are of this machine."""
        return not self.elsewhere and not isinstance(self.executor, Serial)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End the workers at once, whatever they do: no results are lost that are not lost anyway;
        nothing where they have ended.

        Outcomes have been handed to the caller as their jobs ended. Half a job leaves a checkpoint
        where it has any, for which it is given some seconds after an error or Ctrl-C.
        """
        if self._ended:
            return
        self._ended = True
        if kind is not None and self.saving:
            self.board.stop()
            wait(self.saving, GRACE)
        self.own_runs.close()
        self.executor.shutdown()
        self.board.close()

    def run(
        self, jobs: Iterable[Job], hopeless: Callable[[Job], str] = lambda job: ""
    ) -> Iterator[tuple[Job, Done]]:
        """Yield jobs with what became of them, as they end and not in the order given.

        A job of several runs that fails (out of memory, or one bad run) comes back as its two
        halves, each trained from the start; so a bad run is found in as many steps as the cohort's
        size has binary digits, and the others end. A single run that fails comes back with an
        outcome that says so.

        Args:
            jobs: what is to be trained; asked for one more when there is room for it.
            hopeless: asked before a job starts; returns why it is not to be tried, or nothing.

        Yields:
            The job, or what a failed one was cut into, and its end.
        """
        todo, waiting = iter(jobs), deque[Job]()
        futures: dict[Future[Done], Job] = {}
        while self._fill(waiting, todo, len(futures)) or futures:
            # few at a time, so that what has become hopeless meanwhile is not tried
            while self._fill(waiting, todo, len(futures)) and len(futures) < self._most_ahead(
                waiting[0]
            ):
                job = waiting.popleft()
                if reason := hopeless(job):
                    yield job, _or_failed(job, Done({}, None, reason))
                    continue
                try:
                    futures[self._submit(job)] = job
                except BrokenExecutor:  # a worker has died since: its job comes back below
                    waiting.appendleft(job)
                    break
            if not futures:
                self._mend(waiting)
                continue
            ended, _ = wait(futures, timeout=TICK, return_when=FIRST_COMPLETED)
            self.tick(self.board.total())
            orphans: list[Job] = []
            for future in ended:
                job = futures.pop(future)
                self.saving.discard(future)
                try:
                    done = future.result()
                except BrokenExecutor:
                    orphans.append(job)
                    continue
                if done.error and len(job.runs) > 1:
                    waiting.extendleft(reversed(job.halves()))
                else:
                    yield job, _or_failed(job, done)
            if orphans:
                # A dead worker breaks its whole executor: what was waiting or running there is lost
                # with it, and nobody says which job killed the worker.
                lost = [future for future, job in futures.items() if not job.own]
                self.saving.difference_update(lost)
                orphans += [futures.pop(future) for future in lost]
                yield from self._one_by_one(orphans)

    def _most_ahead(self, job: Job) -> int:
        """Return how many jobs may wait or run for this one to be submitted: without workers one is
        trained at once; a user's own needs no worker, and starts within milliseconds."""
        return self.own if job.own else self._workers_ahead()

    def _workers_ahead(self) -> int:
        if isinstance(self.executor, GivenExecutor):  # its workers may come and go
            return self.executor.ahead
        return 1 if isinstance(self.executor, Serial) else self.ahead

    def _fill(self, waiting: deque[Job], todo: Iterator[Job], under_way: int) -> bool:
        """Return whether jobs wait, after asking for one where none does and there is room."""
        if not waiting and under_way < max(self.own, self._workers_ahead()):
            waiting.extend(islice(todo, 1))
        return bool(waiting)

    def _mend(self, waiting: Collection[Job]) -> None:
        """Make another executor where jobs wait and none was taken: this one is broken."""
        if waiting:
            self.executor = self.make()

    def alone(
        self, call: Callable[[_Argument], _Returned], argument: _Argument
    ) -> _Returned | None:
        """Return what a call returns in a worker while the others have nothing to do.

        Recipes are timed so; :meth:`run` must not be under way.

        Args:
            call: a function that can be pickled.
            argument: what it is called with.

        Returns:
            What it returns; None if it raises or its worker dies, since a recipe that can't be
            timed lacks its time and no more.
        """
        for _ in range(2):  # workers may have died before, while they had nothing to do
            try:
                return self.executor.submit(call, argument).result()
            except BrokenExecutor:
                self.executor = self.make()
            except (Exception, SystemExit):
                break
        return None

    def _one_by_one(self, orphans: Iterable[Job]) -> Iterator[tuple[Job, Done]]:
        """Train the jobs that a dead worker left, one at a time and each in workers of its own.

        So the one that kills its worker is found, and the others end.
        """
        # in a fixed order: futures end, and so arrive here, in any
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
        counted = job._replace(board=self.board.path, slot=self.board.slot())
        # a run of a user's own has a process of its own, which is watched from this one
        if job.own:
            return self.own_runs.submit(counted)
        future = self.executor.submit(perform, counted)
        if job.saving:
            self.saving.add(future)
        return future


def _or_failed(job: Job, done: Done) -> Done:
    """Return a job's end; an error becomes an outcome ``failed`` of each of its runs."""
    if not done.error:
        return done
    failed = {member: Outcome("failed", (), {}, done.error) for member in job.members}
    return Done(failed, notes=done.notes)


class Board:
    """Counters of updates, in a file that workers write and the driver reads.

    A file that all of them map into memory works for any executor on the machine. Each job has a
    counter of its own, so that no two processes write to one; the last is the driver's, and is not
    0 when it ends. The driver may read an older number while a worker writes, but never half of
    one: a counter is one machine word.
    """

    def __init__(self) -> None:
        # numpy opens the file by its name: the open handle is not needed
        handle, name = tempfile.mkstemp(prefix=marked("harness-progress", tempfile.gettempdir()))
        try:
            # now, and not when a counter is first used: of a full disk a map can't tell, and ends
            # the process
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(handle, 0, 8 * (SLOTS + 1))
        except OSError as error:
            os.unlink(name)
            raise OSError(error.errno, error.strerror, name) from None
        finally:
            os.close(handle)
        self.path, self.jobs, self.earlier = Path(name), 0, 0
        # one more than there are counters: the last says that the driver ends
        self.counts = np.memmap(self.path, dtype=np.int64, mode="w+", shape=(SLOTS + 1,))

    def slot(self) -> int:
        """Return the number of a counter for a new job.

        Numbers come round after ``SLOTS`` jobs; what was counted there before is kept.
        """
        slot = self.jobs % (len(self.counts) - 1)
        self.jobs += 1
        self.earlier += int(self.counts[slot])
        self.counts[slot] = 0
        return slot

    def total(self) -> int:
        """Return the updates of all jobs so far, counted over members.

        Only counters that were given out are read, so that the rest of the file takes no memory.
        """
        return self.earlier + int(self.counts[:-1][: self.jobs].sum())

    def stop(self) -> None:
        """Tell the workers that the driver ends: jobs with checkpoints write one and stop."""
        self.counts[-1] = 1

    def close(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)
