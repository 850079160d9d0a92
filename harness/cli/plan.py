"""``plan``: what a study would do, as :mod:`harness.protocol.plan` forecasts it."""

from __future__ import annotations

from rich.table import Table

from harness.cli.changes import change_study
from harness.cli.console import PlainConsole
from harness.cli.detect import Detect, show_detection
from harness.cli.durations import describe_time
from harness.cli.flags import Flags
from harness.execution.local import default_workers
from harness.protocol.plan import ArmPlan, StudyPlan, plan_study
from harness.spec.study import Study

MEBIBYTE = 2**20


def show_plan(study: Study, flags: Flags, detect: Detect | None = None) -> None:
    """Print what the study would do with the flags' changes: a row an arm, and the totals.

    Args:
        study: the study as it is written.
        flags: of the command; ``workers`` and ``cohort`` change the time and the cohorts only.
        detect: an effect for which the searches and seeds are shown that find it.

    Raises:
        SpecError: the study can't be run as written, or a flag does not fit it.
    """
    study = change_study(study, flags)
    workers = default_workers() if flags.workers is None else flags.workers
    plan = plan_study(study, workers, flags.cohort)
    console = PlainConsole()
    console.print(_table(study.name, plan))
    # each reason once, however many arms share it
    for path, why in sorted({(_path_of(row), row.why) for row in plan.arms}):
        console.print(f"{path}: {why}", highlight=False, markup=False)
    for note in plan.notes:
        console.print(f"note: {note}", highlight=False, markup=False)
    arms, runs, cohorts = (
        _count(len(plan.arms), "arm"),
        _count(plan.runs, "run"),
        _count(plan.cohorts, "cohort"),
    )
    console.print(f"{arms}, {runs} (search + confirm) in at least {cohorts}", highlight=False)
    # 0 workers: this process trains, one cohort at a time
    trained_by = _count(max(1, workers), "worker")
    if all(row.seconds for row in plan.arms):
        length = f"about {describe_time(plan.seconds)} of training on {trained_by}"
    else:
        length = f"how long your own loop takes is not known beforehand; {trained_by}"
    console.print(length, highlight=False)
    if detect is not None:
        show_detection(study, plan, workers, detect)


def _table(study: str, plan: StudyPlan) -> Table:
    table = Table(
        "arm",
        "trials",
        "runs",
        "path",
        "cohort",
        "steps a run",
        "time a run",
        "memory",
        title=f"study {study}",
        title_justify="left",
    )
    for row in plan.arms:
        table.add_row(
            row.arm.name,
            str(row.trials),
            f"{row.search_runs} + {row.confirm_runs}",
            _path_of(row),
            f"≤ {row.cohort}",
            f"{row.steps:,}",
            # 0 where nothing can tell it beforehand: of a loop of the user's own
            describe_time(row.seconds) if row.seconds else "?",
            f"{row.memory / MEBIBYTE:.1f} MiB" if row.memory else "?",
        )
    return table


def _path_of(row: ArmPlan) -> str:
    return "cohort" if row.batched else "alone"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
