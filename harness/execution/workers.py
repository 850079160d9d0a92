"""Worker processes on this machine, each with an executor of its own.

Executors of several processes, loky's and the standard library's, break as a whole when one of
their processes dies: all calls under way are lost, and nobody says which of them killed it. Here a
death costs the call that its worker had, which is made again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import Any, Protocol

from harness.core.error_words import error_in_words
from harness.execution.given import TRIES
from harness.execution.jobs import Done, Job, words_of
from harness.execution.worker_died import WorkerDiedError


class Process(Protocol):
    """A worker's process."""

    @property
    def dead(self) -> bool:
        """Whether it has ended."""

    def call(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Return what a call returns in it.

        Raises:
            WorkerDiedError: it has ended.
        """

    def end(self) -> None:
        """End it at once, whatever it does."""


class Worker:
    """One process, and another in its place when it has died.

    Args:
        make: starts a process.
    """

    def __init__(self, make: Callable[[], Process]) -> None:
        self.make, self.process = make, make()
        self._lock, self._ended = threading.Lock(), False

    def call(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Return what a call returns in the process.

        Raises:
            WorkerDiedError: the process died; the next call has another one.
        """
        if self.process.dead:  # while it had nothing to do
            self._renew()
        try:
            return self.process.call(fn, args)
        except WorkerDiedError:
            self._renew()
            raise

    def _renew(self) -> None:
        """Take another process, unless it is to end."""
        with self._lock:
            if not self._ended:
                self.process = self.make()

    def end(self) -> None:
        """End the process at once, whatever it does."""
        with self._lock:
            self._ended = True
        self.process.end()


class Workers(Executor):
    """Makes as many calls at a time as there are worker processes.

    Args:
        count: number of processes.
        make: starts a process, given the worker's number.
        ended: called when all of them have ended.
    """

    def __init__(
        self,
        count: int,
        make: Callable[[int], Process],
        ended: Callable[[], object] = lambda: None,
    ) -> None:
        self.ended = ended
        self.workers = [Worker(partial(make, number)) for number in range(count)]
        self._idle: SimpleQueue[Worker] = SimpleQueue()
        for worker in self.workers:
            self._idle.put(worker)
        # one thread a process, which waits for its call
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="worker")

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        """Make a call in the next worker that has nothing to do.

        Returns:
            Its result; a job's is a :class:`Done` also where its workers die. Of another call the
            future has a RuntimeError then.
        """
        return self._threads.submit(self._call, fn, args)

    def _call(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        worker, died, how = self._idle.get(), 0, ""
        job = args[0] if args and isinstance(args[0], Job) else None
        try:
            while died < TRIES:
                try:
                    return _told(worker.call(fn, args), died)
                except WorkerDiedError as error:
                    died, how = died + 1, error.how
                    if job and (words := _last_words(job)):  # it would end so again
                        return Done({}, None, words)
        except Exception as error:  # the job or its end can't be sent: no fault of the others
            if job is None:
                raise
            return Done({}, None, error_in_words(error))
        finally:
            self._idle.put(worker)
        message = f"the worker process died {TRIES} times{how}"
        if job:
            return Done({}, None, message)
        raise RuntimeError(message)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = True) -> None:
        """End all processes at once, whatever they do; calls that have not begun are taken back."""
        self._threads.shutdown(wait=False, cancel_futures=cancel_futures)
        for worker in self.workers:
            worker.end()
        self.ended()
        self._threads.shutdown(wait=wait)


def _told(result: object, died: int) -> object:
    """Return a call's result; a job's says how many workers it cost."""
    if not died or not isinstance(result, Done):
        return result
    times = f"{died} times" if died > 1 else "once"
    note = f"a worker process died {times}: its cohort was trained again"
    return result._replace(notes=(*result.notes, note))


def _last_words(job: Job) -> str:
    """Return why a worker ended itself with a job, and forget it; empty where it did not."""
    words = words_of(job)
    if words is None or not words.exists():
        return ""
    said = words.read_text(encoding="utf-8")
    words.unlink()
    return said
