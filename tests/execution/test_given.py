"""Cohorts on executors that the harness has not made: the same bits, whatever their workers do."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from functools import partial

import pytest

from harness.core.errors import HarnessError
from harness.execution import remote
from harness.execution.given import TRIES, GivenExecutor
from harness.execution.jobs import Job, perform
from harness.execution.local import Serial
from harness.execution.parcel import pack, unpack
from harness.execution.pool import Pool
from harness.execution.remote import Reply, answer, pack_call
from harness.spec.arms import Run
from tests.execution.recipes import RECIPE

NOTHING = pack([], {})


def jobs(count=4):
    runs = tuple(Run.of(RECIPE, seed) for seed in range(2 * count))
    return [Job((2 * i, 2 * i + 1), runs[2 * i : 2 * i + 2], test=True) for i in range(count)]


def numbers(make, todo):
    """What each run came to, and the updates that were counted."""
    with Pool(make) as pool:
        ended = {member: o for _, done in pool.run(todo) for member, o in done.outcomes.items()}
        total = pool.board.total()
    timed = ("cost/seconds",)
    kept = {
        member: (
            outcome.status,
            [(point.step, point.metrics) for point in outcome.points],
            {name: v for name, v in outcome.summary.items() if name not in timed},
            outcome.detail,
        )
        for member, outcome in sorted(ended.items())
    }
    return kept, total


def two_processes():
    # a fork of a process that has used torch's threads may hang
    return ProcessPoolExecutor(2, multiprocessing.get_context("spawn"))


def test_a_thread_gives_the_bits_of_the_local_pool():
    with ThreadPoolExecutor(1) as threads:
        got = numbers(partial(GivenExecutor, threads, NOTHING), jobs())
        assert threads.submit(int).result() == 0, "the user's executor is left open"
    assert got == numbers(Serial, jobs())


@pytest.mark.slow
def test_processes_give_the_bits_of_the_local_pool():
    assert numbers(partial(GivenExecutor, two_processes, NOTHING), jobs()) == numbers(
        Serial, jobs()
    )


class Losing(Executor):
    """Works in this process, and loses the calls that it is told to."""

    def __init__(self, loses):
        self.loses, self.calls = loses, 0

    def submit(self, fn, /, *args):
        future = Future()
        self.calls += 1
        if (error := self.loses(self.calls)) is not None:
            future.set_exception(error)
        else:
            future.set_result(fn(*args))
        return future


def test_a_lost_cohort_is_done_again_elsewhere():
    losing = Losing(lambda call: OSError("connection lost") if call in (1, 3) else None)
    assert numbers(partial(GivenExecutor, losing, NOTHING), jobs(2)) == numbers(Serial, jobs(2))
    assert losing.calls == 4


def test_a_cohort_that_is_lost_always_is_failed_with_its_reason():
    losing = Losing(lambda call: OSError("connection lost"))
    kept, _ = numbers(partial(GivenExecutor, losing, NOTHING), jobs(1))
    assert {status for status, *_ in kept.values()} == {"failed"} and len(kept) == 2
    assert all("OSError: connection lost (tried 3 times)" in detail for *_, detail in kept.values())
    # the cohort, and each of its halves
    assert losing.calls == 3 * TRIES


def test_a_broken_executor_is_made_again_where_a_function_makes_it():
    made = []

    def make():
        broken = not made
        made.append(Losing(lambda call: BrokenExecutor("died") if broken else None))
        return made[-1]

    assert numbers(partial(GivenExecutor, make, NOTHING), jobs(2)) == numbers(Serial, jobs(2))
    assert len(made) > 1


def test_a_broken_executor_that_can_t_be_made_again_says_so():
    broken = Losing(lambda call: BrokenExecutor("a worker died"))
    with pytest.raises(HarnessError, match=r"executor: Losing takes no more work .*a worker died"):
        numbers(partial(GivenExecutor, broken, NOTHING), jobs(1))


class Wiped(Executor):
    """A worker without the code of a study, until it is sent."""

    def __init__(self, monkeypatch, digest):
        self.forget = lambda: monkeypatch.setattr("harness.execution.parcel._HAD", set())
        self.digest, self.sent = digest, []
        self.forget()

    def submit(self, fn, packed, parcel):
        self.sent.append(parcel is not None)
        future = Future()
        future.set_result(fn(packed, parcel))
        return future


def test_code_is_sent_to_a_worker_once(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    worker = Wiped(monkeypatch, NOTHING.digest)
    numbers(partial(GivenExecutor, worker, NOTHING), jobs(3))
    # asked, sent, and had from then on
    assert worker.sent == [False, True, False, False]
    worker.sent.clear()
    numbers(partial(GivenExecutor, worker, NOTHING), jobs(3))
    assert worker.sent == [False] * 3


def test_a_worker_with_other_versions_or_data_stops_the_study(monkeypatch):
    other = pack_call(perform, jobs(1)[0], NOTHING.digest)
    other = other._replace(made_by=other.made_by | {"torch": "1.0"})
    assert "expected torch 1.0, which the driver has" in answer(other, NOTHING).refused
    call = pack_call(perform, jobs(1)[0], NOTHING.digest)
    monkeypatch.setattr(remote, "fingerprint", lambda data: "another")
    assert "its data Iris are not those of the driver" in answer(call, NOTHING).refused
    with pytest.raises(HarnessError, match="can't be used: "):
        elsewhere = GivenExecutor(Losing(lambda call: None), NOTHING)
        monkeypatch.setattr(
            elsewhere.inner, "submit", lambda *_: told(Reply(refused="can't be used: x"))
        )
        elsewhere.submit(perform, jobs(1)[0]).result()


def told(reply):
    future = Future()
    future.set_result(reply)
    return future


UNPACKS = """
import pickle, sys
from harness.execution.parcel import Parcel, unpack
parcel = pickle.loads(sys.stdin.buffer.read())
unpack(parcel)
import box.inner
print(box.inner.VALUE)
try:
    unpack(parcel._replace(digest="other", texts={"box/inner.py": "VALUE = 2"}))
except ValueError as error:
    print(error)
"""


def test_code_arrives_where_its_files_are_not(tmp_path):
    parcel = pack([], {"box/__init__.py": "", "box/inner.py": "VALUE = 7"})
    before = list(sys.path)
    unpack(parcel)  # had already: the process that packs it is left as it is
    assert sys.path == before
    told = subprocess.run(
        [sys.executable, "-c", UNPACKS],
        input=pickle.dumps(parcel),
        capture_output=True,
        check=True,
        cwd=tmp_path,
    ).stdout.decode()
    assert told.startswith("7\n") and "it has imported another box.inner" in told


@pytest.mark.slow
def test_a_killed_process_of_a_pool_costs_nothing_else():
    pools = []

    def make():
        pools.append(two_processes())
        if len(pools) == 1:
            victim = pools[0].submit(os.getpid).result()
            pools[0].submit(int).result()
            os.kill(victim, signal.SIGKILL)
        return pools[-1]

    assert numbers(partial(GivenExecutor, make, NOTHING), jobs(1)) == numbers(Serial, jobs(1))
    assert len(pools) > 1
