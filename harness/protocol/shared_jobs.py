"""The jobs of a batch where several drivers share a study: each is trained by one of them.

A driver takes a job when it has room for it (:class:`harness.tracking.sharing.Sharing`), and reads
from the store what became of those that others took.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence

from harness.execution.jobs import Job
from harness.protocol.recorded_runs import RecordedRuns
from harness.spec.keys import digest
from harness.tracking.sharing import POLL, Sharing


class SharedJobs:
    """The jobs of a batch that are not done by any driver.

    Args:
        sharing: what the drivers tell each other.
        jobs: the batch's; every driver has the same, or fewer where some were done before it came.
        keys: the batch's runs, by the numbers that jobs know them by.
        recorded: the study's finished runs.
    """

    def __init__(
        self, sharing: Sharing, jobs: Sequence[Job], keys: Sequence[str], recorded: RecordedRuns
    ) -> None:
        self.sharing, self.keys, self.recorded = sharing, keys, recorded
        self.waiting = {self._name(job.members): job for job in jobs}
        """Jobs that no driver is known to have done, and that are not in training here, by name."""
        self._left: dict[str, set[int]] = {}
        """Of the jobs that this driver took, the runs that are not recorded yet."""

    def _name(self, members: Sequence[int]) -> str:
        """Return a job's name, which is the same for every driver."""
        return digest([self.keys[i] for i in members])[:32]

    def taken(self) -> Iterator[Job]:
        """Yield the jobs that this driver takes, one when it is asked for."""
        for name, job in list(self.waiting.items()):
            attempt = self.sharing.take(name)
            if attempt is None:
                continue
            # the driver that had it may have recorded it before it ended
            if attempt and self._all_known(job.members):
                self.sharing.tell_done(name)
                continue
            del self.waiting[name]
            self._left[name] = set(job.members)
            yield job

    def still_ours(self, members: Collection[int]) -> bool:
        """Return whether runs that this driver has trained are to be recorded: not if it gave no
        signs of life for so long that another has recorded them."""
        return self.sharing.owns(self._taken_as(members)) or not self._all_known(members)

    def tell_recorded(self, members: Collection[int]) -> None:
        """Tell the others of a job that is recorded whole: its halves come one by one."""
        name = self._taken_as(members)
        self._left[name] -= set(members)
        if not self._left[name]:
            self.recorded.session.settle(())
            self.sharing.tell_done(name)

    def wait(self) -> list[Job]:
        """Return the jobs that others have done meanwhile; wait a moment where there are none."""
        self.sharing.look()
        done = [name for name in self.waiting if self.sharing.is_done(name)]
        if done:
            self.recorded.refresh()
        elif self.waiting:
            time.sleep(POLL)
        return [self.waiting.pop(name) for name in done]

    def _taken_as(self, members: Collection[int]) -> str:
        first = next(iter(members))
        return next(name for name, left in self._left.items() if first in left)

    def _all_known(self, members: Collection[int]) -> bool:
        self.recorded.refresh()
        return all(self.recorded.get(self.keys[i]) is not None for i in members)
