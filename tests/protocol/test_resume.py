"""A real process killed with SIGKILL in the middle, and started again."""

from __future__ import annotations

import os
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

SCRIPT = """
import signal
import harness as h
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start with Ctrl-C ignored
study = h.Study(
    name="killed",
    recipe=h.Recipe(data="digits", model=h.MLP(widths=(16,)), batch_size=16, epochs={epochs}, optimizer=h.SGD(lr=0.1)),
    compare={{"optimizer": {{"SGD": h.SGD(lr=h.LogUniform(1e-2, 1.0)), "Adam": h.Adam(lr=h.LogUniform(1e-3, 1e-1))}}}},
    search=h.Search(trials=12, batch=2, pruner="{pruner}"),
    seeds=4,
)
if __name__ == "__main__":
    study.main()
"""
RUNS = 2 * (12 + 4)
"""Of both arms: trials, of which 8 are the start and then two a round, and confirm runs."""


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


def prepared(folder, template, epochs, pruner):
    folder.mkdir()
    shutil.copy(template, folder / "mlflow.db")
    (folder / "killed.py").write_text(SCRIPT.format(epochs=epochs, pruner=pruner))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("pruner, workers", [("none", 0), ("median", 2)])
def test_killed_study_goes_on_to_the_same_numbers(tmp_path, template_store, pruner, workers):
    undisturbed = prepared(tmp_path / "whole", template_store, 12, pruner)
    finish(undisturbed)
    victim = prepared(tmp_path / "victim", template_store, 12, pruner)
    killed_at = []
    for wanted in (1, 17, 25):
        process = start(victim, workers)
        children = []
        while process.poll() is None and recorded(victim) < wanted:
            time.sleep(0.02)
        if process.poll() is None:
            children = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGKILL)
        process.communicate()
        killed_at.append(recorded(victim))
        _, alive = psutil.wait_procs(children, timeout=10)
        assert not alive, "workers outlive a killed driver"
    assert killed_at[0] < killed_at[-1] <= RUNS, killed_at
    said = finish(victim, workers)
    assert (
        f"{killed_at[-1]} known already" in said and f"{RUNS - killed_at[-1]} runs trained" in said
    )
    pd.testing.assert_frame_equal(table(victim), table(undisturbed))
    with sqlite3.connect(victim / "mlflow.db") as db:
        keys = [k for (k,) in db.execute("select value from tags where key = 'harness.key'")]
        running = db.execute("select count(*) from runs where status = 'RUNNING'").fetchone()[0]
        points = db.execute(
            "select count(*) - count(distinct run_uuid || key || step) from metrics"
        ).fetchone()[0]
    assert len(keys) == len(set(keys)) == RUNS and running == 0 and points == 0
    storage = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(victim / "optuna.journal"))
    )
    assert [s.n_trials for s in optuna.get_all_study_summaries(storage)] == [12, 12]
    assert f"0 runs trained, {RUNS} known already" in finish(victim)


@pytest.mark.slow
def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(tmp_path, template_store):
    folder = prepared(tmp_path / "c", template_store, 4000, "none")
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
