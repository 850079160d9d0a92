"""Reading studies from MLflow: runs, curves and artifacts.

Reports, notebooks and :mod:`harness.analysis.results` read through a :class:`Reader`, and so does a
:class:`harness.tracking.session.Session` while it records. Nothing here writes, so a study can be
read while another process runs it. MLflow's names of tags and metrics end here: callers get fields,
and metrics by the names that their trainer gave them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.core.errors import NoStudyError, StoreError
from harness.core.metric_names import current_name, stored_names
from harness.core.study_record import StudyRecord
from harness.tracking.opening import open_experiment
from harness.tracking.rows import JsonObject, RunCurves, StoredRun
from harness.tracking.schema import (
    IN_ARTIFACT,
    RunFile,
    StudyFile,
    Tag,
    closing_values,
    is_closing,
    is_level,
    plain_name,
)
from harness.tracking.uris import locate_ui

if TYPE_CHECKING:
    from harness.tracking.experiment import Experiment
    from harness.tracking.lease import Driver

_FILES_AT_ONCE = 4
"""Artifacts fetched at once: of a server each is a request."""


class TrainingRun(NamedTuple):
    """A training run as the store has it."""

    run_id: str
    name: str
    """As MLflow's UI shows it."""
    key: str
    arm: str
    stage: str
    trial: int
    seed: int
    status: str
    """How training ended, in the harness's words; ``?`` for a run of another program."""
    whole: bool
    """Whether it need not be trained again: it was written to its end and did not fail."""
    detail: str
    """Why it failed or diverged; else empty."""
    engine: str
    """Version of the engine that trained it."""
    params: dict[str, str]
    """Its recipe's settings, as text."""
    closing: dict[str, float]
    """Its closing values, by the trainer's names."""
    has_arrays: bool
    """Whether probes measured arrays: see :meth:`Reader.arrays`."""
    curves_at: CurvesPlace | None
    """Where its curves are, if not in MLflow's tables."""
    search: int = 0
    """Number of the search that tuned it, or that froze its recipe."""
    kept: str = ""
    """Which of its weights were kept, ``best`` or ``last``: see :meth:`Reader.weights`."""


class CurvesPlace(NamedTuple):
    """A file that has the whole curves of a run: the run's own, or one that the batch shares with
    which the run was sent to a server."""

    owner: str
    """Id of the run whose artifact it is; empty for the study's."""
    name: str
    entry: str
    """What the file has the curves under; empty if it is the run's alone."""


class StudyFiles(NamedTuple):
    """The files of a study that has been run to its end."""

    spec: JsonObject
    record: StudyRecord
    """Which runs answer the study, its trials and its winners."""
    environment: JsonObject
    identity: str = ""
    """Of the answer: the hash of all that it follows from; empty if it is not whole, or the study
    has been started again."""


class Reader:
    """A study's runs, curves and artifacts.

    Args:
        experiment: the study's experiment; :meth:`of` finds it by name.
    """

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self.study, self.uri = experiment.study, experiment.uri
        self._places: dict[str, CurvesPlace | None] = {}
        """Where the curves of the runs seen so far are; None: in MLflow's tables. It never changes,
        since a run is written once."""
        self._study_run: str | None = None
        """Id of the study's own run, once it has been asked for and was there."""

    @classmethod
    def of(cls, study: str, uri: str | None = None) -> Reader:
        """Return the reader of a study.

        Args:
            study: its name.
            uri: MLflow's tracking URI; by default ``MLFLOW_TRACKING_URI``, or ``mlflow.db`` in the
                working folder.

        Raises:
            NoStudyError: the store has no such study.
            StoreError: the store can't be reached.
        """
        return cls(open_experiment(study, uri, create=False))

    def runs(self) -> list[TrainingRun]:
        """Return the training runs, in the order of their starts.

        They are read anew at every call, failed ones among them; those that are superseded are not.
        """
        runs = training_runs(self._experiment.bulk.rows())
        # curves() is given ids alone, mostly of these runs: so it need not read them again
        self._places |= {run.run_id: run.curves_at for run in runs}
        return runs

    def curves(
        self, run_ids: Iterable[str], metrics: Sequence[str] | None = None
    ) -> dict[str, RunCurves]:
        """Return the curves of some runs, in full.

        Args:
            run_ids: the runs.
            metrics: the metrics wanted; all by default.

        Returns:
            ``(step, value)`` pairs by run and metric, which has today's name if it has been
            renamed. A metric that a run did not record is missing. Closing values are no curves:
            see :attr:`TrainingRun.closing`.
        """
        wanted = set(run_ids)
        if not wanted <= self._places.keys():
            self.runs()
        in_files = {run_id: place for run_id in wanted if (place := self._places.get(run_id))}
        in_tables = wanted - in_files.keys()
        # runs that older versions recorded have metrics by the names of then
        names = None if metrics is None else stored_names(metrics)
        curves: dict[str, RunCurves] = {}
        if in_tables:
            curves |= self._experiment.bulk.curves(in_tables, names)
        curves |= self._curves_in_files(in_files)
        return {run_id: _picked(own, names) for run_id, own in curves.items()}

    def _curves_in_files(self, places: Mapping[str, CurvesPlace]) -> dict[str, RunCurves]:
        """Return the curves that files have, by run; a file that many runs share is read once."""
        files = sorted({(place.owner or self._owner(), place.name) for place in places.values()})
        with ThreadPoolExecutor(_FILES_AT_ONCE) as pool:
            contents = pool.map(lambda file: self._experiment.read_json(*file), files)
            by_file = dict(zip(files, contents, strict=True))
        curves: dict[str, RunCurves] = {}
        for run_id, place in places.items():
            content = by_file[place.owner or self._owner(), place.name]
            curves[run_id] = content[place.entry] if place.entry else content
        return curves

    def _owner(self) -> str:
        owner = self.study_run()
        assert owner is not None, "a file of the study's belongs to the study's run"
        return owner

    def arrays(self, run_id: str) -> JsonObject:
        """Return the arrays that probes measured last, as nested lists by name.

        Args:
            run_id: a run with :attr:`TrainingRun.has_arrays`; another has no such file.
        """
        return self._experiment.read_json(run_id, RunFile.ARRAYS)

    def weights(self, run_id: str) -> dict[str, np.ndarray]:
        """Return the weights that a run kept, by the network's own names.

        Args:
            run_id: a run with :attr:`TrainingRun.kept`; another has no such file.
        """
        from safetensors.numpy import load  # only who asks for weights pays for its import

        kept = load(self._experiment.read_bytes(run_id, RunFile.WEIGHTS))
        return {name: array.copy() for name, array in kept.items()}  # they can't be written to

    def study_run(self) -> str | None:
        """Return the id of the study's own run, if the study has begun."""
        if self._study_run is None:
            self._study_run = self._experiment.study_run()
        return self._study_run

    def empty(self) -> bool:
        """Return whether the experiment has no run of any kind, of any program."""
        return not self._experiment.bulk.rows()

    def driver(self) -> Driver | None:
        """Return who runs the study at the moment, and how far it is; None for nobody."""
        from harness.tracking.lease import Driver  # psutil, which other readers do without

        found = Driver.parse(self._experiment.read_driver())
        return None if found is None or found.holder.gone else found

    def complete(self) -> bool:
        """Return whether the study has been run to its end."""
        return any(row.tags.get(Tag.ANSWER) for row in self._experiment.bulk.rows())

    def runs_of_answer(self, identity: str) -> int | None:
        """Return the number of runs behind the study's answer, if it is the one asked for.

        Args:
            identity: hash of all that the answer follows from (spec, data, own code, engine).

        Returns:
            None where the study has no answer, or one to another question.
        """
        experiment = self._experiment
        return experiment.patiently(lambda: experiment.runs_of_answer(identity), "to be read")

    def spec(self) -> JsonObject:
        """Return the study's spec, in plain form, as it was last started.

        Raises:
            NoStudyError: it has not begun.
        """
        study_run = self.study_run()
        # the run is there a moment before its spec is
        if study_run is None or not self._experiment.has_artifact(study_run, StudyFile.SPEC):
            raise NoStudyError(f"study {self.study!r} has not begun; start it with 'harness run'")
        return self._experiment.read_json(study_run, StudyFile.SPEC)

    def environment(self) -> JsonObject:
        """Return what the study was last run with: commit, packages and hardware."""
        return self._experiment.read_json(self._owner(), StudyFile.ENVIRONMENT)

    def files(self) -> StudyFiles:
        """Return the study's spec, its record, and its environment.

        A study that was started again still has the record of its last end.

        Raises:
            StoreError: the study has never been run to its end.
        """
        from harness.tracking.experiment import mlflow_errors

        unfinished = (
            f"study {self.study!r} has not been run to its end; "
            "'harness run' goes on where it stopped"
        )
        study_run = self.study_run()
        if study_run is None:
            raise StoreError(unfinished)
        names = (StudyFile.SPEC, StudyFile.INDEX, StudyFile.ENVIRONMENT)
        try:
            spec, record, environment = (
                self._experiment.read_json(study_run, name) for name in names
            )
            identity = self._experiment.identity_of(study_run)
            return StudyFiles(spec, StudyRecord.from_plain(record), environment, identity)
        except mlflow_errors(OSError) as error:  # the record is written last: it is not there
            raise StoreError(unfinished) from error

    def run_url(self, run_id: str) -> str:
        """Return where MLflow's UI shows a run: on the tracking server, or where ``harness ui``
        serves it."""
        place = f"#/experiments/{self._experiment.id}/runs/{run_id}"
        return f"{locate_ui(self.uri)}/{place}?workflowType=machine_learning"


def training_runs(rows: Iterable[StoredRun]) -> list[TrainingRun]:
    """Return the training runs among a study's runs: only they have a key."""
    return [_training_run(row) for row in rows if Tag.KEY in row.tags]


def _training_run(row: StoredRun) -> TrainingRun:
    # Only the key must be there: a run that an older version or another program recorded may lack
    # the others, and is shown as far as it goes.
    tags = row.tags
    return TrainingRun(
        run_id=row.run_id,
        name=tags.get(Tag.RUN_NAME, ""),
        key=tags[Tag.KEY],
        arm=tags.get(Tag.ARM, ""),
        stage=tags.get(Tag.STAGE, ""),
        trial=int(tags.get(Tag.TRIAL, 0)),
        seed=int(tags.get(Tag.SEED, 0)),
        status=tags.get(Tag.STATUS, "?"),
        whole=row.status == "FINISHED",
        detail=tags.get(Tag.DETAIL, ""),
        engine=tags.get(Tag.ENGINE, ""),
        params={plain_name(name): text for name, text in row.params.items() if not is_level(name)},
        closing=closing_values(row.metrics),
        has_arrays=Tag.ARRAYS in tags,
        curves_at=_curves_place(row),
        search=int(tags.get(Tag.SEARCH, 0)),
        kept=tags.get(Tag.WEIGHTS, ""),
    )


def _curves_place(row: StoredRun) -> CurvesPlace | None:
    """Return the file with a run's curves; None where MLflow's tables have them whole."""
    name = row.tags.get(Tag.CURVES)
    if name is None:
        return None
    if name == IN_ARTIFACT:
        return CurvesPlace(row.run_id, RunFile.CURVES, "")
    return CurvesPlace("", name, row.tags[Tag.RECORD])


def _picked(curves: RunCurves, names: Collection[str] | None) -> RunCurves:
    """Return the curves of some metrics, or of all, by today's names."""
    return {
        current_name(name): points
        for name, points in curves.items()
        if not is_closing(name) and (names is None or name in names)
    }
