"""What a study would do: its arms, runs, cohorts, paths, time and memory.

For ``harness plan``; nothing is recorded, and runs that the store has already are counted too. A
tuned arm is planned by the middle of its spaces: time and memory are rough where a space changes
the shape.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from harness.engine.batching import check_batching, member_bytes
from harness.engine.cohort_key import cohort_key, copy_bytes
from harness.engine.program import program_of
from harness.engine.user_code import in_words
from harness.execution.jobs import cohort_limit, cut_cohorts
from harness.protocol.check import check_study, notes_of
from harness.protocol.representative import representative
from harness.protocol.search_space import count_trials
from harness.protocol.timing import forecast_seconds
from harness.spec.arms import Arm, build_arms
from harness.spec.keys import shape_key
from harness.spec.resolved import ResolvedRecipe
from harness.spec.study import Study


class ArmPlan(NamedTuple):
    """One arm's part of the plan."""

    arm: Arm
    shape: str
    """Key of what its runs must share with others to train in one cohort."""
    trials: int
    """Points of its space that are tried in each search; 0 for an arm without spaces."""
    search_runs: int
    """Runs of its trials, one for each training seed, in all searches."""
    confirm_runs: int
    """Runs of its winners: one for each seed and search of the last look."""
    batched: bool
    """Whether the arm's runs are trained together in cohorts."""
    why: str
    """Why they are, or are not."""
    cohort: int
    """Members of its cohorts at most."""
    steps: int
    """Updates of one run."""
    seconds: float
    """Predicted seconds of one run in its cohort, on one worker."""
    memory: int
    """Bytes that one cohort needs."""


class StudyPlan(NamedTuple):
    """The whole plan."""

    arms: tuple[ArmPlan, ...]
    """In the study's order."""
    cohorts: int
    """Cohorts in all; retries and pruning may add to them."""
    seconds: float
    """Predicted seconds of all runs together, divided by the workers."""
    notes: tuple[str, ...]
    """What a user should know before it trains, in sentences."""

    @property
    def runs(self) -> int:
        """Number of runs, if all looks are taken."""
        return sum(arm.search_runs + arm.confirm_runs for arm in self.arms)


def plan_study(study: Study, workers: int, largest: int | None = None) -> StudyPlan:
    """Return the plan of a study.

    To predict the time, a few updates of each kind of run are made and thrown away.

    Args:
        study: the study.
        workers: worker processes; 0 trains in this process.
        largest: members of a cohort at most; by default as the model's size and the machine allow.

    Raises:
        SpecError: the study can't be run as written.
    """
    check_study(study)
    forecast = _Forecast()
    plans = tuple(_plan_arm(study, arm, largest, forecast) for arm in build_arms(study))
    cohorts = sum(_cohorts_of(runs) for runs in _trained_at_once(study, plans))
    seconds = sum(plan.seconds * (plan.search_runs + plan.confirm_runs) for plan in plans)
    # 0 workers: this process trains, as one
    notes = (*notes_of(study), *_notes_of_processes(plans, workers))
    return StudyPlan(plans, cohorts, seconds / max(1, workers), notes)


def _notes_of_processes(plans: Sequence[ArmPlan], workers: int) -> list[str]:
    """Return a sentence for runs that several processes train: how many there are at once."""
    counts = {representative(plan.arm.recipe).processes for plan in plans}
    # 0 workers: this process trains
    at_once = max(1, workers)
    return [
        f"{count} processes train each run (recipe.processes), {at_once * count} at once with"
        f" {at_once} worker{'s' * (at_once > 1)}; --workers says how many runs train at a time"
        for count in sorted(counts - {1})
    ]


class _Forecast:
    """Predicted seconds of a run, measured once for each shape and size of cohort."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, int], float] = {}

    def seconds(self, recipe: ResolvedRecipe, members: int) -> float:
        """Return the seconds of one run in a cohort of ``members``; see :func:`forecast_seconds`.

        Arms that differ in optimizers or schedules alone share a measurement: what sets these apart
        costs little beside the gradient.
        """
        key = shape_key(recipe), members
        if key not in self._seconds:
            self._seconds[key] = forecast_seconds(recipe, members)
        return self._seconds[key]


def _plan_arm(study: Study, arm: Arm, largest: int | None, forecast: _Forecast) -> ArmPlan:
    """Return one arm's part of the plan; the arguments are those of :func:`plan_study`.

    Raises:
        HarnessError: the arm's runs would fail in their first updates.
    """
    recipe = representative(arm.recipe)
    together, why = check_batching(recipe)
    # what can't be batched trains one by one, whatever cohort size was asked for
    limit = (largest or cohort_limit(recipe)) if together else 1
    trials = count_trials(arm.recipe.spaces(), study.search) if study.search else 0
    last = study.looks[-1]
    searches = len(last.searches)
    search_runs = trials * study.search.repeats * searches if study.search else 0
    members = min(limit, max(last.runs, search_runs))
    steps, seconds, memory = _costs(arm, recipe, members, searches, forecast)
    return ArmPlan(
        arm=arm,
        shape=cohort_key(recipe),
        trials=trials,
        search_runs=search_runs,
        confirm_runs=last.runs,
        batched=together,
        why=why,
        cohort=limit,
        steps=steps,
        seconds=seconds,
        memory=memory,
    )


def _costs(
    arm: Arm, recipe: ResolvedRecipe, members: int, searches: int, forecast: _Forecast
) -> tuple[int, float, int]:
    """Return the updates and seconds of one run, and the bytes of its cohort; of a user's own
    trainer the last two are not known, unless its length is in seconds.

    Raises:
        HarnessError: the arm's runs would fail in their first updates.
    """
    if recipe.trainer is not None:
        return recipe.length[1], recipe.seconds or 0.0, 0
    program = program_of(recipe)
    # a cohort over several splits holds the training parts of all of them
    copies = copy_bytes(recipe) * (searches - 1)
    with in_words(f"arm {arm.name!r}: training"):
        seconds = forecast.seconds(recipe, members)
    return program.times.steps, seconds, member_bytes(program) * members + copies


class _ArmRuns(NamedTuple):
    """Runs of one arm."""

    plan: ArmPlan
    runs: int


def _trained_at_once(study: Study, plans: Sequence[ArmPlan]) -> Iterator[list[_ArmRuns]]:
    """Yield the runs that are trained at a time: each round of trials, then all confirm runs.

    All arms ask for a round at the same time, so that arms of one shape share cohorts; an arm
    without spaces takes no part.
    """
    if study.search:
        rounds = [study.search.round_sizes(plan.trials) for plan in plans]
        runs_a_trial = study.search.repeats * len(study.looks[-1].searches)
        for sizes in zip_longest(*rounds, fillvalue=0):
            yield [
                _ArmRuns(plan, trials * runs_a_trial)
                for plan, trials in zip(plans, sizes, strict=True)
                if trials
            ]
    yield [_ArmRuns(plan, plan.confirm_runs) for plan in plans]


def _cohorts_of(arm_runs: Sequence[_ArmRuns]) -> int:
    """Return how many cohorts some runs make; arms of one shape share them.

    The cut is that of :mod:`harness.protocol.dispatch`, by the same function.
    """
    runs_of_shape: Counter[str] = Counter()
    for plan, runs in arm_runs:
        runs_of_shape[plan.shape] += runs
    limits = {plan.shape: plan.cohort for plan, _ in arm_runs}
    alone = len(runs_of_shape) == 1
    return sum(
        len(cut_cohorts(runs, limits[shape], alone))
        for shape, runs in runs_of_shape.items()
        if runs
    )
