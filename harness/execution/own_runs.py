"""Runs of users' own trainers, some at a time: a thread of the driver watches each one's
process."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from harness.execution.jobs import Done, Job, counter_of
from harness.execution.own_run import OwnRun


class OwnRuns:
    """Starts runs, and ends all of them when it is closed.

    Args:
        workers: runs in training at a time; those that are paused at a rung are not counted.
    """

    def __init__(self, workers: int) -> None:
        # threads start with the first run
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="own-run")
        self._live: set[OwnRun] = set()

    def submit(self, job: Job) -> Future[Done]:
        """Train a job's only run, to the end or to a rung."""
        return self._threads.submit(self._perform, job)

    def _perform(self, job: Job) -> Done:
        run = job.cohort or OwnRun(job.runs[0], job.test)
        assert isinstance(run, OwnRun)
        if run.members:  # else it has been pruned
            self._live.add(run)
            run.advance(job.until, counter_of(job))
        if run.members:
            return Done({}, run)
        self._live.discard(run)
        return Done({job.members[0]: run.outcomes[0]}, notes=run.notes)

    def close(self) -> None:
        """End all processes at once; checkpoints stay for the next start."""
        for run in [*self._live]:
            run.abandon()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for run in self._live:
            if run.process is not None:  # paused, so that no thread watches it
                run.process.kill()
