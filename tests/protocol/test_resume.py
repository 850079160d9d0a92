"""A real process killed with SIGKILL in the middle, and started again."""

from __future__ import annotations

import errno
import os
import runpy
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import optuna
import pandas as pd
import psutil
import pytest

from harness import results
from harness.core.errors import StoreError
from harness.execution.checkpoints import Saving
from harness.protocol.run import Options, run_study
from harness.tracking.database import Database
from tests.studies import small
from tests.torture import Tally

SCRIPT = """
import signal
import harness as h
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start with Ctrl-C ignored
study = h.Study(
    name="killed",
    recipe=h.Recipe(data="digits", model=h.MLP(widths=(16,)), batch_size=16, epochs={epochs}, optimizer=h.SGD(lr=0.1)),
    compare={{"optimizer": {{"SGD": h.SGD(lr=h.LogUniform(1e-2, 1.0)), "Adam": h.Adam(lr=h.LogUniform(1e-3, 1e-1))}}}},
    search=h.Search(trials=12, searches={searches}, batch=2, pruner="{pruner}"),
    seeds=2,
    checkpoint={checkpoint},
)
if __name__ == "__main__":
    study.main()
"""
START, TRIALS, SEEDS = 8, 12, 2
"""Of one arm in one search: trials that nothing was learnt for, all trials, and confirm runs."""


def start(folder, workers):
    command = [sys.executable, "killed.py", "--workers", str(workers), "--cohort", "2"]
    environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def recorded(folder):
    """Return how many training runs the store has."""
    with sqlite3.connect(f"file:{folder / 'mlflow.db'}?mode=ro", uri=True) as db:
        (count,) = db.execute("select count(*) from tags where key = 'harness.key'").fetchone()
    return count


def finish(folder, workers=0):
    process = start(folder, workers)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return said


def table(folder):
    runs = (
        results.load("killed", f"sqlite:///{folder / 'mlflow.db'}")
        .runs.set_index("key")
        .sort_index()
    )
    return runs[["status", *(c for c in runs if "/" in c and c != "cost/seconds")]]


def prepared(folder, template, **fields):
    folder.mkdir()
    shutil.copy(template, folder / "mlflow.db")
    (folder / "killed.py").write_text(SCRIPT.format(**fields))
    return folder


def run_here(folder):
    """Run the study in this process, which spares the seconds that a new one takes to import."""
    study = runpy.run_path(str(folder / "killed.py"))["study"]
    storage, uri = str(folder / "optuna.journal"), f"sqlite:///{folder / 'mlflow.db'}"
    return run_study(study, Options(workers=0, cohort=2, storage=storage, uri=uri))


@pytest.mark.slow
@pytest.mark.parametrize(
    "pruner, workers, searches, kills",
    [
        ("none", 0, 1, (0, START)),  # among the start, then among the trials that follow from it
        ("median", 2, 2, (START, TRIALS)),  # among those that follow, then among the confirm runs
    ],
)
def test_killed_study_goes_on_to_the_same_numbers(
    tmp_path, template_store, pruner, workers, searches, kills
):
    # cohorts go on from checkpoints in their middle, also from rung to rung
    fields = {"epochs": 4, "pruner": pruner, "searches": searches, "checkpoint": 0.005}
    undisturbed = prepared(tmp_path / "whole", template_store, **fields)
    run_here(undisturbed)
    victim = prepared(tmp_path / "victim", template_store, **fields)
    tuned = 2 * searches  # both arms, in every search
    runs = tuned * (TRIALS + SEEDS)
    killed_at = []
    for wanted in kills:
        process = start(victim, workers)
        children = []
        while process.poll() is None and recorded(victim) <= tuned * wanted:
            time.sleep(0.02)
        if process.poll() is None:
            children = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGKILL)
        process.communicate()
        killed_at.append(recorded(victim))
        _, alive = psutil.wait_procs(children, timeout=10)
        assert not alive, "workers outlive a killed driver"
    assert killed_at[0] < killed_at[-1] <= runs, killed_at
    said = finish(victim, workers)
    assert (
        f"{killed_at[-1]} known already" in said and f"{runs - killed_at[-1]} runs trained" in said
    )
    at = f"{workers} workers, pruner {pruner}"
    tally = Tally(f"a driver killed in the middle, with checkpoints, {at}", tries=len(kills))
    tally.compare(table(victim), table(undisturbed))
    tally.write()
    pd.testing.assert_frame_equal(table(victim), table(undisturbed))
    assert not (victim / "checkpoints" / "killed").exists()
    with sqlite3.connect(victim / "mlflow.db") as db:
        keys = [k for (k,) in db.execute("select value from tags where key = 'harness.key'")]
        running = db.execute("select count(*) from runs where status = 'RUNNING'").fetchone()[0]
        points = db.execute(
            "select count(*) - count(distinct run_uuid || key || step) from metrics"
        ).fetchone()[0]
    assert len(keys) == len(set(keys)) == runs and running == 0 and points == 0
    storage = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(victim / "optuna.journal"))
    )
    asked = [s.n_trials for s in optuna.get_all_study_summaries(storage)]
    assert asked == [TRIALS] * tuned
    again = run_here(victim)
    assert (again.trained, again.known) == (0, runs)


@pytest.mark.slow
def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(tmp_path, template_store):
    fields = {"epochs": 4000, "pruner": "none", "searches": 1, "checkpoint": 1}
    folder = prepared(tmp_path / "c", template_store, **fields)
    process = start(folder, 2)
    deadline = time.time() + 60
    while time.time() < deadline and len(psutil.Process(process.pid).children()) < 2:
        time.sleep(0.1)
    time.sleep(1)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert (
        process.returncode == 130 and "the same command goes on" in said and "Traceback" not in said
    )
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive


def test_checkpoints_stay_until_the_store_has_their_runs(folder, monkeypatch):
    """Runs are written while the driver goes on: a kill in between would cost both."""
    insert, forget, written, left = Database._insert, Saving.forget, [], []

    def slowly(database, runs, superseded):
        time.sleep(0.05)
        insert(database, runs, superseded)
        written.extend(run.key for run in runs)

    def counted(saving):
        if saving.folder.exists():
            left.append(len(written))
        forget(saving)

    monkeypatch.setattr(Database, "_insert", slowly)
    monkeypatch.setattr(Saving, "forget", counted)
    run_study(small(checkpoint=1e-6), Options(workers=0, cohort=2))
    # a cohort of two each time, and at the end the folder of all, with nothing on its way
    assert left[:-1] == list(range(2, 17, 2)) and left[-1] == 16


def test_what_a_store_refused_goes_on_from_its_checkpoint(folder, monkeypatch):
    insert, refused = Database._insert, []

    def full(database, runs, superseded):
        if len(refused) == 0 and len(superseded) == 0:
            refused.extend(run.key for run in runs)
            raise OSError(errno.ENOSPC, "No space left on device")
        insert(database, runs, superseded)

    monkeypatch.setattr(Database, "_insert", full)
    study = small(checkpoint=1e-6)
    with pytest.raises(StoreError, match="No space left on device"):
        run_study(study, Options(workers=0, cohort=2))
    assert refused and list((folder / "checkpoints" / "small").glob("*/*"))
    done = run_study(study, Options(workers=0, cohort=2))
    assert (done.trained, done.known, done.failed) == (16, 0, 0)
    assert not (folder / "checkpoints").exists()
