"""MLflow's tables, as far as the harness reads and writes them itself.

Written down here, since MLflow's own description of them is part of a package that takes seconds to
import. :mod:`harness.tracking.schema` lists the revisions that this is right for.
"""

from __future__ import annotations

import sqlalchemy as sa


def _table(name: str, texts: str, numbers: str = "") -> sa.TableClause:
    """Return a table with columns of two types, whose names are given with blanks between them."""
    columns = [sa.column(each, sa.String) for each in texts.split()]
    return sa.table(name, *columns, *(sa.column(each, sa.BigInteger) for each in numbers.split()))


def _metrics(name: str) -> sa.TableClause:
    return sa.table(
        name,
        sa.column("run_uuid", sa.String),
        sa.column("key", sa.String),
        sa.column("value", sa.Float),
        sa.column("timestamp", sa.BigInteger),
        sa.column("step", sa.BigInteger),
        sa.column("is_nan", sa.Boolean),
    )


EXPERIMENT_TABLE = _table(
    "experiments",
    "name artifact_location lifecycle_stage",
    "experiment_id creation_time last_update_time",
)
EXPERIMENT_TAG_TABLE = _table("experiment_tags", "key value", "experiment_id")
RUN_TABLE = _table(
    "runs",
    "run_uuid name source_type source_name entry_point_name user_id status source_version"
    " lifecycle_stage artifact_uri",
    "start_time end_time deleted_time experiment_id",
)
TAG_TABLE = _table("tags", "run_uuid key value")
PARAM_TABLE = _table("params", "run_uuid key value")
METRIC_TABLE = _metrics("metrics")
LATEST_TABLE = _metrics("latest_metrics")
DATASET_TABLE = _table(
    "datasets",
    "dataset_uuid name digest dataset_source_type dataset_source dataset_profile",
    "experiment_id",
)
INPUT_TABLE = _table("inputs", "input_uuid source_type source_id destination_type destination_id")
INPUT_TAG_TABLE = _table("input_tags", "input_uuid name value")


def run_values(
    run_id: str, name: str, user: str, status: str, experiment: int, artifacts: str
) -> dict[str, object]:
    """Return a run's row without its times; what is constant here is what MLflow's own store writes
    for a run that its client makes.

    Args:
        run_id: the run.
        name: as MLflow's UI shows it.
        user: who made it.
        status: MLflow's.
        experiment: the experiment's number.
        artifacts: URI that the run's artifacts lie under.
    """
    return {
        "run_uuid": run_id,
        "name": name,
        "source_type": "UNKNOWN",
        "source_name": "",
        "entry_point_name": "",
        "user_id": user,
        "status": status,
        "source_version": "",
        "lifecycle_stage": "active",
        "artifact_uri": artifacts,
        "experiment_id": experiment,
    }
