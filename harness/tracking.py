"""Runs and curves into MLflow, in batches: a database store takes a whole cohort in one transaction."""

from __future__ import annotations

import json
import math
import os
import tempfile
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")

import mlflow.utils.logging_utils
import sqlalchemy as sa
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.store.tracking.dbmodels import models
from mlflow.tracking import MlflowClient
from mlflow.tracking._tracking_service.utils import _get_store

from harness.environment import environment
from harness.errors import StoreError
from harness.records import Outcome, Point
from harness.spec.plan import ENGINE, Run

POINTS = 100
"""Points of a curve that MLflow shows; longer curves are kept whole in an artifact."""
Row = dict[str, Any]


class Record(NamedTuple):
    """A finished run and its place in the study."""

    key: str
    run: Run
    outcome: Outcome
    stage: str
    arm: str
    trial: int
    levels: Mapping[str, str]


class Known(NamedTuple):
    """A run that the store has already."""

    run_id: str
    status: str
    steps: int
    """Updates made."""


def default_uri() -> str:
    """Return ``MLFLOW_TRACKING_URI``, or the SQLite file in the working folder, where ``mlflow ui`` looks by itself."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Path.cwd() / 'mlflow.db'}"


class Store:
    """One study's runs in MLflow.

    Args:
        study: name of the study, and of its experiment.
        uri: MLflow tracking URI; by default :func:`default_uri`.

    Raises:
        StoreError: the store can't be reached.
    """

    def __init__(self, study: str, uri: str | None = None, create: bool = True) -> None:
        self.study, self.uri = study, uri or default_uri()
        try:
            _prepare_sqlite(self.uri, create)
            self.client = MlflowClient(self.uri)
            self.engine = getattr(_get_store(self.uri), "engine", None)
            self.experiment = self._experiment(create)
        except (MlflowException, sa.exc.SQLAlchemyError, OSError) as error:
            raise StoreError(f"MLflow at {_public(self.uri)} can't be used: {_first_line(error)}") from error
        self.parents: dict[str, str] = {}

    def _experiment(self, create: bool) -> str:
        found = self.client.get_experiment_by_name(self.study)
        if found is not None:
            if found.lifecycle_stage != "active":
                self.client.restore_experiment(found.experiment_id)
            return str(found.experiment_id)
        if not create:
            raise StoreError(f"no study {self.study!r} in MLflow at {_public(self.uri)}; run it first with 'harness run'")
        place = self._artifacts() / self.study.replace(" ", "_") if self.uri.startswith("sqlite") else None
        return str(self.client.create_experiment(self.study, artifact_location=place.as_uri() if place else None))

    def _artifacts(self) -> Path:
        return Path(self.uri.removeprefix("sqlite:///")).resolve().parent / "mlartifacts"

    # ---------------------------------------------------------------- what is known

    def known(self) -> dict[str, Known]:
        """Return the finished runs by key."""
        found = {}
        for row in self.leaves():
            tags = row["tags"]
            if row["status"] == "FINISHED" and tags.get("harness.status") != "failed":
                steps = int(row["metrics"].get("cost/steps", 0))
                found[tags["harness.key"]] = Known(row["run_id"], tags["harness.status"], steps)
        return found

    def leaves(self) -> list[Row]:
        """Return every training run as ``run_id``, ``status``, ``start``, ``tags``, ``params`` and latest ``metrics``."""
        return [row for row in self.rows() if "harness.key" in row["tags"]]

    def rows(self) -> list[Row]:
        """Return every run of the experiment, with bulk queries where the store is a database."""
        return self._rows_sql() if self.engine is not None else self._rows_client()

    def _rows_sql(self) -> list[Row]:
        runs = models.SqlRun.__table__
        picked = sa.select(runs.c.run_uuid, runs.c.status, runs.c.start_time).where(
            runs.c.experiment_id == int(self.experiment), runs.c.lifecycle_stage == "active"
        )
        with self._reading() as connection:
            rows = {r[0]: {"run_id": r[0], "status": r[1], "start": r[2], "tags": {}, "params": {}, "metrics": {}}
                    for r in connection.execute(picked.order_by(runs.c.start_time, runs.c.run_uuid))}
            for kind, model in (("tags", models.SqlTag), ("params", models.SqlParam), ("metrics", models.SqlLatestMetric)):
                table = model.__table__
                query = sa.select(table.c.run_uuid, table.c.key, table.c.value).where(self._mine(table))
                for run_id, key, value in connection.execute(query):
                    if run_id in rows:
                        rows[run_id][kind][key] = value
        return list(rows.values())

    def _mine(self, table: Any) -> Any:
        runs = models.SqlRun.__table__
        return table.c.run_uuid.in_(sa.select(runs.c.run_uuid).where(runs.c.experiment_id == int(self.experiment)))

    def _rows_client(self) -> list[Row]:
        rows, token = [], None
        while True:
            page = self.client.search_runs([self.experiment], max_results=1000, order_by=["attributes.start_time"], page_token=token)
            rows += [{"run_id": r.info.run_id, "status": r.info.status, "start": r.info.start_time, "tags": dict(r.data.tags),
                      "params": dict(r.data.params), "metrics": dict(r.data.metrics)} for r in page]
            token = page.token
            if not token:
                return rows

    def curves(self, run_ids: Iterable[str], metrics: Sequence[str] | None = None) -> dict[str, dict[str, list[tuple[int, float]]]]:
        """Return ``{run_id: {metric: [(step, value), …]}}``; curves too long for MLflow come from their artifact."""
        wanted = set(run_ids)
        found = self._curves_sql(wanted, metrics) if self.engine is not None else self._curves_client(wanted, metrics)
        for run_id in wanted & self._long_curves():
            text = Path(self.client.download_artifacts(run_id, "curves.json")).read_text(encoding="utf-8")
            whole = {name: [(int(s), float(v)) for s, v in points] for name, points in json.loads(text).items()}
            found[run_id] = {name: points for name, points in whole.items() if metrics is None or name in metrics}
        return found

    def _long_curves(self) -> set[str]:
        return {row["run_id"] for row in self.leaves() if row["tags"].get("harness.curves") == "artifact"}

    def _curves_sql(self, wanted: set[str], metrics: Sequence[str] | None) -> dict[str, dict[str, list[tuple[int, float]]]]:
        table = models.SqlMetric.__table__
        query = sa.select(table.c.run_uuid, table.c.key, table.c.step, table.c.value).where(self._mine(table))
        if metrics is not None:
            query = query.where(table.c.key.in_(list(metrics)))
        found: dict[str, dict[str, list[tuple[int, float]]]] = {run_id: {} for run_id in wanted}
        with self._reading() as connection:
            for run_id, key, step, value in connection.execute(query.order_by(table.c.step)):
                if run_id in wanted:
                    found[run_id].setdefault(key, []).append((step, value))
        return found

    def _curves_client(self, wanted: set[str], metrics: Sequence[str] | None) -> dict[str, dict[str, list[tuple[int, float]]]]:
        found = {}
        for run_id in wanted:
            names = metrics or list(self.client.get_run(run_id).data.metrics)
            history = {name: self.client.get_metric_history(run_id, name) for name in names}
            found[run_id] = {n: sorted((m.step, m.value) for m in points) for n, points in history.items() if points}
        return found

    def _reading(self) -> Any:
        assert self.engine is not None
        return self.engine.connect()

    # ---------------------------------------------------------------- what is written

    def open_study(self, description: str, spec: Mapping[str, Any], spec_hash: str, data: str, fingerprint: str) -> None:
        """Make (or reopen) the study's own run, and throw away runs that a killed process left half written."""
        for row in self.leaves():
            if row["status"] == "RUNNING":
                self.client.delete_run(row["run_id"])
        self.dataset = Dataset(data, fingerprint[:36], "local", "{}")
        tags = {"mlflow.note.content": description, "harness.spec": spec_hash}
        self.parent = self._parent("study", self.study, None, tags)
        self.client.update_run(self.parent, status="RUNNING")
        self.client.log_dict(self.parent, dict(spec), "spec.json")
        self.client.log_dict(self.parent, environment(), "environment.json")
        self.client.set_experiment_tag(self.experiment, "mlflow.note.content", description)

    def open_arm(self, arm: str, levels: Mapping[str, str]) -> None:
        """Make (or reopen) the run that an arm's runs are nested in."""
        tags = {"harness.arm": arm, **{f"level.{k}": v for k, v in levels.items()}}
        self.parents[arm] = self._parent("arm", arm, self.parent, tags)

    def _parent(self, kind: str, name: str, parent: str | None, tags: Mapping[str, str]) -> str:
        tags = dict(tags) | {"harness.kind": kind, **_common_tags()} | ({"mlflow.parentRunId": parent} if parent else {})
        for row in self.rows():
            if row["tags"].get("harness.kind") == kind and row["tags"].get("mlflow.runName") == name[:250]:
                self.client.log_batch(row["run_id"], tags=[RunTag(k, v) for k, v in tags.items()])
                return str(row["run_id"])
        run = self.client.create_run(self.experiment, run_name=name[:250], tags=tags)
        self.client.log_inputs(run.info.run_id, [DatasetInput(self.dataset, [InputTag("mlflow.data.context", kind)])])
        if kind == "arm":
            self.client.set_terminated(run.info.run_id)
        return str(run.info.run_id)

    def record(self, records: Sequence[Record]) -> list[str]:
        """Write finished runs; all of them in one transaction where the store is a database."""
        rows = [self._rows_of(record) for record in records]
        for row in rows:
            if row["long"]:
                self._keep_long(row)
        if self.engine is not None:
            self._insert(rows)
        else:
            for row in rows:
                self._send(row)
        return [row["run_id"] for row in rows]

    def _rows_of(self, record: Record) -> Row:
        outcome, now = record.outcome, int(time.time() * 1000)
        name = f"{record.arm} · trial {record.trial} · seed {record.run.seed}" if record.stage == "search" else f"{record.arm} · seed {record.run.seed}"
        tags = {
            "mlflow.runName": name[:250],
            "mlflow.parentRunId": self.parents[record.arm],
            "harness.kind": "run",
            "harness.key": record.key,
            "harness.stage": record.stage,
            "harness.arm": record.arm,
            "harness.trial": str(record.trial),
            "harness.seed": str(record.run.seed),
            "harness.status": outcome.status,
            **({"harness.detail": outcome.detail[:4000]} if outcome.detail else {}),
            **{f"level.{k}": v for k, v in record.levels.items()},
            **_common_tags(),
        }
        params = {k: _text(v) for k, v in record.run.recipe.settings().items()} | {"seed": str(record.run.seed), "stage": record.stage, "arm": record.arm[:6000]}
        long = len(outcome.points) > POINTS
        return {
            "run_id": uuid.uuid4().hex, "name": name[:250], "tags": tags | ({"harness.curves": "artifact"} if long else {}),
            "params": params, "metrics": _metrics(outcome), "start": now - int(1000 * outcome.summary.get("cost/seconds", 0)),
            "end": now, "long": long, "outcome": outcome, "failed": outcome.status == "failed",
        }

    def _insert(self, rows: Sequence[Row]) -> None:
        place = self.client.get_experiment(self.experiment).artifact_location
        tables: dict[Any, list[Row]] = {model: [] for model in (models.SqlRun, models.SqlTag, models.SqlParam, models.SqlMetric, models.SqlLatestMetric)}
        for row in rows:
            mine = {"run_uuid": row["run_id"]}
            tables[models.SqlRun].append(mine | {
                "name": row["name"], "source_type": "UNKNOWN", "source_name": "", "entry_point_name": "", "user_id": _user(),
                "status": "FAILED" if row["failed"] else "FINISHED", "start_time": row["start"], "end_time": row["end"], "source_version": "",
                "lifecycle_stage": "active", "artifact_uri": f"{place}/{row['run_id']}/artifacts", "experiment_id": int(self.experiment),
            })
            tables[models.SqlTag] += [mine | {"key": k, "value": v} for k, v in row["tags"].items()]
            tables[models.SqlParam] += [mine | {"key": k, "value": v} for k, v in row["params"].items()]
            points = [mine | {"key": k, "value": v, "timestamp": row["end"], "step": s, "is_nan": False} for k, s, v in row["metrics"]]
            tables[models.SqlMetric] += points
            tables[models.SqlLatestMetric] += {p["key"]: p for p in points}.values()
        with self._writing() as connection:
            for model, values in tables.items():
                if values:
                    connection.execute(sa.insert(model.__table__), values)
            self._link_data(connection, [row["run_id"] for row in rows])

    def _link_data(self, connection: Any, run_ids: Sequence[str]) -> None:
        """Name the data set that the runs used, as MLflow's ``log_inputs`` does."""
        inputs = models.SqlInput.__table__
        source = connection.execute(sa.select(inputs.c.source_id).where(inputs.c.destination_id == self.parent)).scalar()
        if source is not None:
            connection.execute(sa.insert(inputs), [
                {"input_uuid": uuid.uuid4().hex, "source_type": "DATASET", "source_id": source, "destination_type": "RUN", "destination_id": r}
                for r in run_ids
            ])

    def _writing(self) -> Any:
        assert self.engine is not None
        return self.engine.begin()

    def _send(self, row: Row) -> None:
        run = self.client.create_run(self.experiment, start_time=row["start"], tags=row["tags"], run_name=row["name"])
        row["run_id"] = run.info.run_id
        metrics = [Metric(k, v, row["end"], s) for k, s, v in row["metrics"]]
        self.client.log_batch(run.info.run_id, metrics, [Param(k, v) for k, v in row["params"].items()])
        if row["long"]:
            self._keep_long(row)
        self.client.log_inputs(run.info.run_id, [DatasetInput(self.dataset, [])])
        self.client.set_terminated(run.info.run_id, "FAILED" if row["failed"] else "FINISHED", row["end"])

    def _keep_long(self, row: Row) -> None:
        if self.engine is None and "mlflow.parentRunId" not in row["tags"]:
            return
        whole: dict[str, list[tuple[int, float]]] = {}
        for key, step, value in _points(row["outcome"].points):
            whole.setdefault(key, []).append((step, value))
        for key, step, value in _closing(row["outcome"]):
            whole.setdefault(key, []).append((step, value))
        place = self.client.get_experiment(self.experiment).artifact_location
        if place.startswith("file:") and self.engine is not None:
            folder = Path(place.removeprefix("file://")) / row["run_id"] / "artifacts"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "curves.json").write_text(json.dumps(whole), encoding="utf-8")
        elif self.engine is None:
            self.client.log_dict(row["run_id"], whole, "curves.json")

    def close_study(self, index: Sequence[Mapping[str, Any]], metrics: Mapping[str, float]) -> None:
        """Write which runs answer the study, and end its run."""
        self.client.log_dict(self.parent, {"runs": list(index)}, "index.json")
        now = int(time.time() * 1000)
        self.client.log_batch(self.parent, [Metric(k, v, now, 0) for k, v in metrics.items()])
        self.client.set_terminated(self.parent)

    def index(self) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
        """Return the study's spec, the list of runs that answer it, and its environment.

        Raises:
            StoreError: the study has not been run to its end.
        """
        for row in self.rows():
            if row["tags"].get("harness.kind") == "study":
                try:
                    parts = [self._artifact(row["run_id"], f"{name}.json") for name in ("spec", "index", "environment")]
                except (MlflowException, OSError):
                    break
                return parts[0], parts[1]["runs"], parts[2]
        raise StoreError(f"study {self.study!r} has not been run to its end; 'harness run' goes on where it stopped")

    def _artifact(self, run_id: str, name: str) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            path = self.client.download_artifacts(run_id, name, folder)
            found: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
        return found


def _prepare_sqlite(uri: str, create: bool) -> None:
    """Create the file under another name and move it into place, so that a kill never leaves half a schema."""
    path = Path(uri.removeprefix("sqlite:///"))
    if not uri.startswith("sqlite:///") or path.exists():
        return
    if not create:
        raise StoreError(f"no MLflow store at {path}; run a study first, or set MLFLOW_TRACKING_URI")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".mlflow-") as folder:
        fresh = Path(folder) / "mlflow.db"
        with _quiet():
            store = _get_store(f"sqlite:///{fresh}")
        with store.engine.connect() as connection:
            connection.execute(sa.text("PRAGMA journal_mode=WAL"))
        store.engine.dispose()
        os.replace(fresh, path)


class _quiet:
    """Keep alembic's lines about every migration off the screen."""

    def __enter__(self) -> None:
        import logging

        self.before = logging.root.manager.disable
        logging.disable(logging.INFO)

    def __exit__(self, *_: object) -> None:
        import logging

        logging.disable(self.before)


def _common_tags() -> dict[str, str]:
    found = environment()
    return {"harness.engine": ENGINE, "harness.commit": found["commit"], "harness.dirty": found["dirty"] or "no",
            "mlflow.user": _user(), "mlflow.source.name": found["command"][:500], "mlflow.source.git.commit": found["commit"]}


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _metrics(outcome: Outcome) -> list[tuple[str, int, float]]:
    return _points(thin(outcome.points)) + _closing(outcome)


def thin(points: Sequence[Point], limit: int = POINTS) -> list[Point]:
    """Return at most ``limit`` + 1 points, evenly spaced, the first and the last among them."""
    if len(points) <= limit:
        return list(points)
    return [points[round(i * (len(points) - 1) / limit)] for i in range(limit + 1)]


def _points(points: Sequence[Point]) -> list[tuple[str, int, float]]:
    return [
        (name, p.step, value)
        for p in points
        for name, value in {**p.metrics, "epoch": p.epoch, "samples": float(p.samples)}.items()
    ]


def _closing(outcome: Outcome) -> list[tuple[str, int, float]]:
    step = int(outcome.summary.get("cost/steps", 0))
    named = {k if k.startswith(("test/", "cost/", "best/")) else f"final/{k}": v for k, v in outcome.summary.items()}
    return [(name, step, value) for name, value in named.items() if math.isfinite(value)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _public(uri: str) -> str:
    """Return the URI without its password."""
    try:
        return sa.engine.make_url(uri).render_as_string(hide_password=True)
    except sa.exc.ArgumentError:
        return uri


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__


__all__ = ["Known", "Record", "Store", "default_uri", "thin"]
