"""Reads and writes of single runs in the tables of an SQLite file.

It has the interface of :class:`harness.tracking.single.OneByOne`, and does without MLflow's
package, whose import takes seconds: a study whose store is a file begins, and is read, without it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING

import sqlalchemy as sa

from harness.core.whole_file import write_whole
from harness.tracking.database import Database
from harness.tracking.rows import StoredRun, StudyData
from harness.tracking.schema import Tag
from harness.tracking.tables import (
    DATASET_TABLE,
    EXPERIMENT_TAG_TABLE,
    INPUT_TABLE,
    INPUT_TAG_TABLE,
    LATEST_TABLE,
    METRIC_TABLE,
    PARAM_TABLE,
    RUN_TABLE,
    TAG_TABLE,
    run_values,
)

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

_LONGEST_TAG = 8000
"""Characters of a tag's value that is set later; MLflow's client cuts longer ones off too."""


class SingleTables:
    """Reads and writes single runs of one experiment in MLflow's tables.

    Args:
        database: the experiment's tables.
        client: MLflow's client, for artifacts that do not lie in a folder.
    """

    def __init__(self, database: Database, client: MlflowClient) -> None:
        self.database, self.client = database, client
        self.engine, self.experiment = database.engine, database.experiment

    def experiment_tags(self) -> dict[str, str]:
        """Return the experiment's tags."""
        query = sa.select(EXPERIMENT_TAG_TABLE.c.key, EXPERIMENT_TAG_TABLE.c.value)
        with self.engine.connect() as connection:
            found = connection.execute(query.where(self._own(EXPERIMENT_TAG_TABLE)))
            return {name: value for name, value in found}

    def tag_experiment(self, name: str, value: str) -> None:
        """Set a tag of the experiment."""
        old = sa.delete(EXPERIMENT_TAG_TABLE).where(
            self._own(EXPERIMENT_TAG_TABLE), EXPERIMENT_TAG_TABLE.c.key == name
        )
        new = {"experiment_id": self.experiment, "key": name, "value": value}
        with self.engine.begin() as connection:
            connection.execute(old)
            connection.execute(sa.insert(EXPERIMENT_TAG_TABLE), new)

    def _own(self, table: sa.TableClause) -> sa.ColumnElement[bool]:
        return table.c.experiment_id == self.experiment

    def find(self, tag: str, value: str) -> list[StoredRun]:
        """Return the active runs with a tag of a value, the newest first."""
        tagged = sa.select(TAG_TABLE.c.run_uuid).where(
            TAG_TABLE.c.key == tag, TAG_TABLE.c.value == value
        )
        found = self.database.rows(RUN_TABLE.c.run_uuid.in_(tagged))
        return sorted(found, key=lambda run: -run.start)

    def running(self) -> list[StoredRun]:
        """Return the active runs that were never ended."""
        return self.database.rows(RUN_TABLE.c.status == "RUNNING")

    def get(self, run_id: str) -> StoredRun:
        """Return a run of the experiment's, a deleted one too."""
        (run,) = self.database.stored(
            sa.select(RUN_TABLE.c.run_uuid).where(RUN_TABLE.c.run_uuid == run_id)
        )
        return run

    def is_active(self, run_id: str) -> bool:
        """Return whether a run of the experiment's has not been deleted."""
        return bool(self.database.rows(RUN_TABLE.c.run_uuid == run_id))

    def claim(self, run_id: str, name: str, value: str) -> bool:
        """Set a parameter of a run that nobody has set; return whether it has this value now."""
        new = sa.insert(PARAM_TABLE).prefix_with("OR IGNORE")
        with self.engine.begin() as connection:
            connection.execute(new, {"run_uuid": run_id, "key": name, "value": value})
            there = sa.select(PARAM_TABLE.c.value).where(
                PARAM_TABLE.c.run_uuid == run_id, PARAM_TABLE.c.key == name
            )
            return bool(connection.execute(there).scalar() == value)

    def add(self, name: str, tags: Mapping[str, str]) -> str:
        """Make a run that is not ended; return its id."""
        run_id = uuid.uuid4().hex
        every = {**tags, Tag.RECORD: uuid.uuid4().hex, Tag.RUN_NAME: name}
        row = run_values(
            *(run_id, name, tags.get(Tag.USER, "unknown"), "RUNNING", self.experiment),
            artifacts=self.database.artifacts_of(run_id),
        )
        with self.engine.begin() as connection:
            connection.execute(sa.insert(RUN_TABLE), {**row, "start_time": _now()})
            connection.execute(sa.insert(TAG_TABLE), _named(run_id, every))
        return run_id

    def delete(self, run_id: str) -> None:
        """Mark a run as deleted."""
        self._update(run_id, lifecycle_stage="deleted", deleted_time=_now())

    def end(self, run_id: str, end: int | None = None) -> None:
        """Say that a run has ended, and when, in milliseconds since 1970; by default now."""
        self._update(run_id, status="FINISHED", end_time=end or _now())

    def _update(self, run_id: str, **values: object) -> None:
        with self.engine.begin() as connection:
            connection.execute(
                sa.update(RUN_TABLE).where(RUN_TABLE.c.run_uuid == run_id).values(**values)
            )

    def set_values(
        self, run_id: str, tags: Mapping[str, str], metrics: Mapping[str, float]
    ) -> None:
        """Set tags of a run, and finite metrics that are no curves: each gets a point at step 0."""
        now, cut = _now(), {name: value[:_LONGEST_TAG] for name, value in tags.items()}
        points = [
            {"run_uuid": run_id, "key": name, "value": value, "timestamp": now, "step": 0}
            | {"is_nan": False}
            for name, value in metrics.items()
        ]
        with self.engine.begin() as connection:
            for table, rows in ((TAG_TABLE, _named(run_id, cut)), (LATEST_TABLE, points)):
                names = [row["key"] for row in rows]
                old = sa.delete(table).where(table.c.run_uuid == run_id, table.c.key.in_(names))
                if rows:
                    connection.execute(old)
                    connection.execute(sa.insert(table), rows)
            if points:
                # the same number within the same millisecond is one point
                new = sa.insert(METRIC_TABLE).prefix_with("OR IGNORE")
                connection.execute(new, points)

    def set_params(self, run_id: str, params: Mapping[str, str]) -> None:
        """Set parameters that a run does not have yet."""
        if params:
            new = sa.insert(PARAM_TABLE).prefix_with("OR IGNORE")
            with self.engine.begin() as connection:
                connection.execute(new, _named(run_id, params))

    def set_data(self, run_id: str, data: StudyData) -> None:
        """Name the data that a run used; nothing where that was done before."""
        with self.engine.begin() as connection:
            source = self._data(connection, data)
            link = {"source_id": source, "destination_id": run_id}
            known = sa.select(INPUT_TABLE.c.input_uuid).where(
                *(INPUT_TABLE.c[name] == value for name, value in link.items())
            )
            if connection.execute(known).first() is not None:
                return
            link |= {"source_type": "DATASET", "destination_type": "RUN"}
            tag = {"name": Tag.DATA_CONTEXT, "value": "train", "input_uuid": uuid.uuid4().hex}
            connection.execute(sa.insert(INPUT_TABLE), {**link, "input_uuid": tag["input_uuid"]})
            connection.execute(sa.insert(INPUT_TAG_TABLE), tag)

    def _data(self, connection: sa.Connection, data: StudyData) -> str:
        """Return the id of a data set, which is written down if it is new to the experiment."""
        known = sa.select(DATASET_TABLE.c.dataset_uuid).where(
            self._own(DATASET_TABLE),
            DATASET_TABLE.c.name == data.name,
            DATASET_TABLE.c.digest == data.digest,
        )
        found = connection.execute(known).scalar()
        if found is not None:
            return str(found)
        row = {
            "dataset_uuid": uuid.uuid4().hex,
            "experiment_id": self.experiment,
            "name": data.name,
            "digest": data.digest,
            "dataset_source_type": "local",
            "dataset_source": "{}",
            "dataset_profile": data.profile_json,
        }
        connection.execute(sa.insert(DATASET_TABLE), row)
        return str(row["dataset_uuid"])

    def files(self, run_id: str) -> list[str]:
        """Return the names of the files and folders at the top of a run's artifacts."""
        folder = self.database.local_path(run_id, "")
        if folder is None:
            return [str(file.path) for file in self.client.list_artifacts(run_id)]
        return [path.name for path in folder.iterdir()] if folder.is_dir() else []

    def write_text(self, run_id: str, name: str, text: str) -> None:
        """Write a text file among a run's artifacts."""
        path = self.database.local_path(run_id, name)
        if path is None:
            from harness.tracking.artifacts import write_artifact

            return write_artifact(self.client, run_id, name, text)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text, durable=False)

    def replace_folder(self, run_id: str, name: str, texts: Mapping[str, str]) -> None:
        """Let a folder of a run's artifacts hold these text files and nothing else."""
        folder = self.database.local_path(run_id, name)
        if folder is None:
            from harness.tracking.artifacts import replace_folder

            return replace_folder(self.client, run_id, name, texts)
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            write_whole(folder / file, text, durable=False)
        for there in folder.iterdir():
            if there.name not in texts:
                there.unlink()


def _named(run_id: str, texts: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the rows of tags or parameters, by name."""
    return [{"run_uuid": run_id, "key": k, "value": v} for k, v in texts.items()]


def _now() -> int:
    return int(1000 * time.time())
