"""Texts among a run's artifacts, written by way of a folder that a kill does not leave behind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

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


def write_json_artifact(
    client: MlflowClient, run_id: str, name: str, content: Mapping[str, object]
) -> None:
    """Write a JSON file among a run's artifacts, as MLflow's ``log_dict`` does."""
    write_artifact(client, run_id, name, json.dumps(dict(content), indent=2, default=str))
