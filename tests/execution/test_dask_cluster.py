"""Cohorts on a real Dask cluster of processes on this machine, which come and die."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys

import pytest

from harness.cli.executor import executor_of
from harness.core.errors import HarnessError, SpecError
from harness.execution.given import GivenExecutor
from harness.execution.jobs import Job
from harness.execution.local import Serial
from harness.execution.parcel import pack
from harness.execution.pool import Pool
from harness.spec.arms import Run
from tests.execution.recipes import RECIPE
from tests.execution.test_given import numbers

MISSING = importlib.util.find_spec("distributed") is None
# its own warnings and threads are none of ours
pytestmark = pytest.mark.filterwarnings("default")


def test_flags_without_each_other_are_refused():
    for given, said in [
        (("ray", None, None), "--executor: expected dask, got 'ray'"),
        (("dask", None, None), "expected --scheduler"),
        ((None, "tcp://a:1", None), "expected --executor dask"),
        (("dask", "tcp://a:1", ["GPU"]), "expected NAME=NUMBER such as GPU=1, got 'GPU'"),
        (("dask", "tcp://a:1", ["GPU=-1"]), "expected NAME=NUMBER"),
    ]:
        with pytest.raises(SpecError, match=said):
            executor_of(*given)
    assert executor_of(None, None, None) is None


def test_a_missing_library_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(HarnessError, match=r"pip install 'research-harness\[cluster\]'"):
        executor_of("dask", "tcp://127.0.0.1:1", None)()


def executed(client):
    """How many calls each worker that lives has ended, by the worker's name."""
    counts = client.run(lambda dask_worker: (dask_worker.name, dask_worker.state.executed_count))
    return dict(counts.values())


@pytest.mark.skipif(MISSING, reason="needs dask.distributed")
@pytest.mark.slow
def test_a_killed_and_a_late_worker_change_no_number():
    from distributed import LocalCluster

    runs = [Run.of(RECIPE.with_values({"epochs": 30}), seed) for seed in range(16)]
    todo = [Job((i, i + 1), tuple(runs[i : i + 2]), test=True) for i in range(0, 16, 2)]
    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, resources={"GPU": 1}
    )
    make, shaken = executor_of("dask", cluster.scheduler_address, ["GPU=1"]), []

    def shake(updates):
        """Kill a worker, which its nanny starts again."""
        if updates and not shaken:
            pids = pool.executor.inner.client.run(os.getpid)
            shaken.append(pids[min(pids)])
            os.kill(shaken[0], signal.SIGKILL)

    with cluster, Pool(lambda: GivenExecutor(make, pack([], {})), shake) as pool:
        assert pool.executor.ahead >= 4
        ended = list(pool.run(todo[:4]))
        cluster.scale(3)
        pool.executor.inner.client.wait_for_workers(3)
        ended += pool.run(todo[4:])
        calls = executed(pool.executor.inner.client)
    assert shaken and calls[2] > 0, "a worker died, and the late one was used"
    expected, _ = numbers(Serial, todo)
    outcomes = {member: outcome for _, done in ended for member, outcome in done.outcomes.items()}
    assert expected.keys() == outcomes.keys()
    for member, (status, points, *_) in expected.items():
        outcome = outcomes[member]
        assert (outcome.status, [(p.step, p.metrics) for p in outcome.points]) == (status, points)
