"""Runs of an experiment that another program logged to MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from harness.core.errors import NoStudyError, SpecError
from harness.tracking.opening import open_experiment
from harness.tracking.rows import RunCurves, StoredRun
from harness.tracking.uris import default_uri, hide_password

if TYPE_CHECKING:
    from mlflow.entities import Metric
    from mlflow.tracking import MlflowClient


class LoggedRun(NamedTuple):
    """A run as MLflow has it, whatever program logged it."""

    run_id: str
    status: str
    """MLflow's: FINISHED, FAILED, KILLED or RUNNING."""
    fields: Mapping[str, str]
    """Parameters as ``params.<name>`` and tags as ``tags.<name>``."""
    curves: RunCurves


def read_experiment(experiment: str, uri: str | None = None) -> list[LoggedRun]:
    """Return the runs of an experiment, in the order of their starts.

    Args:
        experiment: its name.
        uri: MLflow tracking URI; by default ``MLFLOW_TRACKING_URI``, or ``mlflow.db`` in the
            working folder.

    Raises:
        SpecError: the store has no such experiment.
        StoreError: the store can't be reached.
    """
    where = uri or default_uri()
    try:
        opened = open_experiment(experiment, where, create=False)
    except NoStudyError:
        raise SpecError(
            f"no experiment {experiment!r} in MLflow at {hide_password(where)}; say where it is "
            "(uri=…)"
        ) from None
    with opened.telling_failures("to be read"):
        return [_logged(opened.client, row) for row in opened.bulk.rows()]


def _logged(client: MlflowClient, row: StoredRun) -> LoggedRun:
    """Return a run with its curves, in the order of their steps, and of time within a step."""
    fields = {f"params.{name}": text for name, text in row.params.items()}
    fields |= {f"tags.{name}": text for name, text in row.tags.items()}
    curves = {
        # by MLflow's client, which gives back NaN as such
        name: [(point.step, point.value) for point in _in_order(client, row.run_id, name)]
        for name in sorted(row.metrics)
    }
    return LoggedRun(row.run_id, row.status, fields, curves)


def _in_order(client: MlflowClient, run_id: str, name: str) -> list[Metric]:
    points = client.get_metric_history(run_id, name)
    return sorted(points, key=lambda point: (point.step, point.timestamp))
