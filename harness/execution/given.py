"""Cohorts on any ``concurrent.futures.Executor``, whose workers may be on other machines.

To the pool it is one more executor. It sends a study's code to the workers that lack it, and a
cohort again where its worker was lost.
"""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from functools import partial
from typing import Any, NamedTuple

from harness.core.errors import HarnessError
from harness.execution.dask_cluster import DaskExecutor
from harness.execution.jobs import Done, Job, counter_of
from harness.execution.parcel import Parcel
from harness.execution.remote import Packed, Performed, Reply, answer, pack_call

TRIES = 3
"""Workers that a cohort may cost before it is taken for what kills them."""
CALLS_AHEAD = 32
"""Cohorts that an executor has at a time at least: clusters that grow go by what waits."""

AnyExecutor = Executor | Callable[[], Executor]
"""An executor, or what makes one, and makes another where its workers break it."""


class _Call(NamedTuple):
    """A call under way, and how often it has been sent."""

    promise: Future[Any]
    argument: object
    packed: Packed
    parcel: Parcel | None = None
    lost: int = 0


class GivenExecutor(Executor):
    """Gives calls to an executor that the harness has not made.

    Args:
        given: the executor, which is left open at the end, or what makes one, which is closed.
        parcel: the code that the calls need.
    """

    def __init__(self, given: AnyExecutor, parcel: Parcel) -> None:
        self.ours = not isinstance(given, Executor)
        self.inner: Executor = given if isinstance(given, Executor) else given()
        self.parcel = parcel
        self._sent: set[Future[Reply]] = set()
        self._lock = threading.Lock()
        self._closed = False

    @property
    def ahead(self) -> int:
        """Calls to be submitted at a time: as many as keep the workers that are there now busy."""
        workers = getattr(self.inner, "slots", None) or getattr(self.inner, "_max_workers", None)
        return max(CALLS_AHEAD, 2 * int(workers or os.cpu_count() or 1))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        """Make a call of one argument elsewhere.

        Returns:
            Its result; a job's is a :class:`Done` whatever goes wrong with its workers. An executor
            that is broken raises :class:`BrokenExecutor`, if another one can be made, and a
            :class:`HarnessError` if not; so does what no worker can do.
        """
        (argument,) = args
        promise: Future[Any] = Future()
        self._send(_Call(promise, argument, pack_call(fn, argument, self.parcel.digest)))
        return promise

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take back what has not begun; end the executor if it is the harness's own."""
        with self._lock:
            self._closed, sent = True, [*self._sent]
        for future in sent:
            future.cancel()
        if self.ours:
            self.inner.shutdown(wait=False, cancel_futures=True)

    def _send(self, call: _Call) -> None:
        try:
            future = self.inner.submit(answer, call.packed, call.parcel)
        # RuntimeError: it has been shut down
        except (BrokenExecutor, RuntimeError) as error:
            call.promise.set_exception(self._broken(error))
            return
        with self._lock:
            self._sent.add(future)
        future.add_done_callback(partial(self._ended, call))

    def _ended(self, call: _Call, future: Future[Reply]) -> None:
        """Pass a result on; send the call again where there is none."""
        with self._lock:
            self._sent.discard(future)
            if self._closed:
                return
        error = None if future.cancelled() else future.exception()
        if isinstance(error, BrokenExecutor):
            call.promise.set_exception(self._broken(error))
        elif isinstance(error, ImportError):
            message = f"a worker can't import what it needs: {error}; install it on all machines"
            call.promise.set_exception(HarnessError(message))
        elif error is not None or future.cancelled():
            self._lost(call, error)
        else:
            self._answered(call, future.result())

    def _answered(self, call: _Call, reply: Reply) -> None:
        if reply.lacking:
            self._send(call._replace(parcel=self.parcel))
        elif reply.refused:
            call.promise.set_exception(HarnessError(reply.refused))
        else:
            call.promise.set_result(_unpacked(call.argument, reply))

    def _lost(self, call: _Call, error: BaseException | None) -> None:
        """Send a call again whose worker was lost, a few times."""
        excused = isinstance(self.inner, DaskExecutor) and self.inner.excuses(error)
        lost = call.lost + (not excused)
        if lost < TRIES and not isinstance(error, getattr(self.inner, "final", ())):
            self._send(call._replace(lost=lost))
            return
        why = f"{type(error).__name__}: {error}" if error else "it was taken back"
        message = f"no worker ended it: {why} (tried {lost} times)"
        if isinstance(call.argument, Job):
            call.promise.set_result(Done({}, None, message))
        else:
            call.promise.set_exception(RuntimeError(message))

    def _broken(self, error: Exception) -> Exception:
        """Return what a broken executor's calls end with."""
        if self.ours:
            return error if isinstance(error, BrokenExecutor) else BrokenExecutor(str(error))
        kind = type(self.inner).__name__
        return HarnessError(
            f"executor: {kind} takes no more work ({type(error).__name__}: {error}); give a "
            f"function that makes one, such as lambda: {kind}(…), and it is made again when a "
            "worker dies; finished runs are kept"
        )


def _unpacked(argument: object, reply: Reply) -> object:
    """Return what a call returned; a job's updates are counted here, if they were not there."""
    result = pickle.loads(reply.result)
    if isinstance(argument, Job) and isinstance(result, Performed):
        if not result.counted:
            counter_of(argument)(_updates(argument, result.done))
        return result.done
    return result


def _updates(job: Job, done: Done) -> int:
    """Return the updates that a job has made, over its runs."""
    from harness.engine.cohort import Cohort
    from harness.execution.jobs import updates_of

    before = updates_of(job.cohort) if isinstance(job.cohort, Cohort) else 0
    ended = sum(int(outcome.summary.get("cost/steps", 0)) for outcome in done.outcomes.values())
    after = updates_of(done.cohort) if isinstance(done.cohort, Cohort) else ended
    return max(0, after - before)
