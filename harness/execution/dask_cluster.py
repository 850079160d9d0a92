"""Cohorts on a cluster of dask.distributed: workers on this machine, by SSH, SLURM or Kubernetes.

The scheduler does a lost worker's cohorts again on another one, and gives cohorts to workers that
come late. The library is imported when it is asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from harness.core.errors import HarnessError
from harness.execution.parcel import Parcel

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as Asked

CONNECT_SECONDS = 10
"""Seconds that a scheduler is given to answer."""
LOOK_SECONDS = 1.0
"""Seconds between two looks at how many workers there are."""


class DaskExecutor(Executor):
    """Gives calls to a Dask cluster.

    Args:
        scheduler: its address, such as ``tcp://10.0.0.1:8786``, or a ``distributed.Client``, which
            is left open.
        resources: what a cohort takes of its worker, such as ``{"GPU": 1}``; workers that were
            started with ``--resources GPU=1`` then train one at a time.

    Raises:
        HarnessError: the library is not there, or no scheduler answers.
    """

    def __init__(
        self, scheduler: str | Client, resources: Mapping[str, float] | None = None
    ) -> None:
        self._ours = isinstance(scheduler, str)
        self.client: Client = client_of(scheduler) if isinstance(scheduler, str) else scheduler
        self.resources = dict(resources or {})
        from distributed import KilledWorker

        self.final = (KilledWorker,)
        """Errors after which a call is not tried again: the scheduler has done so."""
        self._looked, self._slots = 0.0, 0
        self._parcels: dict[str, Asked] = {}

    @property
    def slots(self) -> int:
        """Cohorts that the workers that are there now train at a time."""
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            # a scheduler that does not answer now tells of none, and may come back
            workers = self.client.scheduler_info(n_workers=-1).get("workers")
            if workers is not None:
                self._slots = sum(self._room(worker) for worker in workers.values())
            self._looked = time.monotonic()
        return self._slots

    def _room(self, worker: Mapping[str, Any]) -> int:
        """Return how many cohorts one worker trains at a time."""
        has = worker["resources"]
        return min(
            [int(has.get(name, 0) // share) for name, share in self.resources.items()],
            default=int(worker["nthreads"]),
        )

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call ``fn`` on any worker that has the resources.

        Args:
            fn: the function.
            args: its arguments; a parcel among them goes to each worker once.
            kwargs: its arguments by name.

        Raises:
            RuntimeError: the client is closed, because the scheduler is gone.
        """
        if self.client.status in ("closing", "closed"):
            raise RuntimeError("the scheduler does not answer any more")
        first = any(isinstance(arg, Parcel) for arg in args)
        # Dask expects of a call what others of its name took: one with a parcel trains, where one
        # without it may end at once, and is no reason to keep the parcel from idle workers
        name = "harness-first" if first else "harness-cohort"
        asked = self.client.submit(
            fn,
            *(self._kept(arg) if isinstance(arg, Parcel) else arg for arg in args),
            key=f"{name}-{uuid4().hex}",
            resources=self.resources or None,
            pure=False,
            **kwargs,
        )
        promise = _Promise(asked)
        asked.add_done_callback(promise.pass_on)
        return promise

    def _kept(self, parcel: Parcel) -> Asked:
        """Return a parcel as the cluster keeps it: workers hand it on, and hold one copy each.

        It is the result of a call, and not scattered, so that it is made again where the workers
        that had it are gone.
        """
        kept = self._parcels.get(parcel.digest)
        # a scheduler that was started again knows nothing of the last one's
        if kept is None or kept.status not in ("pending", "finished"):
            kept = self.client.submit(_same, parcel, key=f"harness-parcel-{uuid4().hex}")
            self._parcels[parcel.digest] = kept
        return kept

    def excuses(self, error: BaseException | None) -> bool:
        """Return whether a call was lost with its scheduler, for which no cohort is to blame."""
        return getattr(error, "reason", "") == "scheduler-connection-lost"

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Close the connection, if it is the harness's own; the cluster goes on."""
        if self._ours:
            self.client.close()


class _Promise(Future[Any]):
    """The end of a call on the cluster; cancelling it takes the call back."""

    def __init__(self, asked: Asked) -> None:
        super().__init__()
        self.asked = asked

    def cancel(self) -> bool:
        self.asked.cancel()
        return super().cancel()

    def pass_on(self, asked: Asked) -> None:
        """Take the result or the error of the call, which has ended."""
        if not self.set_running_or_notify_cancel():
            return
        try:
            self.set_result(asked.result())
        # whatever a worker or the connection raised
        except BaseException as error:
            self.set_exception(error)


def _same(parcel: Parcel) -> Parcel:
    return parcel


def client_of(scheduler: str) -> Client:
    """Return a client of a scheduler.

    Raises:
        HarnessError: the library is not there, or no scheduler answers within seconds.
    """
    try:
        from distributed import Client
    except ImportError:
        raise HarnessError(
            "executor: expected dask.distributed to be installed, which the executor dask needs;"
            " pip install distributed, on the machines of the workers too"
        ) from None
    try:
        return Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise HarnessError(
            f"scheduler: expected the address of a Dask scheduler that answers within"
            f" {CONNECT_SECONDS} s, such as tcp://10.0.0.1:8786, got {scheduler!r}:"
            f" {type(error).__name__}: {error}"
        ) from None
