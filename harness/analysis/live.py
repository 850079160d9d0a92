"""What a running study has so far."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from harness.analysis.results import Results
from harness.core.study_record import RunEntry, StudyRecord
from harness.spec.arms import arms
from harness.spec.study import Study
from harness.tracking import Reader, TrainingRun


class ArmSoFar(NamedTuple):
    """One arm of a running study."""

    arm: str
    searched: int
    confirmed: int
    best: float | None
    """Best objective of its search so far."""
    last: float | None
    """Mean held-out loss of its confirm runs."""
    wrong: int
    """Runs that diverged or failed."""


def progress(reader: Reader, study: Study) -> tuple[ArmSoFar, ...]:
    """Return a row an arm."""
    runs = reader.runs()
    return tuple(
        _so_far(arm.name, [run for run in runs if run.arm == arm.name], study)
        for arm in arms(study)
    )


def _so_far(name: str, mine: list[TrainingRun], study: Study) -> ArmSoFar:
    stages = {stage: [run for run in mine if run.stage == stage] for stage in ("search", "confirm")}
    values: list[float] = []
    if study.search:
        closing = (run.closing.get(study.search.objective) for run in stages["search"])
        values = [value for value in closing if value is not None and math.isfinite(value)]
    pick = max if study.search and study.search.maximize else min
    losses = [run.closing["valid/loss"] for run in stages["confirm"] if "valid/loss" in run.closing]
    return ArmSoFar(
        name,
        len(stages["search"]),
        len(stages["confirm"]),
        pick(values) if values else None,
        sum(losses) / len(losses) if losses else None,
        sum(run.status in ("diverged", "failed") for run in mine),
    )


def spec_of(reader: Reader) -> Study:
    """Return the study that runs, or has run, in a store.

    Raises:
        StoreError: it has not begun.
    """
    return Study.model_validate(reader.spec())


def so_far(reader: Reader, study: Study) -> Results:
    """Return the runs so far as results: those of the confirm stage, or before it has begun those of the search."""
    levels = {arm.name: arm.levels for arm in arms(study)}
    entries = [_entry(run, levels.get(run.arm, {})) for run in reader.runs()]
    return Results(reader, study.dump(), StudyRecord(entries, [], {}, {}, {}), {})


def _entry(run: TrainingRun, levels: Mapping[str, str]) -> RunEntry:
    return RunEntry(
        run.run_id, run.key, run.arm, levels, run.stage, run.trial, run.seed, run.status
    )


def newest(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the curves of the confirm stage if there are any, else those of the search, each run of it as a seed."""
    confirm = curves[curves["stage"] == "confirm"]
    return confirm if len(confirm) else curves.assign(seed=pd.factorize(curves["run_id"])[0])
