"""All that MLflow has of one run, whatever study it belongs to: what ``harness reproduce`` needs to
train it again."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from harness.core.errors import StoreError
from harness.tracking.opening import open_experiment
from harness.tracking.reader import Reader, TrainingRun
from harness.tracking.rows import JsonObject, RunCurves
from harness.tracking.schema import StudyFile
from harness.tracking.studies import owner_of


class RecordedRun(NamedTuple):
    """One run as it was recorded, with what its study was run with."""

    study: str
    run: TrainingRun
    curves: RunCurves
    spec: JsonObject
    environment: JsonObject


def load_run(run_id: str, uri: str | None = None, code: Path | None = None) -> RecordedRun:
    """Return a run by its id.

    Args:
        run_id: MLflow's id of the run.
        uri: MLflow's tracking URI; by default :func:`harness.tracking.uris.default_uri`.
        code: folder that the study's own code is copied to, if it has any; by default it is not.

    Returns:
        The run with its whole curves.

    Raises:
        StoreError: there is no such run, or it is none of the harness's.
    """
    study, name = owner_of(run_id, uri)
    experiment = open_experiment(study, uri, create=False)
    reader = Reader(experiment)
    # through the reader, which learns by it where the run's curves are
    run = next((run for run in reader.runs() if run.run_id == run_id), None)
    study_run = reader.study_run()
    if run is None or study_run is None:
        raise StoreError(f"run {run_id!r}: expected a training run of the harness, got {name!r}")
    if code is not None:
        experiment.copy_folder(study_run, StudyFile.CODE, code)
    curves = reader.curves([run_id])[run_id]
    return RecordedRun(study, run, curves, reader.spec(), reader.environment())
