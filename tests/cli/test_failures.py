"""Full disks, folders that can't be written to, odd names: one sentence, and what is done is kept."""

from __future__ import annotations

import errno
import resource
import shutil
import sqlite3
import sys
from functools import partial
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from mlflow.exceptions import MlflowException

from harness import cli as commands
from harness.cli.failures import in_a_sentence
from harness.cli.flags import Flags
from harness.core.errors import StoreError
from harness.tracking.retry import StoreUnavailable
from tests.cli.conftest import UNTUNED
from tests.killing import drive
from tests.studies import small


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left", "a/b"), "a/b: No space left; make room"),
        (PermissionError(errno.EACCES, "Permission denied", "a"), "a: Permission denied; go to"),
        (FileNotFoundError("No usable temporary directory"), "No usable temporary directory; what"),
        (StoreUnavailable("MLflow at x can't be reached"), "MLflow at x can't be reached; what"),
        (sqlite3.OperationalError("disk I/O error"), "the store failed: disk I/O error; what"),
        (MlflowException("full"), "the store failed: full; what"),
        (sa.exc.InvalidRequestError("gone"), "the store failed: gone; what"),
        (MemoryError(), "this machine's memory is full"),
        (KeyError("a mistake of ours"), None),
    ],
)
def test_what_the_machine_does_is_a_sentence_and_our_mistakes_are_none(error, said):
    sentence = in_a_sentence(error)
    assert sentence is None if said is None else sentence.startswith(said)


def command(*words, limit=None):
    """Call the command line, perhaps with a limit on the size of files, as on a full disk."""
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    sys.argv = ["harness", *words]
    commands.main()


@pytest.mark.slow
def test_a_full_disk_in_a_folder_with_an_odd_name(tmp_path, template_store, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = tmp_path / "a%20b%c #d?e'f\"g&h"
    folder.mkdir()
    shutil.copy(template_store, folder / "mlflow.db")
    (folder / "tiny.yaml").write_text(UNTUNED)
    run = ("run", "tiny.yaml", "--workers", "0")
    size = (folder / "mlflow.db").stat().st_size
    for limit in (40_000, size + 30_000):  # the database's log is full, then the report
        assert drive(partial(command, *run, limit=limit), folder) == 1
        said = (tmp_path / "said").read_text()
        assert (tmp_path / "error").read_text() == "SystemExit: 2"
        assert said.count("error: ") == 1 and "Traceback" not in said, said
    for words in (run, ("status",)):
        (tmp_path / "error").write_text("")
        drive(partial(command, *words), folder)
        assert (tmp_path / "error").read_text() in ("", "SystemExit: 0"), words
        assert "Traceback" not in (tmp_path / "said").read_text()
    assert {"mlflow.db", "mlartifacts", "reports"} <= {path.name for path in folder.iterdir()}
    assert list(tmp_path.glob("a*")) == [folder]


def test_a_notebook_s_cell_runs_a_study_and_keeps_its_kernel(folder, monkeypatch, capsys):
    kernel = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    monkeypatch.setattr(sys, "argv", ["ipykernel_launcher.py", "-f", "kernel.json"])
    ran = []
    monkeypatch.setattr("harness.cli.run.run_and_report", lambda *given: ran.append(given))
    small().main()
    ((study, flags),) = ran
    assert study == small() and flags == Flags()

    def refuse(*_):
        raise StoreError("the store is away")

    monkeypatch.setattr("harness.cli.run.run_and_report", refuse)
    small().main()
    assert capsys.readouterr().err == "error: the store is away\n"
