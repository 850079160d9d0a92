"""Runs asked for in, recorded runs out: what is known is not trained, the rest goes out in cohorts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from harness.core.records import Outcome
from harness.data.base import fingerprint, load_data
from harness.engine.cohort import drop
from harness.engine.program import Timetable, timetable
from harness.execution.jobs import Done, Job, chunks, cohort_limit
from harness.execution.pool import Pool
from harness.spec.arms import Arm, Run
from harness.spec.keys import run_key, shape_key
from harness.spec.source_code import code_of
from harness.tracking import Known, Record, Store, closing

Curve = Sequence[Sequence[float]]
"""``(step, value)`` pairs."""


class Request(NamedTuple):
    """A run that the study needs, and its place in it."""

    arm: Arm
    stage: str
    trial: int
    run: Run


class Result(NamedTuple):
    """A run that the store has."""

    key: str
    run_id: str
    status: str
    closing: Mapping[str, float]
    """Closing values by the names they have in MLflow, such as ``final/valid/loss``."""
    curve: Curve
    """The watched metric over training; empty where none is watched."""


Prune = Callable[[int, Sequence[Curve]], set[int]]
"""Told a rung and each request's curve up to it; returns the positions of requests to end."""


class Dispatcher:
    """Trains what the store does not have.

    Args:
        store: where runs are recorded.
        known: finished runs by key.
        pool: trains jobs.
        largest: members of a cohort at most; by default as the model's size and the machine allow.
        watched: metric whose curve is handed back with each result.
        added: told the updates that new jobs will make.
    """

    def __init__(
        self,
        store: Store,
        known: Mapping[str, Known],
        pool: Pool,
        largest: int | None,
        watched: str | None,
        added: Callable[[int], None],
    ) -> None:
        self.store, self.pool, self.largest, self.watched, self.added = (
            store,
            pool,
            largest,
            watched,
            added,
        )
        self.known = dict(known)
        curves = (
            store.curves([k.run_id for k in known.values()], [watched]) if watched and known else {}
        )
        self.curves: dict[str, Curve] = {
            run_id: found.get(watched or "", []) for run_id, found in curves.items()
        }
        self.trained = 0
        self.failed = 0

    def train(
        self, requests: Sequence[Request], rungs: Sequence[float] = (), prune: Prune | None = None
    ) -> list[Result]:
        """Return the results of all requests, in order; equal runs are trained once.

        Args:
            requests: what is needed.
            rungs: shares of the whole length at which ``prune`` is asked.
            prune: says which requests end at a rung.
        """
        batch = _Batch(self, requests, pruning=prune is not None)
        for rung, share in enumerate(rungs if prune else ()):
            batch.advance(share)
            assert prune is not None
            batch.prune(share, prune(rung, [batch.curve(i, share) for i in range(len(requests))]))
        batch.advance(None)
        return [self._result(key) for key in batch.keys]

    def _result(self, key: str) -> Result:
        known = self.known[key]
        return Result(
            key, known.run_id, known.status, known.closing, self.curves.get(known.run_id, [])
        )

    def keep(
        self, requests: Sequence[Request], keys: Sequence[str], outcomes: Sequence[Outcome]
    ) -> None:
        """Record the outcomes of one cohort."""
        records = [
            Record(key, r.run, outcome, r.stage, r.arm.name, r.trial, r.arm.levels)
            for r, key, outcome in zip(requests, keys, outcomes, strict=True)
        ]
        for record, run_id in zip(records, self.store.record(records), strict=True):
            self.known[record.key] = Known(run_id, record.outcome.status, closing(record.outcome))
            self.curves[run_id] = watched_curve(record.outcome, self.watched)
            self.trained += 1
            self.failed += record.outcome.status == "failed"


class _Batch:
    """The requests of one call, on their way through the rungs."""

    def __init__(self, dispatcher: Dispatcher, requests: Sequence[Request], pruning: bool) -> None:
        self.dispatcher, self.requests = dispatcher, requests
        self.keys = [key_of(r.run) for r in requests]
        self.times = [
            timetable(r.run.recipe, len(load_data(r.run.recipe.data).train.x)) for r in requests
        ]
        first = {key: i for i, key in reversed(list(enumerate(self.keys)))}
        known = {
            i
            for key, i in first.items()
            if (k := dispatcher.known.get(key)) and (pruning or k.status != "pruned")
        }
        self.jobs = self._jobs(sorted(first.values()), known)

    def _jobs(self, members: Sequence[int], known: set[int]) -> list[Job]:
        """Cut the members into cohorts of one shape, then leave out what is known: the cut is the same on every start."""
        groups: dict[tuple[str, str], list[int]] = {}
        for i in members:
            request = self.requests[i]
            groups.setdefault((shape_key(request.run.recipe), request.stage), []).append(i)
        jobs = []
        for group in groups.values():
            recipe = self.requests[group[0]].run.recipe
            for part in chunks(
                len(group), self.dispatcher.largest or cohort_limit(recipe), alone=len(groups) == 1
            ):
                rest = tuple(group[j] for j in part if group[j] not in known)
                if rest:
                    runs = tuple(self.requests[i].run for i in rest)
                    jobs.append(Job(rest, runs, self.requests[rest[0]].stage == "confirm"))
                    self.dispatcher.added(sum(self.times[i].steps for i in rest))
        return jobs

    def advance(self, share: float | None) -> None:
        """Train all open cohorts up to the rung, or to the end; those that end are recorded, each as a whole."""
        jobs = [
            job._replace(
                until=None if share is None else rung_step(self.times[job.members[0]], share)
            )
            for job in self.jobs
        ]
        self.jobs = []
        for job, done in self.dispatcher.pool.run(jobs):
            if done.cohort is not None:
                self.jobs.append(job._replace(cohort=done.cohort))
            else:
                self._keep(job, done)
        self.jobs.sort(key=lambda job: job.members)

    def _keep(self, job: Job, done: Done) -> None:
        members = sorted(done.outcomes)
        picked = [self.requests[i] for i in members], [self.keys[i] for i in members]
        self.dispatcher.keep(*picked, [done.outcomes[i] for i in members])
        made = sum(int(outcome.summary.get("cost/steps", 0)) for outcome in done.outcomes.values())
        self.dispatcher.added(made - sum(self.times[i].steps for i in members))

    def curve(self, i: int, share: float) -> Curve:
        """Return what a request's watched metric did up to the rung."""
        key, step = self.keys[i], rung_step(self.times[i], share)
        found = self._open().get(key)
        if found is None:
            found = self.dispatcher._result(key).curve
        return [point for point in found if point[0] <= step]

    def _open(self) -> dict[str, Curve]:
        """Return the watched curves of the runs that are still in open cohorts, ended ones among them, by key."""
        curves = {}
        for job in self.jobs:
            points = {m.index: m.points for m in job.cohort.members}
            points |= {
                index: list(outcome.points) for index, outcome in job.cohort.outcomes.items()
            }
            for index, seen in points.items():
                outcome = Outcome("finished", tuple(seen), {})
                curves[self.keys[job.members[index]]] = watched_curve(
                    outcome, self.dispatcher.watched
                )
        return curves

    def prune(self, share: float, ending: set[int]) -> None:
        """End the given requests; train on those that an earlier search ended here and this one does not."""
        gone = {self.keys[i] for i in ending}
        for job in self.jobs:
            live = {m.index for m in job.cohort.members}
            if leaving := [
                j for j, i in enumerate(job.members) if self.keys[i] in gone and j in live
            ]:
                drop(job.cohort, leaving, "pruned")
        known = self.dispatcher.known
        first = {
            key: i
            for i, key in reversed(list(enumerate(self.keys)))
            if key in known and key not in gone
        }
        short = [i for key, i in first.items() if self._pruned_at(known[key], self.times[i], share)]
        self.jobs += self._jobs(sorted(short), set())

    def _pruned_at(self, known: Known, times: Timetable, share: float) -> bool:
        return known.status == "pruned" and known.closing.get("cost/steps", 0.0) <= rung_step(
            times, share
        )


def watched_curve(outcome: Outcome, metric: str | None) -> Curve:
    """Return one metric of an outcome's points."""
    return (
        [(p.step, p.metrics[metric]) for p in outcome.points if metric in p.metrics]
        if metric
        else []
    )


def rung_step(times: Timetable, share: float) -> int:
    """Return the evaluation nearest to a share of the run, the first and last ones aside where there are others."""
    between = times.evaluations[1:-1] or times.evaluations[-1:]
    return min(between, key=lambda step: (abs(step - share * times.steps), step))


def key_of(run: Run) -> str:
    """Return a run's key, over its data and the user's code that it names."""
    return run_key(run, fingerprint(run.recipe.data), code_of(run.targets()))
