"""What a study would do, before it does anything: its arms, runs, cohorts, paths, time and memory."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from harness.core.errors import HarnessError, SpecError
from harness.engine.cohort import advance, measure, start
from harness.engine.program import batched, member_bytes, program_of
from harness.execution.jobs import chunks, cohort_limit, one_thread
from harness.probes.base import probes_of
from harness.spec.arms import Arm, Run, arms
from harness.spec.keys import shape_key
from harness.spec.recipe import Recipe
from harness.spec.resolved import ResolvedRecipe, resolve
from harness.spec.space import Choice, IntUniform, LogUniform, Space
from harness.spec.study import Study


class ArmPlan(NamedTuple):
    """One arm's part of the plan."""

    arm: Arm
    trials: int
    search_runs: int
    confirm_runs: int
    batched: bool
    why: str
    """Why the arm trains in cohorts, or alone."""
    cohort: int
    """Members of its cohorts at most."""
    steps: int
    """Updates of one run."""
    seconds: float
    """Predicted seconds of one run in its cohort, on one worker."""
    bytes: int
    """Memory of one cohort."""


class Preview(NamedTuple):
    """The whole plan."""

    arms: tuple[ArmPlan, ...]
    cohorts: int
    seconds: float
    """Predicted seconds of all runs together, divided by the workers."""

    @property
    def runs(self) -> int:
        """Number of runs."""
        return sum(a.search_runs + a.confirm_runs for a in self.arms)


def check(study: Study) -> None:
    """Build every arm's network, data and optimizer without training.

    Raises:
        SpecError: parts that do not go together, with the arm's name; every arm is looked at.
    """
    mistakes = [said for arm in arms(study) for said in _mistakes(study, arm)]
    if mistakes:
        raise SpecError(
            f"study {study.name!r} can't be run:\n  " + "\n  ".join(dict.fromkeys(mistakes))
        )


def _mistakes(study: Study, arm: Arm) -> list[str]:
    found = []
    if arm.recipe.spaces() and study.search is None:
        spaces = ", ".join(arm.recipe.spaces())
        found.append(
            f"search: arm {arm.name!r} has spaces ({spaces}); expected 'search' to say how they are tuned, got none"
        )
    try:
        program = program_of(representative(arm.recipe))
    except HarnessError as error:
        return [*found, f"arm {arm.name!r}: {error}"]
    names = {"loss", "accuracy"} if program.classify else {"loss"}
    recorded = {
        f"{part}/{m}"
        for part in ("train", "valid", "test")
        if program.part(part).size
        for m in names
    } | {
        "batch/loss",
        "batch/noise",
        "best/step",
        "best/epoch",
        "best/valid/loss",
        "cost/steps",
        "cost/gradients",
    }
    if study.search and arm.recipe.spaces() and study.search.objective not in recorded:
        found.append(_unrecorded("search.objective", study.search.objective, arm, recorded))
    for i, claim in enumerate(study.claims):
        wanted = [name for name in claim.recorded if not _probed(study, name)]
        if (arm.name in claim.arms or not claim.arms) and not recorded.issuperset(wanted):
            found.append(_unrecorded(f"claims.{i}.on", claim.on, arm, recorded))
    return found


def _probed(study: Study, metric: str) -> bool:
    return metric.partition("/")[0] in {probe.prefix for probe in probes_of(study.probes)}


def _unrecorded(field: str, got: str, arm: Arm, recorded: set[str]) -> str:
    hint = (
        " (validation data come from data.valid_fraction)"
        if got.startswith("valid/") and "valid/loss" not in recorded
        else ""
    )
    return f"{field}: arm {arm.name!r} records {', '.join(sorted(recorded))}; got {got!r}{hint}"


def representative(recipe: Recipe) -> ResolvedRecipe:
    """Return the recipe with the middle of each space in its place."""
    spaces = recipe.spaces()
    return resolve(
        recipe.with_values({path: _middle(space) for path, space in spaces.items()})
        if spaces
        else recipe
    )


def _middle(space: Space) -> object:
    if isinstance(space, Choice):
        return space.options[0]
    low, high = space.arguments()
    if isinstance(space, LogUniform):
        return float((low * high) ** 0.5)
    return (low + high) // 2 if isinstance(space, IntUniform) else (low + high) / 2


def preview(study: Study, workers: int, largest: int | None = None) -> Preview:
    """Return the plan of a study; of each kind of run one update is made and thrown away, to predict the time."""
    check(study)
    speeds: dict[tuple[str, int], float] = {}
    plans = tuple(_arm_plan(study, arm, largest, speeds) for arm in arms(study))
    cohorts = sum(_cohorts(stage) for stage in _stages(study, plans))
    seconds = sum(p.seconds * (p.search_runs + p.confirm_runs) for p in plans) / max(1, workers)
    return Preview(plans, cohorts, seconds)


def _stages(study: Study, plans: Sequence[ArmPlan]) -> Iterator[list[tuple[ArmPlan, int]]]:
    """Yield the runs of each arm that are trained at a time: a batch of every arm's trials, or all confirm runs."""
    if study.search:
        batch, repeats = study.search.batch, study.search.repeats
        for asked in range(0, study.search.trials, batch):
            yield [(p, min(batch, p.trials - asked) * repeats) for p in plans if p.trials > asked]
    yield [(p, p.confirm_runs) for p in plans]


def _cohorts(stage: Sequence[tuple[ArmPlan, int]]) -> int:
    groups: dict[str, int] = {}
    limits: dict[str, int] = {}
    for plan, runs in stage:
        shape = shape_key(representative(plan.arm.recipe))
        groups[shape] = groups.get(shape, 0) + runs
        limits[shape] = plan.cohort
    return sum(
        len(chunks(runs, limits[shape], alone=len(groups) == 1))
        for shape, runs in groups.items()
        if runs
    )


def _arm_plan(
    study: Study, arm: Arm, largest: int | None, speeds: dict[tuple[str, int], float]
) -> ArmPlan:
    recipe = representative(arm.recipe)
    together, why = batched(recipe)
    limit = (largest or cohort_limit(recipe)) if together else 1
    trials = study.search.trials if study.search and arm.recipe.spaces() else 0
    search_runs = trials * study.search.repeats if study.search else 0
    seeds = len(study.looks[-1])
    members = min(limit, max(seeds, search_runs))
    program = program_of(recipe)
    key = (shape_key(recipe), members)
    if key not in speeds:
        speeds[key] = seconds_per_run(recipe, members)
    memory = member_bytes(program) * members
    return ArmPlan(
        arm,
        trials,
        search_runs,
        seeds,
        together,
        why,
        limit,
        program.times.steps,
        speeds[key],
        memory,
    )


@one_thread()
def seconds_per_run(recipe: ResolvedRecipe, members: int, updates: int = 8) -> float:
    """Return the predicted seconds of one run in a cohort of the given size, from a few updates that are thrown away."""
    times = program_of(recipe).times
    short = recipe.with_values({"steps": updates, "eval_every": updates})
    for _ in range(2):
        cohort = start([Run(short, seed) for seed in range(members)], test=False)
        program = program_of(short)
        began = time.perf_counter()
        measure(program, cohort.w_KP, cohort.buffers, cohort.members)
        evaluation = time.perf_counter() - began
        advance(cohort)
        whole = time.perf_counter() - began
    update = max(0.0, whole - 3 * evaluation) / updates
    return (update * times.steps + evaluation * len(times.evaluations)) / members
