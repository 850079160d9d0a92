"""Runs asked for in, recorded runs out: what the store does not have is trained, in cohorts.

Both stages train through here, and nothing else does. How cohorts are cut and when trials are
pruned must be the same on every start, whatever is known already and in whatever order workers
finish: a run's last digits may depend on the cohort it trained in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from harness.core.records import Keep, Outcome
from harness.data.base import load_data
from harness.data.same_data import known_fingerprint
from harness.engine.cohort_key import cohort_key
from harness.engine.timetable import Timetable, make_timetable
from harness.execution.checkpoints import Saving
from harness.execution.jobs import Done, Job, cut_cohorts
from harness.execution.pool import Pool
from harness.execution.watch import LONGEST_SILENCE
from harness.protocol.hopeless import Failures
from harness.protocol.progress import Progress
from harness.protocol.recorded_runs import RecordedRuns
from harness.protocol.runs import (
    Ended,
    RunRequest,
    RunResult,
    SoFar,
    key_of,
    watched_curve,
)
from harness.protocol.shared_jobs import SharedJobs
from harness.spec.keys import digest
from harness.spec.resolved import ResolvedRecipe
from harness.tracking import finite_summary

Prune = Callable[[int, Sequence[SoFar]], set[int]]
"""Told a rung's number and each request's run up to it; returns the positions that end there."""


class Dispatcher:
    """Trains what is asked for and not known yet.

    Args:
        recorded: the study's finished runs; new ones are added to it.
        pool: trains jobs.
        limit: returns how many members a cohort of a recipe has at most.
        progress: is told the updates that new jobs will make.
        saving: where jobs have their checkpoints, each in a folder of its own; None for none.
        keep: which weights of confirm runs are kept; runs that lack them are trained again.
        patience: seconds that an update with code of a user's own may take.
    """

    def __init__(
        self,
        recorded: RecordedRuns,
        pool: Pool,
        limit: Callable[[ResolvedRecipe], int],
        progress: Progress,
        saving: Saving | None = None,
        keep: Keep = None,
        patience: float = LONGEST_SILENCE,
    ) -> None:
        self.recorded, self.pool, self.limit, self.progress = recorded, pool, limit, progress
        self.saving, self.keep, self.patience = saving, keep, patience
        self.failures = Failures(progress)
        self._said: set[str] = set()

    def say_once(self, notes: Iterable[str]) -> None:
        """Tell the progress what jobs noted, equal sentences of many runs once."""
        for note in notes:
            if note not in self._said:
                self._said.add(note)
                self.progress.say(note)

    def train(
        self,
        requests: Sequence[RunRequest],
        rungs: Sequence[float] = (),
        prune: Prune | None = None,
    ) -> list[RunResult]:
        """Return the results of all requests, in order; equal runs are trained once.

        Args:
            requests: what is needed, known runs among them.
            rungs: shares of the whole length at which ``prune`` is asked, rising.
            prune: says which requests end at a rung; None trains all to their end.

        Returns:
            A result for each request. A run that fails has the status ``failed`` and stops nothing
            else.

        Raises:
            StoreError: the store refused runs, or has been away for too long.
        """
        session = self.recorded.session
        # at a rung the runs of a batch are compared with each other: one driver has to have all
        sharing = session.sharing if prune is not None else None
        if sharing is not None and session.joined:
            sharing.wait_for(_name_of(requests), session.joined)
            self.recorded.refresh()
        batch = _Batch(self, requests, pruning=prune is not None)
        if prune is not None:
            for rung, share in enumerate(rungs):
                batch.advance(share)
                batch.prune(share, prune(rung, batch.so_far(share)))
        batch.advance(None)  # from the last rung to the end
        if sharing is not None and not session.joined:
            session.settle(())
            sharing.tell_done(_name_of(requests))
        return [self.recorded.result(key) for key in batch.keys]


class _Batch:
    """The requests of one call, on their way through the rungs.

    Requests are known by their positions, and runs by their keys: several requests may have one
    key, of which the first is trained and the others get its result.

    Args:
        dispatcher: has the pool and the recorded runs.
        requests: what is needed.
        pruning: whether rungs are asked, so that a run that an earlier search pruned may be of use.
    """

    def __init__(
        self, dispatcher: Dispatcher, requests: Sequence[RunRequest], pruning: bool
    ) -> None:
        self.dispatcher, self.requests, self.pruning = dispatcher, requests, pruning
        self.recorded = dispatcher.recorded
        self.keys = [key_of(request.run) for request in requests]
        # load_data keeps what it has loaded: no file is read twice
        self.times = [
            make_timetable(request.run.recipe, load_data(request.run.recipe.data).count("train"))
            for request in requests
        ]
        self.members = _first_positions(self.keys)
        """The requests that are trained: the first of those with the same key."""
        self.jobs = self._new_jobs(self.members, leave_out=self._known(pruning))
        """Cohorts that are not at their end."""
        dispatcher.progress.asked(sum(times.steps for times in self.times))

    def _known(self, pruning: bool) -> set[int]:
        """Return the members that need no training.

        A run that was pruned will do where this call prunes too: :meth:`prune` looks whether it
        would have been pruned now, and has it trained again if not.
        """
        known = set()
        for i in self.members:
            result = self.recorded.get(self.keys[i])
            if result is None or self._lacks_weights(i, result):
                continue
            if pruning or result.status != "pruned":
                known.add(i)
                if result.status != "failed":
                    self.dispatcher.failures.worked(self.requests[i].arm.name)
        return known

    def _lacks_weights(self, i: int, result: RunResult) -> bool:
        """Return whether a recorded run has to keep weights, which it has not."""
        keep = self._keep(i)
        return keep is not None and result.status != "diverged" and result.kept != keep

    def _keep(self, i: int) -> Keep:
        """Return which weights a request's run keeps; a loop of a user's own keeps its own."""
        request = self.requests[i]
        kept = request.stage == "confirm" and request.run.recipe.trainer is None
        return self.dispatcher.keep if kept else None

    def _new_jobs(self, members: Iterable[int], leave_out: set[int]) -> list[Job]:
        """Return the jobs that train the members, in cohorts of one shape each.

        The cohorts are cut as if nothing were known, and what is known is left out afterwards: the
        cut is the same on every start.
        """
        # stages apart, since test data are evaluated by whole cohorts or not at all
        groups: dict[tuple[str, str], list[int]] = {}
        for i in members:
            request = self.requests[i]
            groups.setdefault((cohort_key(request.run.recipe), request.stage), []).append(i)
        jobs = []
        for group in groups.values():
            limit = self.dispatcher.limit(self.requests[group[0]].run.recipe)
            for cohort in cut_cohorts(len(group), limit, alone=len(groups) == 1):
                unknown = tuple(group[j] for j in cohort if group[j] not in leave_out)
                if unknown:
                    jobs.append(self._new_job(unknown))
        return jobs

    def _new_job(self, members: tuple[int, ...]) -> Job:
        """Return the job that trains the members in one cohort, and announce its updates."""
        self.dispatcher.progress.added(sum(self.times[i].steps for i in members))
        runs = tuple(self.requests[i].run for i in members)
        confirming = self.requests[members[0]].stage == "confirm"
        # by the runs' keys: the next start cuts the same cohort, and a changed one gets another
        keep = self._keep(members[0])
        name = digest([confirming, keep, *(self.keys[i] for i in members)])[:32]
        own = runs[0].recipe.trainer is not None
        # a loop of a user's own has a folder for checkpoints that it writes itself
        saving = None if own else self.dispatcher.saving and self.dispatcher.saving.part(name)
        # the only runs that ever see test data
        data = () if own else tuple(known_fingerprint(run.recipe.data) for run in runs)
        job = Job(members, runs, test=confirming, saving=saving, keep=keep, data=data)
        return job._replace(patience=self.dispatcher.patience)

    def advance(self, share: float | None) -> None:
        """Train all open cohorts up to a rung, or to the end; record those that end.

        Args:
            share: the rung, as a share of the whole length; None for the end.
        """
        jobs = [self._until(job, share) for job in self.jobs]
        self.jobs = []
        sharing = self.recorded.session.sharing
        if sharing is not None and not self.pruning:
            return self._share(SharedJobs(sharing, jobs, self.keys, self.recorded))
        for job, done in self.dispatcher.pool.run(jobs, self._hopeless):
            self.dispatcher.say_once(done.notes)
            if done.cohort is not None:
                self.jobs.append(job._replace(cohort=done.cohort))
            else:
                self._record(job, done)
        # jobs come back in the order they end in, which is another one on each start; nothing
        # that follows may depend on it
        self.jobs.sort(key=lambda job: job.members)

    def _share(self, jobs: SharedJobs) -> None:
        """Train those of the jobs to their end that no other driver of the study trains."""
        while jobs.waiting:
            for job, done in self.dispatcher.pool.run(jobs.taken(), self._hopeless):
                for note in done.notes:
                    self.dispatcher.progress.say(note)
                if jobs.still_ours(job.members):
                    self._record(job, done)
                jobs.tell_recorded(job.members)
            for job in jobs.wait():
                self.dispatcher.progress.added(-sum(self.times[i].steps for i in job.members))

    def _hopeless(self, job: Job) -> str:
        """Return why a job is not to be tried: all of its arms fail, always alike."""
        if job.cohort is not None:  # it is under way
            return ""
        arms = {self.requests[i].arm.name for i in job.members}
        reasons = [self.dispatcher.failures.hopeless(arm) for arm in sorted(arms)]
        return reasons[0] if all(reasons) else ""

    def _until(self, job: Job, share: float | None) -> Job:
        """Return the job with the update it is to stop at; members of a cohort have one length."""
        if share is None:
            return job._replace(until=None)
        return job._replace(until=rung_step(self.times[job.members[0]], share))

    def _record(self, job: Job, done: Done) -> None:
        """Record a whole cohort at once, and correct the number of updates announced for it."""
        members = sorted(done.outcomes)
        outcomes = [self._with_objective(i, done.outcomes[i]) for i in members]
        for i, outcome in zip(members, outcomes, strict=True):
            self.dispatcher.failures.add(self.requests[i].arm.name, outcome)
        self.recorded.record(
            [self.requests[i] for i in members], [self.keys[i] for i in members], outcomes
        )
        if job.saving and job.saving.folder.exists():
            self.recorded.session.persist()  # or a kill would cost both
            job.saving.forget()
        # a run that ended early, or failed, has made fewer updates than were announced
        made = sum(int(outcome.summary.get("cost/steps", 0)) for outcome in done.outcomes.values())
        announced = sum(self.times[i].steps for i in members)
        self.dispatcher.progress.added(made - announced)

    def _with_objective(self, i: int, outcome: Outcome) -> Outcome:
        """Return a run's outcome; one of a user's own trainer that lacks what the search goes by
        has failed."""
        watched, request = self.recorded.watched, self.requests[i]
        if (
            watched is None
            or request.stage != "search"
            or request.run.recipe.trainer is None
            or outcome.status not in ("finished", "stopped")
            or any(watched in point.metrics for point in outcome.points)
        ):
            return outcome
        told = sorted({name for point in outcome.points for name in point.metrics})
        said = f"it told no {watched}, which the search goes by, but {', '.join(told)}"
        return Outcome("failed", (), {}, said)

    def so_far(self, share: float) -> list[SoFar]:
        """Return what each request's run did up to a rung, request by request.

        What is past the rung is cut off, so that a run that is known to its end says no more than
        one in training: the pruner decides as it did on the first start.
        """
        in_training = self._in_training()
        seen: list[SoFar] = []
        for key, times in zip(self.keys, self.times, strict=True):
            curve, ended = in_training[key] if key in in_training else self._known_run(key)
            last = rung_step(times, share)
            if ended is not None and ended.steps > last:
                ended = None
            seen.append(SoFar([point for point in curve if point[0] <= last], ended))
        return seen

    def _known_run(self, key: str) -> SoFar:
        """Return a recorded run; a pruned one has not ended by itself."""
        result = self.recorded.result(key)
        ended = Ended(result.status, result.closing)
        return SoFar(result.curve, None if result.status == "pruned" else ended)

    def _in_training(self) -> dict[str, SoFar]:
        """Return the runs of open cohorts by key, members that have ended included.

        Such members are not recorded yet: a cohort is written whole, when its last member ends.
        """
        runs = {}
        for job in self.jobs:
            # a cohort knows its runs by their position in the job
            for member in job.started.members:
                so_far = Outcome("finished", tuple(member.points), {})
                curve = watched_curve(so_far, self.recorded.watched)
                runs[self.keys[job.members[member.index]]] = SoFar(curve, None)
            for index, outcome in job.started.outcomes.items():
                curve = watched_curve(outcome, self.recorded.watched)
                # as the store will give it back
                ended = Ended(outcome.status, finite_summary(outcome))
                kept = None if outcome.status == "pruned" else ended
                runs[self.keys[job.members[index]]] = SoFar(curve, kept)
        return runs

    def prune(self, share: float, ending: set[int]) -> None:
        """End the given requests; train again what an earlier search ended and this one keeps.

        Args:
            share: the rung.
            ending: positions of requests; other requests for the same runs end with them.
        """
        ending_keys = {self.keys[i] for i in ending}
        for job in self.jobs:
            # members that have diverged or stopped meanwhile can't be ended a second time
            in_training = {member.index for member in job.started.members}
            leaving = [
                j
                for j, i in enumerate(job.members)
                if self.keys[i] in ending_keys and j in in_training
            ]
            if leaving:
                job.prune(leaving)
        too_short = [
            i
            for i in self.members
            if self.keys[i] not in ending_keys and self._was_pruned_by(i, share)
        ]
        # A search with more trials than before may decide otherwise. These start from the first
        # update, and the next ``advance`` brings them level with the others.
        self.jobs += self._new_jobs(too_short, leave_out=set())

    def _was_pruned_by(self, i: int, share: float) -> bool:
        """Return whether an earlier search ended the run at this rung or before."""
        result = self.recorded.get(self.keys[i])
        if result is None or result.status != "pruned":
            return False
        return result.closing.get("cost/steps", 0.0) <= rung_step(self.times[i], share)


def _name_of(requests: Sequence[RunRequest]) -> str:
    """Return a name of a batch, which all drivers of a study give it."""
    return digest(["batch", *(key_of(request.run) for request in requests)])[:32]


def _first_positions(keys: Sequence[str]) -> list[int]:
    """Return where each key stands first, in rising order.

    >>> _first_positions(["a", "b", "a", "c"])
    [0, 1, 3]
    """
    first: dict[str, int] = {}
    for i, key in enumerate(keys):
        first.setdefault(key, i)
    return list(first.values())


def rung_step(times: Timetable, share: float) -> int:
    """Return the evaluation nearest to a share of the run, of those between its first and last.

    Args:
        times: the run's evaluations and length; a run with no evaluation in between has its rung at
            the end, where pruning saves nothing.
        share: of the run's updates, from 0 to 1; of two equally near the earlier one counts.
    """
    between = times.evaluations[1:-1] or times.evaluations[-1:]
    return min(between, key=lambda step: (abs(step - share * times.steps), step))
