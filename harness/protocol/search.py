"""The search stage: every arm is tuned on validation data, and its best recipe frozen.

The search is replayed from its first trial on every start. What makes the replay exact: samplers
are seeded, trials are told in the order they were asked in, and runs are found by their keys.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from harness.core.study_record import RunEntry, TrialEntry
from harness.protocol.dispatch import Dispatcher
from harness.protocol.objective import objective_at_end, objective_so_far
from harness.protocol.progress import Progress
from harness.protocol.runs import RunRequest, RunResult, SoFar, run_entry
from harness.spec.arms import Arm, Run, arms_of_search, build_arms
from harness.spec.resolved import ResolvedRecipe, resolve
from harness.spec.search import Search
from harness.spec.study import Study

if TYPE_CHECKING:  # both import Optuna, which studies that tune nothing do without
    from harness.protocol.trial_storage import TrialStorage
    from harness.protocol.tuner import ArmTuner, AskedTrial


class Winner(NamedTuple):
    """An arm's frozen recipe."""

    arm: Arm
    trial: int
    """The trial that the recipe comes from."""
    recipe: ResolvedRecipe
    search: int = 0
    """Number of the search that froze it."""


class SearchResult(NamedTuple):
    """What the search gave; the runs and trials of a study without a search are empty."""

    winners: Sequence[Winner]
    """One for each arm and search, search by search in the arms' order."""
    runs: Sequence[RunEntry] = ()
    trials: Sequence[TrialEntry] = ()
    importances: Sequence[tuple[str, Mapping[str, float]]] = ()
    """Arm, and share of each hyperparameter in reaching good trials, of each search that tells."""

    def mean_importances(self) -> dict[str, dict[str, float]]:
        """Return the shares by arm, the mean over its searches."""
        by_arm: dict[str, list[Mapping[str, float]]] = {}
        for arm, shares in self.importances:
            by_arm.setdefault(arm, []).append(shares)
        return {
            arm: {path: statistics.fmean(own.get(path, 0.0) for own in told) for path in told[0]}
            for arm, told in by_arm.items()
        }

    def joined_with(self, more: SearchResult) -> SearchResult:
        """Return the result with that of further searches."""
        return SearchResult(
            [*self.winners, *more.winners],
            [*self.runs, *more.runs],
            [*self.trials, *more.trials],
            [*self.importances, *more.importances],
        )


class TrialInTraining(NamedTuple):
    """A trial, and the tuner that asked for it."""

    tuner: ArmTuner
    asked: AskedTrial


def freeze_as_given(study: Study) -> SearchResult:
    """Return the arms' recipes as they are, as trial 0, for a study that has nothing to tune.

    Raises:
        ValidationError: a recipe holds spaces; :mod:`harness.protocol.check` refuses that before.
    """
    return SearchResult([Winner(arm, 0, resolve(arm.recipe)) for arm in build_arms(study)])


def tune_arms(
    study: Study,
    search: Search,
    numbers: Sequence[int],
    dispatcher: Dispatcher,
    storage: TrialStorage | None,
    progress: Progress,
) -> SearchResult:
    """Tune every arm in each of some searches, and freeze its best recipe of each.

    All arms of all searches ask at the same time, so that their trials share cohorts. Searches know
    nothing of each other.

    Args:
        study: the study.
        search: how it is tuned.
        numbers: of the searches.
        dispatcher: trains what is not known.
        storage: is given every finished trial; None for a driver that has joined another.
        progress: is told how the search goes.

    Returns:
        A winner for each arm and search, search by search in the arms' order; of an arm without
        spaces its recipe as it is.
    """
    from harness.protocol.tuner import ArmTuner

    tuners = [ArmTuner(arm, search, k) for k in numbers for arm in arms_of_search(study, k)]
    progress.stage("search", sum(tuner.trials_left for tuner in tuners) * search.repeats)
    runs: list[RunEntry] = []
    trials: list[TrialEntry] = []
    while any(tuner.trials_left for tuner in tuners):
        asked = [TrialInTraining(tuner, trial) for tuner in tuners for trial in tuner.ask()]
        trained = _train_trials(search, asked, dispatcher)
        runs += trained.runs
        trials += trained.trials
        if storage is not None:
            storage.write_finished(tuners)
        _show_best(tuners, search, progress)
    winners = [Winner(tuner.arm, *tuner.winner(), tuner.number) for tuner in tuners]
    told = [(tuner.arm.name, shares) for tuner in tuners if (shares := tuner.importance())]
    return SearchResult(winners, runs, trials, told)


def _show_best(tuners: Sequence[ArmTuner], search: Search, progress: Progress) -> None:
    """Tell each arm's best trial so far."""
    for tuner in tuners:
        best = tuner.best_value()
        if best is not None:
            progress.best(tuner.arm.name, search.objective, best, len(tuner.trials))


class _TrainedTrials(NamedTuple):
    """What became of one batch of trials."""

    runs: list[RunEntry]
    trials: list[TrialEntry]


def _train_trials(
    search: Search, asked: Sequence[TrialInTraining], dispatcher: Dispatcher
) -> _TrainedTrials:
    """Train one batch of trials of all arms together, and tell the tuners their objectives.

    Args:
        search: has the seeds that each trial is trained with, and the rungs.
        asked: the trials of all arms, in the order they were asked in.
        dispatcher: trains what is not known.
    """
    # seeds innermost: _runs_of counts on it
    requests = [
        RunRequest(tuner.arm, "search", trial.number, Run(trial.recipe, seed), tuner.number)
        for tuner, trial in asked
        for seed in search.training_seeds(tuner.number)
    ]
    pruning = _Pruning(search, asked)
    # Without a pruner no rung is asked, so that cohorts train through in one job.
    results = dispatcher.train(
        requests, search.rungs, pruning.ending_runs if search.pruner != "none" else None
    )
    trials = []
    for place, (tuner, trial) in enumerate(asked):
        own_results = [results[i] for i in _runs_of(place, search)]
        value = objective_at_end(search, own_results)
        status = "pruned" if place in pruning.pruned else _worst_status(own_results)
        tuner.tell(trial.number, value, status)
        trials.append(_trial_entry(tuner, trial, status, value))
    runs = [run_entry(*pair) for pair in zip(requests, results, strict=True)]
    return _TrainedTrials(runs, trials)


def _runs_of(place: int, search: Search) -> range:
    """Return the positions of a trial's runs in its batch: one for each search seed, in a row."""
    return range(place * search.repeats, (place + 1) * search.repeats)


class _Pruning:
    """Decides at each rung which trials of a batch end; those ended earlier stay ended.

    A trial ends with all of its seeds: its objective is their mean.
    """

    def __init__(self, search: Search, asked: Sequence[TrialInTraining]) -> None:
        self.search, self.asked = search, asked
        self.pruned: set[int] = set()
        """Places in the batch of the trials that were ended."""

    def ending_runs(self, rung: int, runs: Sequence[SoFar]) -> set[int]:
        """Return the positions of all runs that are ended, told what each did up to the rung.

        A pruner compares a trial with those it was told before, so that the order matters: trials
        are told in the order they were asked in. A trial whose runs have all ended by themselves is
        complete: others are compared with its objective, and it is not ended.

        Args:
            rung: number of the rung, from 0.
            runs: every run of the batch, up to the rung.
        """
        for place, (tuner, trial) in enumerate(self.asked):
            if place in self.pruned:
                continue
            own_runs = [runs[i] for i in _runs_of(place, self.search)]
            value = objective_so_far(self.search, own_runs)
            hopeless = tuner.should_prune(trial.number, rung + 1, value)  # rung 0 is the start
            if hopeless and any(run.ended is None for run in own_runs):
                self.pruned.add(place)
        return {i for place in self.pruned for i in _runs_of(place, self.search)}


def _worst_status(results: Sequence[RunResult]) -> str:
    """Return how a trial ended: as badly as the worst of its runs."""
    statuses = {result.status for result in results}
    for status in ("failed", "diverged"):  # worst first
        if status in statuses:
            return status
    return "finished"


def _trial_entry(tuner: ArmTuner, trial: AskedTrial, status: str, value: float) -> TrialEntry:
    """Return the trial as the record has it: in plain values, an infinite objective as None."""
    finite = value if math.isfinite(value) else None
    place = tuner.arm.name, trial.number, status
    return TrialEntry(*place, finite, trial.values, tuner.number)
