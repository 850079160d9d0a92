"""Fixtures: one thread, a store of its own for each test, made from one template."""

from __future__ import annotations

import os
import shutil

import pytest
import torch

from harness.core.process import REPRODUCIBLE_MKL

# as in a worker: a member's bits must not depend on its place in memory
torch.set_num_threads(1)
os.environ.setdefault(*REPRODUCIBLE_MKL)


@pytest.fixture(scope="session")
def template_store(tmp_path_factory):
    """An empty MLflow database; making one takes seconds, copying it does not."""
    from harness.tracking.connect import connect

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    _, engine = connect(f"sqlite:///{path}", create=True)
    engine.dispose()
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch, template_store):
    """An empty working folder with an empty store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copy(template_store, tmp_path / "mlflow.db")
    return tmp_path


# a script with a module of its own beside it, run by make mutation
collect_ignore = ["mutation.py", "mutants.py"]
