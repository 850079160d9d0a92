"""One study's runs in MLflow: what is known, what is new, and which runs answer the question."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, RunTag
from mlflow.exceptions import MlflowException

from harness.core.errors import NoStudyError, StoreError
from harness.core.paths import cache_folder
from harness.spec.arms import Arm
from harness.tracking.connect import artifact_place, connect, default_uri, remote
from harness.tracking.database import Database
from harness.tracking.provenance import diff, environment
from harness.tracking.rows import Curves, Record, Row, level_tags, origin_tags, row_of
from harness.tracking.server import Server
from harness.tracking.spool import PATIENCE, AwayError, Batch, Spool, insist
from harness.tracking.uris import public, said

T = TypeVar("T")


class Known(NamedTuple):
    """A run that the store has already."""

    run_id: str
    status: str
    closing: dict[str, float]
    """Latest value of every metric."""


class About(NamedTuple):
    """What a study is, as its own run in MLflow shows it."""

    title: str
    spec: Mapping[str, Any]
    spec_hash: str
    data: str
    fingerprint: str
    code: Mapping[str, str] = {}
    """The user's own files that the study's parts come from, by path."""


class Store:
    """One study's runs in MLflow.

    Args:
        study: name of the study, and of its experiment.
        uri: MLflow tracking URI; by default :func:`default_uri`.
        create: make the store and the experiment if they are missing.
        patience: seconds that a server may be away in mid-study.

    Raises:
        StoreError: the store can't be reached, or there is nothing and ``create`` is false.
    """

    def __init__(
        self, study: str, uri: str | None = None, create: bool = True, patience: float = PATIENCE
    ) -> None:
        self.study, self.uri, self.patience = study, uri or default_uri(), patience
        try:
            self.client, engine = connect(self.uri, create)
            self.experiment, place = self._experiment(create)
        except (MlflowException, sa.exc.SQLAlchemyError, OSError) as error:
            raise StoreError(
                f"MLflow at {public(self.uri)} can't be used: {said(error, self.uri)}"
            ) from error
        self.runs = (
            Database(engine, self.experiment, place)
            if engine is not None
            else Server(self.client, self.experiment)
        )
        self.parent = ""
        self.parents: dict[str, str] = {}
        self.by_key: dict[str, list[str]] = {}
        self.clocks: dict[str, dict[str, Any]] = {}
        """What the clock of each arm was read as."""
        self.kept: dict[str, tuple[str, str, str] | None] = {}
        """Where the curves of each run seen so far are, as :func:`_kept` says it."""
        self.spool: Spool | None = None
        self.given: dict[str, str] = {}
        """The ids that the server gave to runs, by those that they had before."""

    def _experiment(self, create: bool) -> tuple[str, str]:
        found = self.client.get_experiment_by_name(self.study)
        if found is None:
            if not create:
                where = public(self.uri)
                raise NoStudyError(
                    f"no study {self.study!r} in MLflow at {where}; run it first with 'harness run'"
                )
            made = self.client.create_experiment(
                self.study, artifact_location=artifact_place(self.uri, self.study)
            )
            found = self.client.get_experiment(made)
        if found.lifecycle_stage != "active":
            self.client.restore_experiment(found.experiment_id)
        return str(found.experiment_id), str(found.artifact_location)

    def leaves(self) -> list[dict[str, Any]]:
        """Return the training runs as ``run_id``, ``status``, ``start``, ``tags``, ``params`` and latest ``metrics``."""
        rows = [row for row in self.runs.rows() if "harness.key" in row["tags"]]
        self.kept |= {row["run_id"]: _kept(row) for row in rows}
        return rows

    def curves(
        self, run_ids: Iterable[str], metrics: Sequence[str] | None = None
    ) -> dict[str, Curves]:
        """Return the curves by run; those that an artifact has whole come from there."""
        wanted = set(run_ids)
        if not wanted <= self.kept.keys():
            self.leaves()
        places = {run_id: place for run_id in wanted if (place := self.kept.get(run_id))}
        rest = wanted - places.keys()
        found = self.runs.curves(rest, metrics) if rest else {}
        files = sorted({(owner, name) for owner, name, _ in places.values()})
        top = self.parent or (self.top() if files else "") or ""
        with ThreadPoolExecutor(4) as pool:
            contents = dict(
                zip(
                    files,
                    pool.map(lambda file: self.artifact(file[0] or top, file[1]), files),
                    strict=True,
                )
            )
        for run_id, (owner, name, record) in places.items():
            whole = contents[owner, name][record] if record else contents[owner, name]
            found[run_id] = {
                metric: points
                for metric, points in whole.items()
                if not metrics or metric in metrics
            }
        return found

    def top(self) -> str | None:
        """Return the id of the study's own run, if it has begun."""
        found = self.client.search_runs(
            [self.experiment], "tags.`harness.kind` = 'study'", max_results=1
        )
        return str(found[0].info.run_id) if found else None

    def open_study(self, about: About, arms: Sequence[Arm]) -> dict[str, Known]:
        """Make or reopen the study's run and its arms' runs; return the finished runs by key.

        Runs that a killed process left waiting for a server are sent first; those it left half written are thrown away.
        """
        if remote(self.uri):
            self.spool = Spool(self._waiting_room(), self._deliver, patience=self.patience)
            self.spool.flush()
        self._sweep()
        rows = self.runs.rows()
        dataset = DatasetInput(
            Dataset(about.data, about.fingerprint[:36], "local", "{}"),
            [InputTag("mlflow.data.context", "train")],
        )
        clocked = (row["tags"] for row in rows if "harness.protocol.timing" in row["tags"])
        self.clocks = {
            tags["harness.arm"]: json.loads(tags["harness.protocol.timing"]) for tags in clocked
        }
        parents = {
            (r["tags"].get("harness.kind"), r["tags"].get("harness.arm")): r["run_id"] for r in rows
        }
        self.parent = self._parent(
            parents.get(("study", None)), self.study, _study_tags(about), dataset
        )
        self._describe(about)
        for arm in arms:
            tags = {
                "harness.kind": "arm",
                "harness.arm": arm.name,
                "mlflow.parentRunId": self.parent,
                **level_tags(arm.levels),
            }
            self.parents[arm.name] = self._parent(
                parents.get(("arm", arm.name)), arm.name, tags, dataset
            )
        return self._known(rows)

    def _waiting_room(self) -> Path:
        name = hashlib.sha256(f"{public(self.uri)} {self.study}".encode()).hexdigest()[:16]
        return cache_folder() / "spool" / name

    def _sweep(self) -> None:
        """Throw away runs that were never written to their end."""
        for run in self.client.search_runs(
            [self.experiment], "attributes.status = 'RUNNING'", max_results=1000
        ):
            if "harness.key" in run.data.tags:
                self.client.delete_run(run.info.run_id)

    def _parent(
        self, run_id: str | None, name: str, tags: dict[str, str], dataset: DatasetInput
    ) -> str:
        """Make or reopen a run that others are nested in; it is never left RUNNING, since nothing goes on in it."""
        tags = tags | origin_tags()
        if run_id is not None:
            self.client.log_batch(run_id, tags=[RunTag(k, v) for k, v in tags.items()])
            return run_id
        run = self.client.create_run(self.experiment, run_name=name[:250], tags=tags)
        self.client.log_inputs(run.info.run_id, [dataset])
        self.client.set_terminated(run.info.run_id)
        return str(run.info.run_id)

    def _describe(self, about: About) -> None:
        self.client.set_experiment_tag(self.experiment, "mlflow.note.content", about.title)
        self.client.log_dict(self.parent, dict(about.spec), "spec.json")
        self.client.log_dict(self.parent, environment(), "environment.json")
        for path, text in about.code.items():
            self.client.log_text(self.parent, text, f"code/{path}")
        if changes := diff():
            self.client.log_text(self.parent, changes, "diff.patch")

    def _known(self, rows: Sequence[dict[str, Any]]) -> dict[str, Known]:
        found: dict[str, Known] = {}
        for row in rows:
            if key := row["tags"].get("harness.key"):
                self.by_key.setdefault(key, []).append(row["run_id"])
                if row["status"] == "FINISHED":
                    found[key] = Known(row["run_id"], row["tags"]["harness.status"], row["metrics"])
        return found

    def record(self, records: Sequence[Record]) -> list[str]:
        """Write finished runs, in place of any older ones with their keys, or send them on their way to a server.

        Returns:
            their ids; those of runs on their way are their own until :meth:`settled`.
        """
        rows = [row_of(record, self.parents[record.arm]) for record in records]
        superseded = [run_id for row in rows for run_id in self.by_key.get(row.key, ())]
        self._send(
            {
                "rows": [row._asdict() for row in rows],
                "superseded": superseded,
                "parent": self.parent,
            }
        )
        self.by_key |= {row.key: [row.run_id] for row in rows}
        return [row.run_id for row in rows]

    def _send(self, batch: Batch) -> None:
        if self.spool is not None:
            return self.spool.put(batch)
        try:
            self._deliver(batch, False)
        except AwayError as error:
            raise StoreError(str(error)) from error

    def _deliver(self, batch: Batch, again: bool) -> None:
        """Write what a batch holds: runs, or numbers and tags of a run that is there already."""
        with self._reached(f"{len(batch['rows'])} runs" if "rows" in batch else "a clock"):
            if "rows" in batch:
                rows = [Row(**row) for row in batch["rows"]]
                superseded = [self.given.get(run_id, run_id) for run_id in batch["superseded"]]
                made = self.runs.write(rows, superseded, batch["parent"], again)
                self.given |= {row.run_id: run_id for row, run_id in zip(rows, made, strict=True)}
            else:
                now = int(time.time() * 1000)
                metrics = [Metric(k, float(v), now, 0) for k, v in batch["metrics"].items()]
                self.client.log_batch(
                    batch["run_id"], metrics, tags=[RunTag(k, v) for k, v in batch["tags"].items()]
                )

    @contextmanager
    def _reached(self, what: str) -> Iterator[None]:
        """Tell a server that is away from one that refuses."""
        try:
            yield
        except (MlflowException, sa.exc.SQLAlchemyError, OSError) as error:
            where = public(self.uri)
            if remote(self.uri) and _away(error):
                raise AwayError(
                    f"MLflow at {where} can't be reached: {said(error, self.uri)}"
                ) from error
            raise StoreError(
                f"MLflow at {where} refused {what}: {said(error, self.uri)}; "
                "mend the store and start the same command again, finished runs are kept"
            ) from error

    def patiently(self, read: Callable[[], T]) -> T:
        """Return what is read of the store, however often a server is away meanwhile.

        Raises:
            StoreError: it is away for too long.
        """

        def attempt(again: bool) -> T:
            with self._reached("to be read"):
                return read()

        try:
            return insist(attempt, self.patience)
        except AwayError as error:
            raise StoreError(
                f"{error}; start the same command again when it is back, finished runs are kept"
            ) from error

    def settled(self, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Wait until every run has arrived; return the rows with the ids that the store gave the runs."""
        if self.spool is not None:
            self.spool.flush()
        return [{**row, "run_id": self.given.get(row["run_id"], row["run_id"])} for row in rows]

    def close(self) -> None:
        """Let another process record; what still waits for a server is sent by the next."""
        if self.spool is not None:
            self.spool.close()

    def set_clock(self, arm: str, read: Mapping[str, Any]) -> None:
        """Keep what an arm's clock was read as."""
        if self.clocks.get(arm) == read:
            return
        metrics = {f"clock/{k}": float(v) for k, v in read.items() if k != "of"}
        self._send(
            {
                "run_id": self.parents[arm],
                "metrics": metrics,
                "tags": {"harness.protocol.timing": json.dumps(dict(read))},
            }
        )

    def answered(self, identity: str) -> int | None:
        """Return the number of runs, if the store has the whole answer that goes by ``identity``."""
        for run in self.client.search_runs(
            [self.experiment], f"tags.`harness.analysis` = '{identity}'"
        ):
            return int(run.data.metrics["runs"])
        return None

    def complete(self) -> bool:
        """Return whether the study has been run to its end."""
        return any(row["tags"].get("harness.analysis") for row in self.runs.rows())

    def close_study(
        self, index: Mapping[str, Any], metrics: Mapping[str, float], identity: str
    ) -> None:
        """Write which runs answer the study, its totals, and what the answer goes by (nothing if runs failed)."""
        whole = {**index, "runs": self.settled(index["runs"])}
        now = int(time.time() * 1000)
        totals = [Metric(k, v, now, 0) for k, v in metrics.items()]

        def write() -> None:
            self._sweep()
            self.client.log_dict(self.parent, whole, "index.json")
            self.client.log_batch(self.parent, totals, tags=[RunTag("harness.analysis", identity)])

        self.patiently(write)

    def artifacts(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Return the study's spec, its index of runs, and its environment.

        Raises:
            StoreError: the study has not been run to its end.
        """
        unfinished = StoreError(
            f"study {self.study!r} has not been run to its end; 'harness run' goes on where it stopped"
        )
        top = self.top()
        if top is None:
            raise unfinished
        try:
            return tuple(
                self.artifact(top, f"{name}.json") for name in ("spec", "index", "environment")
            )  # type: ignore[return-value]
        except (MlflowException, OSError) as error:
            raise unfinished from error

    def artifact(self, run_id: str, name: str) -> dict[str, Any]:
        """Return what a run's JSON file of the given name holds."""
        here = self.runs.local(run_id, name)
        if here is not None:
            return dict(json.loads(here.read_text(encoding="utf-8")))
        with tempfile.TemporaryDirectory() as folder:
            path = self.client.download_artifacts(run_id, name, folder)
            found: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
        return found


def site(uri: str) -> str:
    """Return where MLflow's UI on a store is: ``HARNESS_SITE``, the server itself, or where ``harness ui`` serves it."""
    server = public(uri) if uri.startswith("http") else "http://127.0.0.1:5000"
    return os.environ.get("HARNESS_SITE", server).rstrip("/")


def studies(uri: str | None = None) -> list[str]:
    """Return the names of the studies in a store."""
    client, _ = connect(uri or default_uri(), create=False)
    names = []
    for experiment in client.search_experiments():
        if client.search_runs(
            [experiment.experiment_id], "tags.`harness.kind` = 'study'", max_results=1
        ):
            names.append(str(experiment.name))
    return sorted(names)


def _kept(row: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """Return the artifact that has a run's curves: whose it is (the study's if empty), its name, the run's name in it."""
    name = row["tags"].get("harness.curves")
    if name == "artifact":
        return row["run_id"], "curves.json", ""
    return ("", name, row["tags"]["harness.record"]) if name else None


def _away(error: Exception) -> bool:
    """Return whether a store's error may pass by itself."""
    if isinstance(error, MlflowException):
        return error.error_code in (
            "INTERNAL_ERROR",
            "TEMPORARILY_UNAVAILABLE",
            "REQUEST_LIMIT_EXCEEDED",
        )
    return isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError, OSError))


def _study_tags(about: About) -> dict[str, str]:
    """Return the tags of a study that begins or goes on: whatever answer it had is no longer the whole one."""
    return {
        "harness.kind": "study",
        "harness.analysis": "",
        "harness.spec": about.spec_hash,
        "mlflow.note.content": about.title,
    }
