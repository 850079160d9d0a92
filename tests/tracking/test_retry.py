"""Trying again while a store is away."""

from __future__ import annotations

import errno

import pytest
import requests
import sqlalchemy as sa

from harness.tracking import retry as module
from harness.tracking.experiment import may_pass
from harness.tracking.retry import StoreUnavailable, retry


@pytest.fixture
def slept(monkeypatch):
    """The pauses that were made, without making them."""
    pauses = []
    monkeypatch.setattr(module.time, "sleep", pauses.append)
    return pauses


def test_what_came_at_last_is_returned_and_the_outage_is_told_once(slept, caplog):
    seen = []

    def action(again):
        seen.append(again)
        if len(seen) < 7:
            raise StoreUnavailable("nobody there")
        return 42

    assert retry(action) == 42
    assert seen == [False] + [True] * 6, "whether it was tried before"
    assert slept == [0.5, 1.0, 2.0, 5.0, 5.0, 5.0]
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2 and "nobody there" in told[0] and told[1] == "the store is back"


def test_patience_ends(slept, monkeypatch):
    clock = iter([0.0, 5.0, 11.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))

    def action(again):
        raise StoreUnavailable("nobody there")

    with pytest.raises(StoreUnavailable, match="nobody there"):
        retry(action, patience=10.0)
    assert slept == [0.5]


def test_other_errors_are_not_tried_again(slept):
    with pytest.raises(ZeroDivisionError):
        retry(lambda again: 1 / 0)
    assert slept == []


@pytest.mark.parametrize(
    "error, passes",
    [
        (ConnectionResetError(errno.ECONNRESET, "reset by peer"), True),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), True),
        (TimeoutError("timed out"), True),
        (OSError(errno.EHOSTUNREACH, "no route to host"), True),
        (requests.ConnectionError("broken"), True),
        (requests.Timeout("slow"), True),
        (sa.exc.OperationalError("select", {}, Exception("server closed")), True),
        (requests.exceptions.InvalidURL("http:/a"), False),
        (OSError(errno.ENOSPC, "no space left on device", "/tmp/report.html"), False),
        (PermissionError(errno.EACCES, "permission denied", "/tmp/report.html"), False),
        (FileNotFoundError(errno.ENOENT, "no such file", "/tmp/report.html"), False),
        (OSError(errno.EMFILE, "too many open files"), False),
        (sa.exc.ProgrammingError("select", {}, Exception("no such table")), False),
    ],
)
def test_failures_of_this_machine_s_files_are_not_waited_for(error, passes):
    assert may_pass(error, "http://127.0.0.1:5000") == passes
    assert may_pass(error, "postgresql://db/mlflow") == passes
    assert not may_pass(error, "sqlite:///mlflow.db")
