"""Worker processes on this machine, each with an executor of its own.

Executors of several processes, loky's and the standard library's, break as a whole when one of
their processes dies: all calls under way are lost, and nobody says which of them killed it. Here a
death costs the call that its worker had, which is made again.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import Any

from loky import ProcessPoolExecutor

from harness.execution.given import TRIES
from harness.execution.jobs import Done, Job, words_of


class Worker:
    """One process, and another in its place when it has died.

    Args:
        make: makes an executor of one process, which starts with its first call.
    """

    def __init__(self, make: Callable[[], ProcessPoolExecutor]) -> None:
        self.make, self.executor = make, make()
        self._lock, self._ended = threading.Lock(), False

    def call(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Return what a call returns in the process.

        Raises:
            BrokenExecutor: the process died; the next call has another one.
        """
        try:
            future = self.executor.submit(fn, *args)
        except BrokenExecutor:  # it died while it had nothing to do
            self._renew()
            future = self.executor.submit(fn, *args)
        try:
            return future.result()
        except BrokenExecutor:
            self._renew()
            raise

    def _renew(self) -> None:
        """Take another process, unless it is to end."""
        with self._lock:
            if not self._ended:
                self.executor = self.make()

    def end(self) -> None:
        """End the process at once, whatever it does."""
        with self._lock:
            self._ended = True
        self.executor.shutdown(wait=True, kill_workers=True)


class Workers(Executor):
    """Makes as many calls at a time as there are worker processes.

    Args:
        count: number of processes.
        make: makes an executor of one process, given the worker's number.
        first: called once in each of them, before anything else.
    """

    def __init__(
        self, count: int, make: Callable[[int], ProcessPoolExecutor], first: Callable[[], object]
    ) -> None:
        self.workers = [Worker(partial(make, number)) for number in range(count)]
        self._idle: SimpleQueue[Worker] = SimpleQueue()
        for worker in self.workers:
            self._idle.put(worker)
        # one thread a process, which waits for its call
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="worker")
        for _ in self.workers:
            self.submit(first)

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
                except BrokenExecutor as error:
                    died, how = died + 1, _ending_of(error)
                    if job and (words := _last_words(job)):  # it would end so again
                        return Done({}, None, words)
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


def _ending_of(error: BrokenExecutor) -> str:
    """Return how a process ended, as far as its executor says so: by a signal or an exit code."""
    found = re.search(r"exit codes of the workers are \{(\w+)\((-?\d+)\)", str(error))
    if found is None:
        return ""
    if found[1] == "EXIT":
        return f" (exit code {found[2]}: does code of your own call os._exit?)"
    return f" (signal {found[1]}: out of memory, or killed)"
