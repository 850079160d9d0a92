"""A store for what a benchmark trains, thrown away afterwards."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def temporary_store() -> Iterator[None]:
    """Have MLflow's store in a folder of its own, which is the working folder meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        here, store = os.getcwd(), os.environ.get("MLFLOW_TRACKING_URI")
        os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlflow.db"
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(here)
            os.environ.pop("MLFLOW_TRACKING_URI")
            if store is not None:
                os.environ["MLFLOW_TRACKING_URI"] = store
