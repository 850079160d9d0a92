"""Reads and writes of many runs in MLflow's tables: one query for a study's runs, one transaction
for a cohort.

MLflow's client makes a request a run and a statement a row; a study of thousands of runs waits
minutes for that. The price is that this module must know the tables, so
:mod:`harness.tracking.schema` lists the revisions that it knows, and
:func:`harness.tracking.opening.open_experiment` takes
:class:`harness.tracking.client_api.ClientApi` for any other.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import sqlalchemy as sa

from harness.core.temporary import temporary_folder
from harness.tracking.rows import Means, NewRun, StoredRun, file_content, read_user
from harness.tracking.schema import CLOCKS, Tag
from harness.tracking.tables import (
    INPUT_TABLE,
    LATEST_TABLE,
    METRIC_TABLE,
    PARAM_TABLE,
    RUN_TABLE,
    TAG_TABLE,
    run_values,
)

_IDS_A_QUERY = 500
"""Runs that are named in one query: SQLite takes some thousands of parameters, and what a query
gives is in memory at once."""


class Database:
    """Reads and writes of many runs of one experiment, straight from and into MLflow's tables.

    Args:
        engine: SQLAlchemy engine of MLflow's database.
        experiment: the experiment's id.
        artifacts: URI that the experiment's artifacts lie under.
    """

    def __init__(self, engine: sa.Engine, experiment: str, artifacts: str) -> None:
        # a number in the tables, and a text to the client
        self.engine, self.experiment, self.artifacts = engine, int(experiment), artifacts
        self._active = sa.select(RUN_TABLE.c.run_uuid).where(
            RUN_TABLE.c.experiment_id == self.experiment, RUN_TABLE.c.lifecycle_stage == "active"
        )

    def rows(self, only: sa.ColumnElement[bool] | None = None) -> list[StoredRun]:
        """Return the experiment's active runs of every kind, in the order of their starts.

        Args:
            only: a condition on the table of runs; all by default.
        """
        return self.stored(self._active if only is None else self._active.where(only))

    def stored(self, chosen: sa.Select[Any]) -> list[StoredRun]:
        """Return some runs, in the order of their starts.

        Args:
            chosen: a query for their ids.
        """
        columns = chosen.with_only_columns(
            RUN_TABLE.c.run_uuid, RUN_TABLE.c.status, RUN_TABLE.c.start_time
        )
        # by id too, so that runs that started in the same millisecond keep their order
        in_order = columns.order_by(RUN_TABLE.c.start_time, RUN_TABLE.c.run_uuid)
        # Four plain queries, put together here: a join would repeat each run for every pair of a
        # tag and a metric.
        with self.engine.connect() as connection:
            rows = {
                run_id: StoredRun(run_id, status, start, {}, {}, {})
                for run_id, status, start in connection.execute(in_order)
            }
            # runs that another process has written since the first query are left for the next time
            for run_id, name, value in self._values(connection, TAG_TABLE, chosen):
                if run_id in rows:
                    rows[run_id].tags[name] = value
            for run_id, name, value in self._values(connection, PARAM_TABLE, chosen):
                if run_id in rows:
                    rows[run_id].params[name] = value
            for run_id, name, value in self._values(connection, LATEST_TABLE, chosen):
                if run_id in rows:
                    rows[run_id].metrics[name] = value
        return list(rows.values())

    def _values(
        self, connection: sa.Connection, table: sa.TableClause, chosen: sa.Select[Any]
    ) -> Iterator[tuple[str, str, Any]]:
        """Yield ``(run id, name, value)`` from one of the tables of tags, parameters and latest
        metrics, for some runs; a metric's value is a number, any other a text.

        The runs are named by a subquery: a list of thousands of ids would go beyond what SQLite
        takes as parameters.
        """
        query = sa.select(table.c.run_uuid, table.c.key, table.c.value)
        yield from connection.execute(query.where(table.c.run_uuid.in_(chosen)))

    def curves(
        self, run_ids: Collection[str], metrics: Sequence[str] | None
    ) -> dict[str, dict[str, list[tuple[int, float]]]]:
        """Return the curves of the given runs, thinned as they were written.

        Args:
            run_ids: the runs; one without a curve has an empty entry.
            metrics: the metrics wanted, by MLflow's names; all of them for None.

        Returns:
            ``(step, value)`` pairs in the order of their steps, by run and metric. Closing values
            are among them.
        """
        columns = sa.select(
            METRIC_TABLE.c.run_uuid, METRIC_TABLE.c.key, METRIC_TABLE.c.step, METRIC_TABLE.c.value
        )
        if metrics is not None:
            columns = columns.where(METRIC_TABLE.c.key.in_(list(metrics)))
        curves: dict[str, dict[str, list[tuple[int, float]]]] = {run_id: {} for run_id in run_ids}
        ids = list(curves)
        with self.engine.connect() as connection:
            for start in range(0, len(ids), _IDS_A_QUERY):
                some = columns.where(METRIC_TABLE.c.run_uuid.in_(ids[start : start + _IDS_A_QUERY]))
                for run_id, name, step, value in connection.execute(
                    some.order_by(METRIC_TABLE.c.step)
                ):
                    curves[run_id].setdefault(name, []).append((step, value))
        return curves

    def local_path(self, run_id: str, name: str) -> Path | None:
        """Return the path of an artifact that lies in a folder of this machine, else None.

        Reading the file itself is many times faster than asking MLflow for a copy.
        """
        if not self.artifacts.startswith("file://"):
            return None
        return Path(url2pathname(urlsplit(f"{self.artifacts_of(run_id)}/{name}").path))

    def artifacts_of(self, run_id: str) -> str:
        """Return the URI that a run's artifacts lie under."""
        return f"{self.artifacts}/{run_id}/artifacts"

    def write(
        self, runs: Sequence[NewRun], superseded: Collection[str], parent: str, again: bool = False
    ) -> list[str]:
        """Write the runs in the place of the superseded ones, in one transaction.

        Args:
            runs: finished runs; one at least.
            superseded: ids of runs that they replace, which are marked as deleted.
            parent: id of the study's run, which nothing here goes to.
            again: an earlier call may have written them.

        Returns:
            Their ids in the store, which are the runs' own.

        Raises:
            SQLAlchemyError: the database is away, or refuses.
        """
        # Files before rows: a kill between the two leaves files that no run names, which nobody
        # sees; the other way round it would leave a run without its curves.
        for run in runs:
            if run.files:
                self._write_files(run)
        if not (again and self._has(runs[0])):
            self._insert(runs, superseded)
        return [run.run_id for run in runs]

    def _has(self, run: NewRun) -> bool:
        """Return whether a run is there, and with it its batch: they came in one transaction."""
        query = sa.select(RUN_TABLE.c.run_uuid).where(RUN_TABLE.c.run_uuid == run.run_id)
        with self.engine.connect() as connection:
            return connection.execute(query).first() is not None

    def _insert(self, runs: Sequence[NewRun], superseded: Collection[str]) -> None:
        """Insert a batch and mark the runs that it replaces as deleted, in one transaction.

        Whoever reads meanwhile sees the old runs or the new ones, never both or none of a key; and
        a kill leaves no half.
        """
        with self.engine.begin() as connection:
            if superseded:
                replaced = sa.update(RUN_TABLE).where(RUN_TABLE.c.run_uuid.in_(list(superseded)))
                connection.execute(replaced.values(lifecycle_stage="deleted"))
            # Runs first: the other tables' foreign keys refer to them.
            connection.execute(sa.insert(RUN_TABLE), [self._run_values(run) for run in runs])
            metrics = [values for run in runs for values in _metric_values(run)]
            # MLflow keeps each metric's latest value once more, for its table of runs: that of the
            # largest step. Curves are in the order of their steps, so the last one stays here.
            latest = {(values["run_uuid"], values["key"]): values for values in metrics}
            for table, rows in (
                (TAG_TABLE, [values for run in runs for values in _named(run, run.tags)]),
                (PARAM_TABLE, [values for run in runs for values in _named(run, run.params)]),
                (METRIC_TABLE, metrics),
                (LATEST_TABLE, list(latest.values())),
            ):
                if rows:
                    connection.execute(sa.insert(table), rows)
            self._link_data(connection, runs)

    def _run_values(self, run: NewRun) -> dict[str, object]:
        row = run_values(
            *(run.run_id, run.name, read_user(), run.status, self.experiment),
            artifacts=self.artifacts_of(run.run_id),
        )
        return {**row, "start_time": run.start, "end_time": run.end}

    def _link_data(self, connection: sa.Connection, runs: Sequence[NewRun]) -> None:
        """Name the data set that each run used, as MLflow's ``log_inputs`` does: the one of the run
        that it is nested in."""
        parents = {run.tags[Tag.PARENT] for run in runs}
        query = sa.select(INPUT_TABLE.c.destination_id, INPUT_TABLE.c.source_id)
        found = connection.execute(query.where(INPUT_TABLE.c.destination_id.in_(parents)))
        sources = {destination: source for destination, source in found}
        links = [
            {
                "input_uuid": uuid.uuid4().hex,
                "source_type": "DATASET",
                "source_id": sources[run.tags[Tag.PARENT]],
                "destination_type": "RUN",
                "destination_id": run.run_id,
            }
            for run in runs
            if run.tags[Tag.PARENT] in sources
        ]
        if links:
            connection.execute(sa.insert(INPUT_TABLE), links)

    def set_tags(self, name: str, values: Mapping[str, str]) -> None:
        """Set a tag of some runs, in one transaction.

        Args:
            name: of the tag.
            values: by run.
        """
        rows = [{"run_uuid": run_id, "key": name, "value": v} for run_id, v in values.items()]
        one = sa.delete(TAG_TABLE).where(
            TAG_TABLE.c.run_uuid == sa.bindparam("run"), TAG_TABLE.c.key == name
        )
        with self.engine.begin() as connection:
            connection.execute(one, [{"run": run_id} for run_id in values])
            connection.execute(sa.insert(TAG_TABLE), rows)

    def set_means(self, run_id: str, means: Means, first: bool) -> bool:
        """Give an arm's run its means, in the place of those that it has, in one transaction.

        Args:
            run_id: the run.
            means: its closing values, and its curves in the order of their steps.
            first: left out of account: here curves can be replaced.

        Returns:
            Whether the curves were written: always.
        """
        metrics = [*means.curves, *means.closing]
        rows = [{**m._asdict(), "run_uuid": run_id, "is_nan": False} for m in metrics]
        latest = {row["key"]: row for row in rows}
        with self.engine.begin() as connection:
            for table, new in ((METRIC_TABLE, rows), (LATEST_TABLE, [*latest.values()])):
                # its clocks were measured, and stay
                old = sa.delete(table).where(table.c.run_uuid == run_id)
                connection.execute(old.where(~table.c.key.startswith(CLOCKS)))
                if new:
                    connection.execute(sa.insert(table), new)
        return True

    def _write_files(self, run: NewRun) -> None:
        own = self.local_path(run.run_id, "")
        if own is not None:
            own.mkdir(parents=True, exist_ok=True)
            return _write_into(own, run)
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        # by way of a folder, since MLflow copies folders into any artifact store, a bucket too
        with temporary_folder("files") as folder:
            _write_into(Path(folder), run)
            get_artifact_repository(self.artifacts_of(run.run_id)).log_artifacts(folder)


def _write_into(folder: Path, run: NewRun) -> None:
    for name, content in run.files.items():
        (folder / name).write_bytes(file_content(content))


def _named(run: NewRun, values: Mapping[str, str]) -> list[dict[str, object]]:
    return [{"run_uuid": run.run_id, "key": k, "value": v} for k, v in values.items()]


def _metric_values(run: NewRun) -> list[dict[str, object]]:
    """Return a run's rows of the table of metrics.

    ``is_nan`` is for values that a column can't hold, and these are finite.
    """
    time_of = run.time_of()
    return [
        {
            "run_uuid": run.run_id,
            "key": name,
            "value": value,
            "timestamp": time_of(name, step),
            "step": step,
            "is_nan": False,
        }
        for name, step, value in run.metrics
    ]
