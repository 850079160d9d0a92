"""A store whose database this process reaches itself: one query for a study, one transaction for a cohort."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import sqlalchemy as sa
from mlflow.store.tracking.dbmodels import models

from harness.tracking.rows import Curves, Row, user

RUNS: Any = models.SqlRun.__table__
TAGS: Any = models.SqlTag.__table__
PARAMS: Any = models.SqlParam.__table__
METRICS: Any = models.SqlMetric.__table__
LATEST: Any = models.SqlLatestMetric.__table__
INPUTS: Any = models.SqlInput.__table__


class Database:
    """Bulk reads and writes of one experiment's runs.

    Args:
        engine: SQLAlchemy engine of MLflow's database.
        experiment: the experiment's id.
        place: URI that the experiment's artifacts lie under.
    """

    def __init__(self, engine: Any, experiment: str, place: str) -> None:
        self.engine, self.experiment, self.place = engine, int(experiment), place
        self.mine = sa.select(RUNS.c.run_uuid).where(
            RUNS.c.experiment_id == self.experiment, RUNS.c.lifecycle_stage == "active"
        )

    def rows(self) -> list[dict[str, Any]]:
        """Return the active runs as ``run_id``, ``status``, ``start``, ``tags``, ``params`` and latest ``metrics``."""
        columns = self.mine.with_only_columns(RUNS.c.run_uuid, RUNS.c.status, RUNS.c.start_time)
        with self.engine.connect() as connection:
            found = connection.execute(columns.order_by(RUNS.c.start_time, RUNS.c.run_uuid))
            rows = {
                r[0]: {
                    "run_id": r[0],
                    "status": r[1],
                    "start": r[2],
                    "tags": {},
                    "params": {},
                    "metrics": {},
                }
                for r in found
            }
            for kind, table in (("tags", TAGS), ("params", PARAMS), ("metrics", LATEST)):
                query = sa.select(table.c.run_uuid, table.c.key, table.c.value).where(
                    table.c.run_uuid.in_(self.mine)
                )
                for run_id, key, value in connection.execute(query):
                    rows[run_id][kind][key] = value
        return list(rows.values())

    def curves(self, run_ids: Collection[str], metrics: Sequence[str] | None) -> dict[str, Curves]:
        """Return the curves of the given runs."""
        query = sa.select(METRICS.c.run_uuid, METRICS.c.key, METRICS.c.step, METRICS.c.value)
        query = query.where(METRICS.c.run_uuid.in_(self.mine)).order_by(METRICS.c.step)
        if metrics is not None:
            query = query.where(METRICS.c.key.in_(list(metrics)))
        found: dict[str, dict[str, list[tuple[int, float]]]] = {run_id: {} for run_id in run_ids}
        with self.engine.connect() as connection:
            for run_id, key, step, value in connection.execute(query):
                if run_id in found:
                    found[run_id].setdefault(key, []).append((step, value))
        return dict(found)

    def local(self, run_id: str, name: str) -> Path | None:
        """Return the path of an artifact that lies on this machine."""
        if not self.place.startswith("file://"):
            return None
        return Path(url2pathname(urlsplit(f"{self.place}/{run_id}/artifacts/{name}").path))

    def write(
        self, rows: Sequence[Row], superseded: Collection[str], dataset_of: str, again: bool = False
    ) -> list[str]:
        """Insert the rows and mark the superseded runs as deleted, all or nothing; return the new runs' ids.

        Args:
            rows: finished runs.
            superseded: ids of runs that they replace.
            dataset_of: id of the run whose data set they share.
            again: an earlier call may have written them.
        """
        if not (again and self._has(rows)):
            self._insert(rows, superseded, dataset_of)
        for row in rows:
            if row.files:
                self._keep_files(row)
        return [row.run_id for row in rows]

    def _has(self, rows: Sequence[Row]) -> bool:
        query = sa.select(RUNS.c.run_uuid).where(RUNS.c.run_uuid == rows[0].run_id)
        with self.engine.connect() as connection:
            return connection.execute(query).first() is not None

    def _insert(self, rows: Sequence[Row], superseded: Collection[str], dataset_of: str) -> None:
        with self.engine.begin() as connection:
            if superseded:
                gone = sa.update(RUNS).where(RUNS.c.run_uuid.in_(list(superseded)))
                connection.execute(gone.values(lifecycle_stage="deleted"))
            for table, values in self._tables(rows):
                if values:
                    connection.execute(sa.insert(table), values)
            self._link_data(connection, [row.run_id for row in rows], dataset_of)

    def _tables(self, rows: Sequence[Row]) -> list[tuple[Any, list[dict[str, Any]]]]:
        points = [
            {
                "run_uuid": r.run_id,
                "key": k,
                "value": v,
                "timestamp": r.end,
                "step": s,
                "is_nan": False,
            }
            for r in rows
            for k, s, v in r.metrics
        ]
        latest = {(p["run_uuid"], p["key"]): p for p in points}
        tags = [
            {"run_uuid": r.run_id, "key": k, "value": v} for r in rows for k, v in r.tags.items()
        ]
        params = [
            {"run_uuid": r.run_id, "key": k, "value": v} for r in rows for k, v in r.params.items()
        ]
        runs = [self._run(row) for row in rows]
        return [
            (RUNS, runs),
            (TAGS, tags),
            (PARAMS, params),
            (METRICS, points),
            (LATEST, list(latest.values())),
        ]

    def _run(self, row: Row) -> dict[str, Any]:
        return {
            "run_uuid": row.run_id,
            "name": row.name,
            "source_type": "UNKNOWN",
            "source_name": "",
            "entry_point_name": "",
            "user_id": user(),
            "status": row.status,
            "start_time": row.start,
            "end_time": row.end,
            "source_version": "",
            "lifecycle_stage": "active",
            "artifact_uri": f"{self.place}/{row.run_id}/artifacts",
            "experiment_id": self.experiment,
        }

    def _link_data(self, connection: Any, run_ids: Sequence[str], dataset_of: str) -> None:
        """Name the data set that the runs used, as MLflow's ``log_inputs`` does."""
        source = connection.execute(
            sa.select(INPUTS.c.source_id).where(INPUTS.c.destination_id == dataset_of)
        ).scalar()
        links = [
            {
                "input_uuid": uuid.uuid4().hex,
                "source_type": "DATASET",
                "source_id": source,
                "destination_type": "RUN",
                "destination_id": run_id,
            }
            for run_id in run_ids
        ]
        if source is not None and links:
            connection.execute(sa.insert(INPUTS), links)

    def _keep_files(self, row: Row) -> None:
        import tempfile

        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        with tempfile.TemporaryDirectory() as folder:
            for name, content in row.files.items():
                (Path(folder) / name).write_text(json.dumps(content), encoding="utf-8")
            get_artifact_repository(f"{self.place}/{row.run_id}/artifacts").log_artifacts(folder)
