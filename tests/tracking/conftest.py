"""A store in both of its forms: MLflow's tables written directly, and MLflow's client over the same
kind of file."""

import pytest

from harness.tracking import schema


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
