"""Fixtures: one thread, a store of its own for each test, made from one template."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import torch

from harness.core import kernels
from harness.core.process import REPRODUCIBLE_MKL

# as in a worker: a member's bits must not depend on its place in memory
torch.set_num_threads(1)
os.environ.setdefault(*REPRODUCIBLE_MKL)


@pytest.fixture(scope="session")
def template_store(tmp_path_factory):
    """An empty MLflow database; making one takes seconds, copying it does not."""
    from harness.tracking.connect import connect

    path = tmp_path_factory.mktemp("store") / "new" / "mlflow.db"
    _, engine = connect(f"sqlite:///{path}", create=True)
    engine.dispose()
    return path


@pytest.fixture
def quick_stores(monkeypatch, template_store):
    """Let MLflow find the template's tables in a new store's file, which spares the seconds of
    making them; the file itself is made as ever."""
    from mlflow.tracking._tracking_service import utils

    make = utils._get_store

    def get_store(uri):
        path = Path(uri.removeprefix("sqlite:///"))
        if not path.exists():
            shutil.copy(template_store, path)
        return make(uri)

    monkeypatch.setattr(utils, "_get_store", get_store)


@pytest.fixture
def folder(tmp_path, monkeypatch, template_store):
    """An empty working folder with an empty store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copy(template_store, tmp_path / "mlflow.db")
    return tmp_path


@pytest.fixture
def without_kernels(monkeypatch):
    """PyTorch alone, also in processes that a test starts, whatever this machine has compiled."""
    monkeypatch.setenv(kernels.CHOICE, "none")
    kernels.look_again()
    yield
    kernels.look_again()


# a script with a module of its own beside it, run by make mutation
collect_ignore = ["mutation.py", "mutants.py"]
