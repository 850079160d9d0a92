"""A store in both of its forms: MLflow's tables written directly, and MLflow's client over the same
kind of file; and servers, which all tests of a process share."""

import os
import uuid

import pytest
from mlflow.tracking import MlflowClient

from harness.tracking import schema
from tests import servers


@pytest.fixture(params=["tables", "client"])
def form(request, folder, monkeypatch):
    """Which form of :class:`harness.tracking.experiment.Bulk` an SQLite store takes in this
    test."""
    if request.param == "client":
        use_client(monkeypatch)
    return request.param


def use_client(monkeypatch):
    """Let stores take MLflow's client from here on, as they do where the tables' revision is not
    known."""
    monkeypatch.setattr(schema, "KNOWN_REVISIONS", {})


@pytest.fixture(scope="session")
def databases():
    if servers.postgres_folder() is None:
        assert "HARNESS_CI" not in os.environ, "CI installs PostgreSQL"
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with servers.postgres() as uris:
        yield uris


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory, databases):
    with servers.mlflow_server(tmp_path_factory.mktemp("mlflow"), databases["mlflow"]) as started:
        yield started


@pytest.fixture
def server(shared_server):
    """The server, on which no study of an earlier test is found by its name."""
    yield shared_server
    client = MlflowClient(shared_server.uri)
    for experiment in client.search_experiments(filter_string="name != 'Default'"):
        # MLflow keeps the name of what is deleted
        client.rename_experiment(experiment.experiment_id, uuid.uuid4().hex)
        client.delete_experiment(experiment.experiment_id)
