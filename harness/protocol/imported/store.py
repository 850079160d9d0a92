"""Imported runs into the store, as a study that has been run to its end.

Everything that reads a study (reports, verdicts, audit, MLflow's UI) reads these too.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from harness.analysis.results import Results, load
from harness.core.errors import NoStudyError, SpecError
from harness.core.records import Outcome, Point
from harness.core.study_record import FrozenEntry, RunEntry, StudyRecord
from harness.protocol.imported.tidy import ForeignRun
from harness.protocol.looks_shown import looks_shown
from harness.protocol.shown_answer import shown_answer
from harness.spec.arms import Arm, Run, build_arms
from harness.spec.keys import digest, spec_hash
from harness.spec.looks import Look, seed_in_block
from harness.spec.study import Study
from harness.tracking import About, Reader, Record, Session

_AT_ONCE = 200
"""Runs written in one batch."""


def store_study(
    study: Study,
    runs: Sequence[ForeignRun],
    places: Sequence[tuple[int, int]],
    uri: str | None = None,
) -> Results:
    """Record imported runs and the study that they answer; return its results.

    The same runs are recorded once, however often they are imported.

    Args:
        study: what is asked of them.
        runs: of all arms.
        places: search, and seed within its block, of each run.
        uri: MLflow tracking URI; by default ``MLFLOW_TRACKING_URI``, or ``mlflow.db`` in the
            working folder.

    Raises:
        SpecError: the store has a study of this name that was trained.
        StoreError: the store can't be reached or written.
    """
    assert study.imported is not None, "a study that is imported says where from"
    _refuse_trained(study, uri)
    arms = {arm.name: arm for arm in build_arms(study)}
    judged = {study.metric, *(source for claim in study.claims for source in claim.recorded)}
    records = [
        _record(arms[run.arm], run, place, judged) for run, place in zip(runs, places, strict=True)
    ]
    with closing(Session(study.name, uri)) as session:
        known = session.open(_about(study), [*arms.values()])
        earlier = session.earlier_record()
        ids = {key: run.run_id for key, run in known.items()}
        new = [record for record in records if record.key not in ids]
        for start in range(0, len(new), _AT_ONCE):
            batch = new[start : start + _AT_ONCE]
            ids |= dict(zip((own.key for own in batch), session.record(batch), strict=True))
        entries = [_entry(record, ids[record.key]) for record in records]
        looks = looks_shown(study, earlier, entries)
        answer = StudyRecord(entries, [], _as_they_are(study, arms.values()), {}, {}, looks)
        identity = digest([study.dump(), study.imported.fingerprint])
        session.write_answer(
            answer,
            {"runs": float(len(entries))},
            identity,
            partial(shown_answer, session.reader, study),
        )
    return load(study.name, uri)


def fingerprint_of(runs: Sequence[ForeignRun]) -> str:
    """Return the hash of imported runs."""
    return digest([_plain(run) for run in runs])


def _plain(run: ForeignRun) -> list[Any]:
    """Return all that a run's numbers say, as JSON holds it."""
    positions = {step: list(position) for step, position in run.positions.items()}
    return [run.arm, str(run.search), str(run.seed), run.curves, run.closing, positions]


def _refuse_trained(study: Study, uri: str | None) -> None:
    """Refuse the name of a study that was trained here, whose record would be replaced, and of an
    experiment of another program."""
    try:
        reader = Reader.of(study.name, uri)
    except NoStudyError:
        return
    if reader.study_run() is None:
        if reader.empty():
            return
        whose = "an experiment of another program"
    elif reader.spec().get("imported"):
        return
    else:
        whose = "a study that was trained"
    raise SpecError(f"name: the store has {whose} called {study.name!r}; give another name")


def _about(study: Study) -> About:
    """Return what MLflow shows of the study as a whole."""
    imported = study.imported
    assert imported is not None
    return About(
        title=study.question or study.name,
        spec=study.dump(),
        spec_hash=spec_hash(study),
        data=imported.source,
        fingerprint=imported.fingerprint,
        notes=("Trained elsewhere, and imported.", *(f"{note}." for note in imported.notes)),
    )


def _record(
    arm: Arm, run: ForeignRun, place: tuple[int, int], judged: Collection[str | None]
) -> Record:
    """Return a run as the store takes it.

    Args:
        arm: the run's arm.
        run: as it was read.
        place: search, and seed within its block.
        judged: metrics that arms are judged by; a run without a finite value of them diverged.
    """
    search, seed = place
    bad = [
        metric
        for metric, value in run.closing.items()
        if metric in judged and not math.isfinite(value)
    ]
    detail = f"its last {bad[0]} is not a finite number" if bad else ""
    outcome = Outcome("diverged" if bad else "finished", _points(run), _closing(run), detail)
    trained = Run.of(arm.recipe, seed_in_block(0, search, seed))
    key = digest(["imported", _plain(run), search, seed, sorted(bad)])
    return Record(key, trained, outcome, "confirm", arm.name, 0, arm.levels, search)


def _points(run: ForeignRun) -> tuple[Point, ...]:
    """Return a run's curves step by step."""
    points = []
    for step, (epoch, samples) in sorted(run.positions.items()):
        metrics = {name: curve[step] for name, curve in run.curves.items() if step in curve}
        if metrics:
            points.append(Point(step, epoch, samples, metrics))
    return tuple(points)


def _closing(run: ForeignRun) -> dict[str, float]:
    """Return a run's closing values, with the number of its steps where it has any."""
    steps = {"cost/steps": float(max(run.positions))} if run.positions else {}
    return {**steps, **run.closing}


def _entry(record: Record, run_id: str) -> RunEntry:
    return RunEntry(
        run_id,
        record.key,
        record.arm,
        record.levels,
        record.stage,
        record.trial,
        record.run.seed,
        record.outcome.status,
        record.search,
    )


def _as_they_are(study: Study, arms: Collection[Arm]) -> dict[str, list[FrozenEntry]]:
    """Return the arms as recipes that no search of ours froze, one for each search."""
    look: Look = study.looks[-1]
    return {
        arm.name: [
            FrozenEntry(0, arm.levels, arm.recipe.dump(), True, "", search)
            for search in look.searches
        ]
        for arm in arms
    }
