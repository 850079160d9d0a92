"""A study of a store into an archive."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.core.temporary import temporary_folder
from harness.tracking.archive.file import ArchiveWriter, writing
from harness.tracking.archive.form import (
    ARRAYS,
    CODE,
    CURVES,
    RUNS,
    STUDY,
    WEIGHTS,
    ArchivedArm,
    ArchivedRun,
    ArchivedStudy,
)
from harness.tracking.experiment import Experiment
from harness.tracking.opening import open_experiment
from harness.tracking.reader import Reader
from harness.tracking.rows import StoredRun
from harness.tracking.schema import RunFile, StudyFile, Tag, is_closing
from harness.tracking.views import without_links

_AT_ONCE = 1000
"""Runs whose curves are read at once."""
_OF_ONE_STORE = (
    *(Tag.PARENT, Tag.RECORD, Tag.CURVES, Tag.ARRAYS, Tag.DRIVER),
    *(Tag.MEAN_OF, Tag.CURVES_OF),
)
"""Tags that say where things are in the store, and nothing of the study."""


def pack_study(
    study: str, uri: str | None, path: Path, made_by: str, beside: Mapping[str, bytes]
) -> int:
    """Write a study that has been run to its end into an archive.

    Args:
        study: its name.
        uri: MLflow's tracking URI.
        path: the archive, which is replaced.
        made_by: version of the harness.
        beside: further files by name, for people: tables, the report.

    Returns:
        The number of runs.

    Raises:
        StoreError: the store has no such study, or it has not been run to its end.
        HarnessError: the file can't be written.
    """
    experiment = open_experiment(study, uri, create=False)
    reader = Reader(experiment)
    reader.files()  # a study that has not been run to its end is refused
    rows = experiment.bulk.rows()
    runs = [row for row in rows if Tag.KEY in row.tags and row.status in ("FINISHED", "FAILED")]
    owner = reader.study_run()
    assert owner is not None, "a study with files has a run"
    with writing(path) as archive:
        archive.add_json(STUDY, _study(experiment, owner, rows).model_dump())
        for name in (StudyFile.SPEC, StudyFile.INDEX, StudyFile.ENVIRONMENT):
            archive.add(name, experiment.read_bytes(owner, name))
        if experiment.has_artifact(owner, StudyFile.DIFF):
            archive.add(StudyFile.DIFF, experiment.read_bytes(owner, StudyFile.DIFF))
        _add_code(archive, experiment, owner)
        for start in range(0, len(runs), _AT_ONCE):
            _add_runs(archive, experiment, reader, runs[start : start + _AT_ONCE], start)
        for name, content in beside.items():
            archive.add(name, content)
        archive.finish({"study": study, "harness": made_by, "runs": len(runs)})
    return len(runs)


def _study(experiment: Experiment, owner: str, rows: list[StoredRun]) -> ArchivedStudy:
    """Return the study's own run and its arms'."""
    run = experiment.client.get_run(owner)
    inputs = run.inputs.dataset_inputs if run.inputs else []
    title = experiment.client.get_experiment(experiment.id).tags.get(Tag.NOTE, "")
    tags = _portable(run.data.tags)
    return ArchivedStudy(
        name=experiment.study,
        title=without_links(title),
        data=inputs[0].dataset.name if inputs else "",
        fingerprint=inputs[0].dataset.digest if inputs else "",
        identity=tags.pop(Tag.ANSWER, ""),
        tags=tags,
        metrics=dict(run.data.metrics),
        arms=[
            ArchivedArm(name=row.tags[Tag.ARM], tags=_portable(row.tags))
            for row in rows
            if row.tags.get(Tag.KIND) == "arm"
        ],
    )


def _add_code(archive: ArchiveWriter, experiment: Experiment, owner: str) -> None:
    with temporary_folder("archive") as folder:
        experiment.copy_folder(owner, StudyFile.CODE, Path(folder))
        root = Path(folder) / StudyFile.CODE
        for file in sorted(path for path in root.rglob("*") if path.is_file()):
            archive.add(f"{CODE}/{file.relative_to(root).as_posix()}", file.read_bytes())


def _add_runs(
    archive: ArchiveWriter,
    experiment: Experiment,
    reader: Reader,
    rows: list[StoredRun],
    first: int,
) -> None:
    curves = reader.curves([row.run_id for row in rows])
    for number, row in enumerate(rows, first):
        name = f"{number:06d}"
        archive.add_json(f"{RUNS}/{name}.json", _run(row).model_dump())
        archive.add_json(f"{CURVES}/{name}.json", curves.get(row.run_id, {}))
        if Tag.ARRAYS in row.tags:
            archive.add_json(f"{ARRAYS}/{name}.json", reader.arrays(row.run_id))
        if Tag.WEIGHTS in row.tags:
            weights = experiment.read_bytes(row.run_id, RunFile.WEIGHTS)
            archive.add(f"{WEIGHTS}/{name}.safetensors", weights)


def _run(row: StoredRun) -> ArchivedRun:
    return ArchivedRun(
        run_id=row.run_id,
        key=row.tags[Tag.KEY],
        name=row.tags.get(Tag.RUN_NAME, ""),
        status="FAILED" if row.status == "FAILED" else "FINISHED",
        start=row.start,
        arm=row.tags.get(Tag.ARM, ""),
        tags=_portable(row.tags),
        params=dict(row.params),
        closing={name: value for name, value in row.metrics.items() if is_closing(name)},
    )


def _portable(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags without those that hold for one store only."""
    return {name: text for name, text in tags.items() if name not in _OF_ONE_STORE}
