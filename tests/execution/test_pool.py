"""The pool: every job comes back, whatever becomes of the job and of the worker that has it."""

from __future__ import annotations

import os
from concurrent.futures import BrokenExecutor, Executor, Future

import pytest

from harness.core.records import Outcome
from harness.execution.jobs import Done, Job
from harness.execution.local import Serial, local_executor
from harness.execution.pool import Board, Pool
from harness.spec.arms import Run
from tests.execution.recipes import RECIPE


@pytest.mark.parametrize("workers", [0, 2])
def test_pool_counts_updates_and_returns_every_job(workers):
    runs = [Run.of(RECIPE, seed) for seed in range(4)]
    todo = [Job((i,), (run,), test=True) for i, run in enumerate(runs)]
    ticks = []
    with Pool(lambda: local_executor(workers), ticks.append) as pool:
        done_by_members = {job.members: done for job, done in pool.run(todo)}
        total = pool.board.total()
    assert sorted(done_by_members) == [(0,), (1,), (2,), (3,)]
    steps = sum(done.outcomes[i].summary["cost/steps"] for (i,), done in done_by_members.items())
    assert total == steps == 4 * 2 * 3
    assert ticks[-1] <= total


class Faulty(Executor):
    """Ends every run, but for those of a bad member: its cohort fails, or its worker dies.

    A dead worker breaks its executor: whatever is asked of it then fails as well.
    """

    def __init__(self, bad, deadly):
        self.bad, self.deadly, self.broken = bad, deadly, False

    def submit(self, fn, /, job):
        future = Future()
        self.broken |= self.deadly and self.bad in job.members
        if self.broken:
            future.set_exception(BrokenExecutor())
        elif self.bad in job.members:
            future.set_result(Done({}, None, "boom"))
        else:
            future.set_result(Done({m: Outcome("finished", (), {}) for m in job.members}))
        return future


@pytest.mark.parametrize("bad", [0, 3, 9])
@pytest.mark.parametrize("deadly, said", [(False, "boom"), (True, "the worker process died")])
def test_one_bad_run_fails_alone(bad, deadly, said):
    run = Run.of(RECIPE, 0)
    todo = [Job((0, 1, 2), (run,) * 3, test=False), Job((3, 4, 5, 6, 7), (run,) * 5, test=False)]
    todo.append(Job((8, 9), (run,) * 2, test=False))
    outcomes = {}
    with Pool(lambda: Faulty(bad, deadly)) as pool:
        for job, done in pool.run(todo):
            assert done.outcomes.keys() == set(job.members) and outcomes.keys().isdisjoint(
                job.members
            )
            outcomes |= done.outcomes
    assert outcomes.keys() == set(range(10))
    assert {m for m, outcome in outcomes.items() if outcome.status == "failed"} == {bad}
    assert said in outcomes[bad].detail


def test_a_call_that_fails_gives_nothing_and_the_pool_goes_on():
    executors = []

    def make():
        executors.append(Serial())
        return executors[-1]

    def broken(argument):
        raise BrokenExecutor

    with Pool(make) as pool:
        assert pool.alone(lambda n: 1 / n, 4) == 0.25
        assert pool.alone(lambda n: 1 / n, 0) is None and len(executors) == 1
        assert pool.alone(broken, 0) is None and len(executors) == 3


def test_each_counter_of_a_board_is_a_job_s_own_and_its_file_is_removed():
    board = Board()
    for updates in (3, 4):
        board.counts[board.slot()] += updates
    assert board.total() == 7 and os.path.exists(board.path)
    board.close()
    assert not os.path.exists(board.path)


def test_a_board_goes_on_when_its_counters_come_round(monkeypatch):
    monkeypatch.setattr("harness.execution.pool.SLOTS", 3)
    board = Board()
    for updates in range(1, 9):
        board.counts[board.slot()] += updates
        assert board.total() == sum(range(updates + 1))
    board.close()
