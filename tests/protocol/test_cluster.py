"""Whole studies on real Dask clusters whose workers, links and schedulers are taken away: nothing is
lost, and the numbers are those of one machine alone.

They take minutes and are run by ``make torture``.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time

import pytest

from harness import results
from tests.clusters import HERE, MISSING, PATIENCE, THIS, cluster, environment, kill, workers_of
from tests.hosts import network, why_none
from tests.killing import EVERY
from tests.servers import free_port
from tests.torture import Tally

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not EVERY, reason="takes minutes: make torture runs it"),
    pytest.mark.skipif(MISSING, reason="needs dask.distributed"),
]
OWN = """
import time
from torch import nn

class Small(nn.Module):
    def __init__(self, input_shape, outputs):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(input_shape[0], 16), nn.Tanh(), nn.Linear(16, outputs))

    def forward(self, x):
        time.sleep(0.005)  # or a quick machine ends the study before three workers are killed
        return self.net(x)
"""
STUDY = """
import harness as h, mine
from sklearn.datasets import load_digits

x, y = load_digits(return_X_y=True)
study = h.Study(
    name="cluster",
    recipe=h.Recipe(
        data=h.ExternalData((x / 16, y)), model=mine.Small, batch_size=16, epochs=10,
        eval_every=2, optimizer=h.SGD(lr=0.1),
    ),
    compare={
        "optimizer": {
            "SGD": h.SGD(lr=h.LogUniform(1e-2, 1.0)), "Adam": h.Adam(lr=h.LogUniform(1e-3, 1e-1))
        }
    },
    search=h.Search(trials=8, batch=4, searches=2),
    seeds=4,
)
if __name__ == "__main__":
    study.main()
"""
NO_JOBQUEUE = importlib.util.find_spec("dask_jobqueue") is None
STANDIN = HERE / "tests" / "slurm_standin"
RUNS = 2 * 2 * (8 + 4)
KILL_SECONDS = 10
LIFE_SECONDS = 6
"""Of a processor, before a worker is killed: some for loading torch, some for cohorts."""
LIMIT = 1800


def prepared(folder, template):
    """Return a driver's folder: the study, the module of its own, and an empty store."""
    folder.mkdir()
    shutil.copy(template, folder / "mlflow.db")
    (folder / "study.py").write_text(STUDY)
    (folder / "mine.py").write_text(OWN)
    return folder


def start(folder, *flags, host=THIS, script="study.py"):
    with (folder / "said").open("a") as said:
        return subprocess.Popen(
            [*host.inside, sys.executable, script, *flags],
            cwd=folder,
            env=environment(),
            stdout=said,
            stderr=said,
            start_new_session=True,
        )


def end(driver, folder):
    """Wait for a driver that is to end well; return what it said."""
    status = driver.wait(LIMIT)
    said = (folder / "said").read_text()
    assert status == 0, said[-3000:]
    return said


def table(folder):
    runs = results.load("cluster", f"sqlite:///{folder / 'mlflow.db'}").runs
    runs = runs.set_index("key").sort_index()
    return runs[["status", *(c for c in runs if "/" in c and c != "cost/seconds")]]


def assert_unharmed(fault, tries, folder, alone):
    tally = Tally(fault, tries)
    tally.compare(table(folder), table(alone))
    tally.write()
    assert (tally.lost, tally.doubled, tally.differing) == (0, 0, 0)
    assert len(table(folder)) == RUNS and set(table(folder).status) == {"finished"}


@pytest.fixture(scope="module")
def alone(tmp_path_factory, template_store):
    """The folder of the undisturbed study, on this machine alone."""
    folder = prepared(tmp_path_factory.mktemp("alone") / "driver", template_store)
    end(start(folder, "--workers", "0"), folder)
    return folder


def until(done, driver, folder):
    """Wait until something is so, while the driver goes on."""
    deadline = time.monotonic() + LIMIT
    while not done():
        assert driver.poll() is None, (folder / "said").read_text()[-3000:]
        assert time.monotonic() < deadline, "stuck"
        time.sleep(0.2)


def recorded(folder):
    """Return how many runs the store has."""
    with sqlite3.connect(f"file:{folder / 'mlflow.db'}?mode=ro", uri=True) as db:
        (count,) = db.execute("select count(*) from tags where key = 'harness.key'").fetchone()
    return count


def has_worked(worker):
    """Return whether a process has done more than load its libraries, however slow the machine is."""
    return worker.is_running() and sum(worker.cpu_times()[:2]) > LIFE_SECONDS


def on(dask):
    return ("--executor", "dask", "--scheduler", dask.address, "--cohort", "2")


def test_a_worker_killed_every_ten_seconds_and_a_late_one(tmp_path, template_store, alone):
    folder, killed = prepared(tmp_path / "driver", template_store), 0
    with cluster(tmp_path, free_port()) as dask:
        nannies = [dask.start_worker(name) for name in ("one", "two")]
        driver = start(folder, *on(dask))
        while driver.poll() is None:
            time.sleep(KILL_SECONDS)
            ready = [w for nanny in nannies[:2] for w in workers_of(nanny) if has_worked(w)]
            for worker in ready[:1]:
                worker.kill()
                killed += 1
            if killed == 2 and len(nannies) == 2:
                nannies.append(dask.start_worker("late"))
        end(driver, folder)
        assert any(has_worked(w) for w in workers_of(nannies[2])), "the late worker is used"
    assert killed >= 3
    assert_unharmed("a Dask worker killed every 10 s, one added late", killed, folder, alone)


def test_the_scheduler_is_killed_and_comes_back(tmp_path, template_store, alone):
    folder = prepared(tmp_path / "driver", template_store)
    with cluster(tmp_path, free_port()) as dask:
        workers = [dask.start_worker(name) for name in ("one", "two")]
        driver = start(folder, *on(dask))
        until(lambda: recorded(folder) >= 8, driver, folder)
        kill(dask.scheduler)
        time.sleep(3)
        dask.start_scheduler()
        # a worker ends with its scheduler: who starts the one again starts the others
        for worker in workers:
            kill(worker)
        dask.start_worker("three")
        if driver.wait(LIMIT) != 0:  # the scheduler was away for longer than the driver waits
            said = (folder / "said").read_text()
            assert "Traceback" not in said and "scheduler: expected" in said, said[-3000:]
            end(start(folder, *on(dask)), folder)
    assert_unharmed("the Dask scheduler killed and started again", 1, folder, alone)


@pytest.mark.skipif(bool(why_none()), reason=why_none() or "hosts can be made")
def test_a_host_is_cut_off_and_comes_back(tmp_path, template_store, alone):
    folder = prepared(tmp_path / "driver", template_store)
    patience = {"scheduler__worker_ttl": "15s", "comm__timeouts__tcp": "15s"}
    with (
        network("driver", "one", "two") as hosts,
        cluster(tmp_path, 8786, hosts.hosts["driver"], **patience) as dask,
    ):
        there = {name: dask.start_worker(name, hosts.hosts[name]) for name in ("one", "two")}
        driver = start(folder, *on(dask), host=hosts.hosts["driver"])
        until(lambda: recorded(folder) >= 8, driver, folder)
        hosts.cut("one")
        # others have ended what the host had, which takes until the scheduler misses it
        dask.wait_for("scheduler", "Remove worker")
        before = recorded(folder)
        until(lambda: recorded(folder) > before, driver, folder)
        hosts.mend("one")
        # its worker ends when it finds itself forgotten, as one that runs as a service is started again
        there["one"].wait(PATIENCE)
        dask.start_worker("one", hosts.hosts["one"])
        end(driver, folder)
        came = f"Register worker addr: tcp://{hosts.hosts['one'].address}:"
        assert (tmp_path / "scheduler" / "log").read_text().count(came) == 2, "the host is back"
    assert_unharmed("a host cut off from the others, and back", 1, folder, alone)


def on_slurm():
    """Return the script of docs/cluster.md, with two jobs on this machine and small cohorts."""
    page = (HERE / "docs" / "cluster.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"^```python on_slurm\.py\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    for shown, tried in (
        ("maximum=100", "maximum=2"),
        ("walltime=", 'interface="lo", walltime='),
        ("executor=", "cohort=2, executor="),
    ):
        script = script.replace(shown, tried)
    return script


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """The log of a stand-in for SLURM, which is on the path; its jobs are ended."""
    log = tmp_path / "jobs"
    log.touch()
    monkeypatch.setenv("PATH", f"{STANDIN}:{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_STANDIN_LOG", str(log))
    yield log
    if jobs := jobs_of(log):
        subprocess.run([STANDIN / "scancel", *jobs], check=True)


def jobs_of(log):
    return [line.split()[1] for line in log.read_text().splitlines() if line.startswith("job ")]


@pytest.mark.skipif(NO_JOBQUEUE, reason="needs dask-jobqueue")
def test_a_slurm_job_is_cancelled(tmp_path, template_store, alone, slurm):
    """dask-jobqueue against a stand-in for sbatch and scancel, which tests/slurm_standin says to be one."""
    folder = prepared(tmp_path / "driver", template_store)
    (folder / "on_slurm.py").write_text(on_slurm())
    driver = start(folder, script="on_slurm.py")
    until(lambda: recorded(folder) >= 8, driver, folder)
    had = len(jobs_of(slurm))
    subprocess.run([STANDIN / "scancel", jobs_of(slurm)[0]], check=True)
    end(driver, folder)
    assert len(jobs_of(slurm)) > had, "another job was asked for"
    assert_unharmed("a SLURM job (stand-in for sbatch) cancelled", 1, folder, alone)
