"""Texts among a run's artifacts, written by way of a folder that a kill does not leave behind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking import MlflowClient

from harness.core.temporary import temporary_folder


def write_artifact(client: MlflowClient, run_id: str, name: str, text: str) -> None:
    """Write a text file among a run's artifacts, as MLflow's ``log_text`` does.

    Args:
        client: MLflow's client.
        run_id: the run.
        name: the file's path among the run's artifacts.
        text: its content.
    """
    with temporary_folder("files") as folder:
        path = Path(folder) / Path(name).name
        path.write_text(text, encoding="utf-8")
        above = Path(name).parent.as_posix()
        client.log_artifact(run_id, str(path), None if above == "." else above)


def replace_folder(client: MlflowClient, run_id: str, name: str, texts: Mapping[str, str]) -> None:
    """Write text files into a folder of a run's artifacts, and remove what else is there.

    Args:
        client: MLflow's client.
        run_id: the run.
        name: the folder's.
        texts: by file name.
    """
    with temporary_folder("files") as folder:
        for file, text in texts.items():
            Path(folder, file).write_text(text, encoding="utf-8")
        client.log_artifacts(run_id, folder, name)
    store = get_artifact_repository(
        client.get_run(run_id).info.artifact_uri, tracking_uri=client.tracking_uri
    )
    for there in store.list_artifacts(name):
        if Path(there.path).name not in texts:
            store.delete_artifacts(there.path)


def write_json_artifact(
    client: MlflowClient, run_id: str, name: str, content: Mapping[str, object]
) -> None:
    """Write a JSON file among a run's artifacts, as MLflow's ``log_dict`` does."""
    write_artifact(client, run_id, name, json.dumps(dict(content), indent=2, default=str))
