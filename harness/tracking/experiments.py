"""Experiments by their names: in the tables of an SQLite file, else by MLflow's client."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from harness.tracking.tables import EXPERIMENT_TABLE

if TYPE_CHECKING:
    from harness.tracking.connect import Connection


class ExperimentPlace(NamedTuple):
    """Where an experiment is."""

    id: str
    artifacts: str
    """URI that its artifacts lie under."""
    active: bool
    """False for one that was deleted in MLflow's UI, which keeps its name."""


def experiment_place(connection: Connection, name: str) -> ExperimentPlace | None:
    """Return where the experiment of a name is; None if there is none."""
    if connection.file is None:
        found = connection.client.get_experiment_by_name(name)
        if found is None:
            return None
        active = found.lifecycle_stage == "active"
        return ExperimentPlace(str(found.experiment_id), str(found.artifact_location), active)
    columns = EXPERIMENT_TABLE.c
    query = sa.select(columns.experiment_id, columns.artifact_location, columns.lifecycle_stage)
    with connection.file.connect() as opened:
        row = opened.execute(query.where(columns.name == name)).first()
    return row and ExperimentPlace(str(row[0]), str(row[1]), row[2] == "active")


def experiment_names(connection: Connection) -> list[str]:
    """Return the names of the active experiments."""
    if connection.file is None:
        return [str(each.name) for each in connection.client.search_experiments()]
    active = EXPERIMENT_TABLE.c.lifecycle_stage == "active"
    with connection.file.connect() as opened:
        return list(opened.execute(sa.select(EXPERIMENT_TABLE.c.name).where(active)).scalars())


def create_experiment(connection: Connection, name: str, artifacts: str | None) -> None:
    """Make an experiment; one that is there already is left as it is.

    MLflow's client asks again where the answer was lost, and two drivers may ask at once.

    Args:
        connection: the way to the store.
        name: the experiment's.
        artifacts: URI that its artifacts are to lie under; None where a server says.
    """
    if connection.file is None:
        return once(
            lambda: connection.client.create_experiment(name, artifact_location=artifacts),
            "RESOURCE_ALREADY_EXISTS",
        )
    now = int(1000 * time.time())
    row = {
        "name": name,
        "artifact_location": artifacts,
        "lifecycle_stage": "active",
        "creation_time": now,
        "last_update_time": now,
    }
    with connection.file.begin() as opened:
        opened.execute(sa.insert(EXPERIMENT_TABLE).prefix_with("OR IGNORE"), row)


def once(change: Callable[[], object], made: str) -> None:
    """Make a change that is refused where it has been made.

    MLflow's client asks again where the answer was lost, and two drivers may ask at once.

    Args:
        change: the request.
        made: MLflow's code of the refusal.
    """
    from mlflow.exceptions import MlflowException

    try:
        change()
    except MlflowException as error:
        if error.error_code != made:
            raise
