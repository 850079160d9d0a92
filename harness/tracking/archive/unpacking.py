"""An archive into a store: the same study, under ids of the store's own."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from harness.core.errors import StoreError
from harness.core.study_record import StudyRecord
from harness.tracking.archive.file import ArchiveReader
from harness.tracking.archive.form import (
    ARRAYS,
    CODE,
    CURVES,
    RUNS,
    STUDY,
    WEIGHTS,
    ArchivedRun,
    ArchivedStudy,
    Curves,
    read_form,
)
from harness.tracking.experiment import Experiment
from harness.tracking.lease import Lease
from harness.tracking.opening import open_experiment
from harness.tracking.rows import (
    POINTS_SHOWN,
    JsonObject,
    NewRun,
    StoredRun,
    StudyData,
    pack_bytes,
    thin,
)
from harness.tracking.schema import IN_ARTIFACT, RunFile, StudyFile, Tag, levels_among

_AT_ONCE = 200
"""Runs written in one batch."""


class Unpacked(NamedTuple):
    """What an import did."""

    study: str
    runs: int
    """In the archive."""
    added: int
    """Those that the store had not."""


class _Checked(NamedTuple):
    """An archive whose every file has been read once and found right."""

    archive: ArchiveReader
    study: ArchivedStudy
    runs: Mapping[str, ArchivedRun]
    """By the name of their files."""
    spec: JsonObject
    environment: JsonObject
    record: StudyRecord


def unpack_study(path: Path, uri: str | None) -> Unpacked:
    """Record the study of an archive in a store; what is there already is left as it is.

    Everything is checked before anything is written. No code of the study is imported or run.

    Args:
        path: the archive.
        uri: MLflow's tracking URI of the store, which is made if it is a missing SQLite file.

    Raises:
        ArchiveError: it can't be read, or not be trusted.
        StoreError: the store has another study of this name, or can't be written.
    """
    with closing(ArchiveReader(path)) as archive:
        checked = _check(archive)
        experiment = open_experiment(checked.study.name, uri, create=True)
        with experiment.telling_failures("an archive"):
            rows = experiment.bulk.rows()
            ids = {row.tags[Tag.KEY]: row.run_id for row in rows if Tag.KEY in row.tags}
            missing = [name for name, run in checked.runs.items() if run.key not in ids]
            done = Unpacked(checked.study.name, len(checked.runs), len(missing))
            if not missing and _answered(rows):
                return done
            _refuse_other_study(checked, rows)
            lease = Lease(experiment, experiment.uri, experiment.study)
            try:
                _write(experiment, checked, rows, ids, missing)
            finally:
                lease.release()
    return done


def _check(archive: ArchiveReader) -> _Checked:
    """Read every file once; what is large is read again when it is written."""
    study = read_form(archive, STUDY, ArchivedStudy)
    runs = {Path(name).stem: read_form(archive, name, ArchivedRun) for name in archive.names(RUNS)}
    arms = {arm.name for arm in study.arms}
    for name, run in runs.items():
        if run.arm not in arms:
            raise archive.error(f"{RUNS}/{name}.json", f"{STUDY} has no arm {run.arm!r}")
        _new_run(archive, name, run, "")
    for name in archive.names(CODE):
        _text(archive, name)
    spec, environment = (
        _mapping(archive, name) for name in (StudyFile.SPEC, StudyFile.ENVIRONMENT)
    )
    if spec.get("name") != study.name:
        raise archive.error(StudyFile.SPEC, f"expected the name {study.name!r}")
    try:
        record = StudyRecord.from_plain(_mapping(archive, StudyFile.INDEX))
        known = {run.key for run in runs.values()}
        lacking = next((run.key for run in record.runs if run.key not in known), None)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise archive.error(StudyFile.INDEX, f"{type(error).__name__}: {error}") from None
    if lacking is not None:
        raise archive.error(StudyFile.INDEX, f"it names a run that is not there: {lacking[:16]}")
    return _Checked(archive, study, runs, spec, environment, record)


def _mapping(archive: ArchiveReader, name: str) -> JsonObject:
    plain = archive.read_json(name)
    if not isinstance(plain, dict):
        raise archive.error(name, "expected a mapping")
    return plain


def _text(archive: ArchiveReader, name: str) -> str:
    try:
        return archive.read(name).decode()
    except UnicodeDecodeError:
        raise archive.error(name, "expected text in UTF-8") from None


def _answered(rows: Sequence[StoredRun]) -> bool:
    return any(row.tags.get(Tag.ANSWER) for row in rows)


def _refuse_other_study(checked: _Checked, rows: Sequence[StoredRun]) -> None:
    """Refuse to mix a study with another of its name, and with runs of other programs."""
    if not rows:
        return
    owner = next((row for row in rows if row.tags.get(Tag.KIND) == "study"), None)
    name = checked.study.name
    if owner is None:
        raise StoreError(
            f"the store has an experiment of another program called {name!r}; import into another "
            "store with --store"
        )
    if owner.tags.get(Tag.SPEC) != checked.study.tags.get(Tag.SPEC):
        raise StoreError(
            f"the store has another study called {name!r}, with another spec; import into another "
            "store, such as --store sqlite:///imported.db"
        )


def _write(
    experiment: Experiment,
    checked: _Checked,
    rows: Sequence[StoredRun],
    ids: dict[str, str],
    missing: Sequence[str],
) -> None:
    """Write what the store lacks; the study counts as answered last, when all the rest is there.

    Args:
        experiment: of the store.
        checked: the archive.
        rows: what the experiment has.
        ids: of its training runs, by key; those that are added are put in.
        missing: runs to add, by the names of their files.
    """
    answered = _answered(rows)
    owner, arms = _write_parents(experiment, checked, rows)
    for start in range(0, len(missing), _AT_ONCE):
        batch = [
            _new_run(checked.archive, name, checked.runs[name], arms[checked.runs[name].arm])
            for name in missing[start : start + _AT_ONCE]
        ]
        given = experiment.bulk.write(batch, (), owner)
        ids |= {run.key: run_id for run, run_id in zip(batch, given, strict=True)}
    if answered:  # its own answer stays
        return
    runs = [run._replace(run_id=ids[run.key]) for run in checked.record.runs]
    experiment.write_json(owner, StudyFile.INDEX, checked.record._replace(runs=runs).to_plain())
    experiment.set_values(owner, {Tag.ANSWER: checked.study.identity}, checked.study.metrics)


def _write_parents(
    experiment: Experiment, checked: _Checked, rows: Sequence[StoredRun]
) -> tuple[str, dict[str, str]]:
    """Make the runs of the study and its arms where they are missing, with the study's files.

    Returns:
        The id of the study's run, and those of the arms' by arm.
    """
    study, archive = checked.study, checked.archive
    there = {(row.tags.get(Tag.KIND), row.tags.get(Tag.ARM)): row.run_id for row in rows}
    data = StudyData(study.data, study.fingerprint)
    owner = there.get(("study", None))
    if owner is None:
        owner = experiment.add_parent(study.name, {**study.tags, Tag.ANSWER: ""}, data)
    arms = {}
    for arm in study.arms:
        tags = arm.tags | {Tag.PARENT: owner}
        arms[arm.name] = there.get(("arm", arm.name)) or experiment.add_parent(arm.name, tags, data)
    experiment.set_title(study.title)
    experiment.write_json(owner, StudyFile.SPEC, checked.spec)
    experiment.write_json(owner, StudyFile.ENVIRONMENT, checked.environment)
    for name in archive.names(CODE):
        experiment.write_text(
            owner, f"{StudyFile.CODE}/{name.partition('/')[2]}", _text(archive, name)
        )
    if StudyFile.DIFF in archive.sizes:
        experiment.write_text(owner, StudyFile.DIFF, _text(archive, StudyFile.DIFF))
    return owner, arms


def _new_run(archive: ArchiveReader, name: str, run: ArchivedRun, parent: str) -> NewRun:
    """Return a run as the store takes it, with its curves, arrays and weights.

    Raises:
        ArchiveError: one of its files has another form.
    """
    curves = _curves(archive, f"{CURVES}/{name}.json")
    steps = sorted({step for curve in curves.values() for step, _ in curve})
    files: dict[str, Mapping[str, object]] = {}
    tags = {key: text for key, text in run.tags.items() if key != Tag.WEIGHTS}
    tags |= {Tag.PARENT: parent, Tag.KEY: run.key}
    if len(steps) > POINTS_SHOWN + 1:
        files[RunFile.CURVES], tags[Tag.CURVES] = curves, IN_ARTIFACT
    if (arrays := f"{ARRAYS}/{name}.json") in archive.sizes:
        files[RunFile.ARRAYS], tags[Tag.ARRAYS] = _mapping(archive, arrays), IN_ARTIFACT
    if (weights := f"{WEIGHTS}/{name}.safetensors") in archive.sizes:
        files[RunFile.WEIGHTS] = pack_bytes(archive.read(weights))
        tags[Tag.WEIGHTS] = run.tags.get(Tag.WEIGHTS, "last")
    shown = {*thin(steps)}
    points = [
        (metric, step, value)
        for metric, curve in curves.items()
        for step, value in curve
        if step in shown
    ]
    took = int(1000 * run.closing.get("cost/seconds", 0))
    return NewRun(
        run_id=uuid.uuid4().hex,
        key=run.key,
        name=run.name,
        status=run.status,
        start=run.start,
        end=run.start + took,
        tags=tags,
        params=run.params | levels_among(run.tags),  # older versions had the tags alone
        metrics=points + [(metric, 0, value) for metric, value in run.closing.items()],
        files=files,
    )


_CURVES: TypeAdapter[Curves] = TypeAdapter(Curves)


def _curves(archive: ArchiveReader, name: str) -> Curves:
    try:
        return _CURVES.validate_python(archive.read_json(name))
    except ValidationError as error:
        raise archive.error(name, error.errors()[0]["msg"]) from None
