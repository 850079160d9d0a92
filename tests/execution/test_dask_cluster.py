"""Cohorts on a real Dask cluster of processes on this machine, which come and die."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from concurrent.futures import Future
from functools import partial

import pytest

from harness.cli.executor import executor_of
from harness.core.errors import HarnessError, SpecError
from harness.execution.dask_cluster import DaskExecutor
from harness.execution.given import TRIES, GivenExecutor
from harness.execution.jobs import Job
from harness.execution.local import Serial
from harness.execution.parcel import pack
from harness.execution.pool import Pool
from harness.spec.arms import Run
from tests.execution.recipes import RECIPE
from tests.execution.test_given import NOTHING, jobs, numbers

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
    with pytest.raises(HarnessError, match="pip install distributed"):
        executor_of("dask", "tcp://127.0.0.1:1", None)()


class Forgetful:
    """A client whose scheduler is started again at each of its first calls."""

    status = "running"

    def __init__(self, times):
        self.times = times

    def scheduler_info(self, n_workers):
        return {}

    def submit(self, fn, *args, key, **_):
        from distributed.client import FutureCancelledError

        asked = Future()
        asked.status = "finished"
        if self.times:
            self.times -= 1
            asked.set_exception(FutureCancelledError(key, "scheduler-connection-lost"))
        else:
            asked.set_result(fn(*args))
        return asked


@pytest.mark.skipif(MISSING, reason="needs dask.distributed")
def test_no_cohort_is_to_blame_for_its_scheduler():
    executor = DaskExecutor(Forgetful(times=2 * TRIES))
    assert numbers(partial(GivenExecutor, executor, NOTHING), jobs(1)) == numbers(Serial, jobs(1))


@pytest.mark.skipif(MISSING, reason="needs dask.distributed")
def test_code_is_given_to_each_scheduler_once():
    executor = DaskExecutor(Forgetful(times=TRIES))
    kept = executor._kept(NOTHING)
    assert executor._kept(NOTHING) is kept
    kept.status = "cancelled"
    assert executor._kept(NOTHING) is not kept


ARRIVALS = []


class Counted(str):
    """A text that tells each process in which it arrives."""

    def __reduce__(self):
        return arrived, (str(self),)


def arrived(text):
    ARRIVALS.append(text)
    return Counted(text)


def arrivals():
    return len(ARRIVALS)


@pytest.mark.skipif(MISSING, reason="needs dask.distributed")
@pytest.mark.slow
def test_a_killed_and_a_late_worker_change_no_number():
    """Real workers, each of which loads torch: seconds."""
    import dask
    from distributed import LocalCluster

    # how long a worker may take to be back: a busy machine's takes longer than Dask's 15 s
    patient = dask.config.set({"distributed.deploy.lost-worker-timeout": "600s"})
    runs = [Run.of(RECIPE.with_values({"epochs": 30}), seed) for seed in range(32)]
    todo = [Job((i, i + 1), tuple(runs[i : i + 2]), test=True) for i in range(0, 32, 2)]
    cluster = LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, resources={"GPU": 1}
    )
    make, shaken = executor_of("dask", cluster.scheduler_address, ["GPU=1"]), []

    def shake(updates):
        """Kill the worker, which its nanny starts again, and add one."""
        if updates and not shaken:
            shaken.extend(pool.executor.inner.client.run(os.getpid).values())
            os.kill(shaken[0], signal.SIGKILL)
            cluster.scale(2)

    parcel = pack([], {"own_module.py": Counted("VALUE = 1")})
    with patient, cluster, Pool(lambda: GivenExecutor(make, parcel), shake) as pool:
        ended = list(pool.run(todo[:4]))
        client = pool.executor.inner.client
        client.wait_for_workers(2)
        ended += pool.run(todo[4:])
        calls = client.run(lambda dask_worker: dask_worker.state.executed_count)
        moved = client.run(arrivals)
    assert shaken and len(calls) == 2 and all(calls.values()), "a late worker is used"
    # Dask may move a copy again that it has dropped meanwhile; each has six calls and more
    assert max(moved.values()) <= 2, "code goes to a worker once, not with each call"
    expected, _ = numbers(Serial, todo)
    outcomes = {member: outcome for _, done in ended for member, outcome in done.outcomes.items()}
    assert expected.keys() == outcomes.keys()
    for member, (status, points, *_) in expected.items():
        outcome = outcomes[member]
        assert (outcome.status, [(p.step, p.metrics) for p in outcome.points]) == (status, points)
