"""All that MLflow has of one run, whatever study it belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from mlflow.exceptions import MlflowException

from harness.core.errors import StoreError
from harness.tracking.connect import connect, default_uri
from harness.tracking.rows import Curves
from harness.tracking.store import Store
from harness.tracking.uris import public, said


class Found(NamedTuple):
    """One run as it was recorded."""

    study: str
    tags: dict[str, str]
    params: dict[str, str]
    curves: Curves
    spec: dict[str, Any]
    environment: dict[str, Any]


def find(run_id: str, uri: str | None = None, code: Path | None = None) -> Found:
    """Return a run by its id.

    Args:
        run_id: MLflow's id of the run.
        uri: MLflow tracking URI.
        code: folder that the study's own code is copied to.

    Raises:
        StoreError: there is no such run, or it is none of the harness's.
    """
    where = uri or default_uri()
    client, _ = connect(where, create=False)
    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        raise StoreError(
            f"run {run_id!r}: not in MLflow at {public(where)}: {said(error, where)}"
        ) from error
    if "harness.key" not in run.data.tags:
        raise StoreError(
            f"run {run_id!r}: expected a training run of the harness, got {run.info.run_name!r}"
        )
    store = Store(client.get_experiment(run.info.experiment_id).name, uri, create=False)
    top = store.top()
    assert top is not None, "every training run has its study's run above it"
    if code is not None and any(file.path == "code" for file in client.list_artifacts(top)):
        client.download_artifacts(top, "code", str(code))
    spec, environment = (store.artifact(top, f"{name}.json") for name in ("spec", "environment"))
    return Found(
        store.study,
        dict(run.data.tags),
        dict(run.data.params),
        store.curves([run_id])[run_id],
        spec,
        environment,
    )
