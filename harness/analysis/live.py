"""What a running study has so far, for ``harness watch`` and its page.

A study's record is written when it ends; until then everything here comes from the runs alone.
Nothing is judged: with some of the runs a verdict would be a look that was not declared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from harness.analysis.results import Results
from harness.core.study_record import RunEntry, StudyRecord
from harness.spec.arms import build_arms
from harness.spec.stored import read_stored
from harness.spec.study import Study
from harness.tracking import Reader, TrainingRun


class ArmSoFar(NamedTuple):
    """One arm of a running study."""

    arm: str
    searched: int
    """Runs of its search that are recorded."""
    confirmed: int
    """Runs of its confirmation that are recorded."""
    best: float | None
    """Best objective of its search so far, by single runs; None before the first."""
    last: float | None
    """Mean validation loss of its confirm runs; None before the first. Test data wait for the
    end."""
    wrong: int
    """Runs that diverged or failed."""


def summarize_arms(reader: Reader, study: Study) -> tuple[ArmSoFar, ...]:
    """Return what each arm of a running study has so far.

    Args:
        reader: of the study's store; it is asked once.
        study: the study.

    Returns:
        A row for each arm, in the study's order; an arm without runs has one too.
    """
    runs = reader.runs()
    return tuple(
        _so_far(arm.name, [run for run in runs if run.arm == arm.name], study)
        for arm in build_arms(study)
    )


def say_state(reader: Reader, rows: Sequence[ArmSoFar]) -> str:
    """Return in a sentence what is done of a study, what is planned, and the time left.

    Args:
        reader: of the study's store, which has what the study's driver tells.
        rows: what each arm has so far.
    """
    driver = reader.driver()
    told = driver.progress if driver is not None else {}
    planned = told.get("runs")
    of = planned if isinstance(planned, Mapping) else {}
    done = {"search": sum(r.searched for r in rows), "confirm": sum(r.confirmed for r in rows)}
    counts = " and ".join(
        f"{count} of {of[stage]} {stage} runs" if stage in of else f"{count} {stage} runs"
        for stage, count in done.items()
        if count or stage in of or not of
    )
    if driver is None and reader.complete():
        return f"Finished: {counts} are done"
    if driver is None:
        return f"Nobody runs it at the moment: {counts} are done, and 'harness run' goes on"
    return f"{counts} are done; {told.get('left', 'time left not known yet')}"


def _so_far(name: str, runs: list[TrainingRun], study: Study) -> ArmSoFar:
    """Return the row of an arm, given its runs."""
    searched = [run for run in runs if run.stage == "search"]
    confirmed = [run for run in runs if run.stage == "confirm"]
    losses = _closing(confirmed, "valid/loss")
    return ArmSoFar(
        name,
        len(searched),
        len(confirmed),
        _best(searched, study),
        sum(losses) / len(losses) if losses else None,
        sum(run.status in ("diverged", "failed") for run in runs),
    )


def _best(searched: list[TrainingRun], study: Study) -> float | None:
    """Return the best objective of a search so far; None where there is none yet.

    An approximation for display: it takes single runs' last values, without the search's ``reduce``
    and its mean over repeats.
    """
    if study.search is None:
        return None
    values = [v for v in _closing(searched, study.search.objective) if math.isfinite(v)]
    if not values:
        return None
    return max(values) if study.search.maximize else min(values)


def _closing(runs: list[TrainingRun], metric: str) -> list[float]:
    """Return the closing values of a metric, of the runs that have one."""
    return [run.closing[metric] for run in runs if metric in run.closing]


def read_study(reader: Reader) -> Study:
    """Return the study that runs, or has run, in a store.

    Raises:
        StoreError: it has not begun.
    """
    return read_stored(reader.spec())


def collect_so_far(reader: Reader, study: Study) -> Results:
    """Return the runs so far as results, without trials, winners and clocks.

    Args:
        reader: of the study's store.
        study: the study, by which arms get their levels.

    Returns:
        Tables as of a study that has ended, so that the report's figures can draw them; ``trials``
        is empty, and ``winners`` and ``clock`` have no arm.
    """
    levels = {arm.name: arm.levels for arm in build_arms(study)}
    entries = [_entry(run, levels.get(run.arm, {})) for run in reader.runs()]
    return Results(reader, study.dump(), StudyRecord(entries, [], {}, {}, {}), {})


def _entry(run: TrainingRun, levels: Mapping[str, str]) -> RunEntry:
    return RunEntry(
        run.run_id,
        run.key,
        run.arm,
        levels,
        run.stage,
        run.trial,
        run.seed,
        run.status,
        run.search,
    )


def select_newest(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the curves of the confirm stage, or before it has begun those of the search.

    Args:
        curves: those of all runs so far.

    Returns:
        The curves of one stage; each run of a search counts as a seed of its own.
    """
    confirm = curves[curves["stage"] == "confirm"]
    # All trials of a search have the same seed, by which figures would take them for one run.
    return confirm if len(confirm) else curves.assign(seed=pd.factorize(curves["run_id"])[0])
