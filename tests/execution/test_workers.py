"""Workers of this machine: one that dies costs the call that it had, at whatever moment it dies."""

from __future__ import annotations

import os
import random
import signal
import threading
from contextlib import suppress

import pytest

from harness.core.gpus import surely_no_gpu
from harness.execution.forked import ForkServer, end_ahead, start_ahead
from harness.execution.fresh import FreshWorker
from harness.execution.given import TRIES
from harness.execution.jobs import Job
from harness.execution.local import local_executor
from harness.execution.pool import Pool
from harness.execution.workers import Workers
from harness.spec.arms import Run
from tests.execution.calls import (
    Unreadable,
    die,
    done_of,
    draw,
    fork_and_die,
    note_and_die,
    note_and_wait,
    until,
)
from tests.execution.recipes import RECIPE
from tests.killing import EVERY
from tests.torture import Tally


def forked():
    server = ForkServer({**os.environ, "OMP_NUM_THREADS": "1"})
    return Workers(2, lambda _: server.fork(), server.end)


def fresh():
    return Workers(2, lambda _: FreshWorker({"OMP_NUM_THREADS": "1"}))


@pytest.fixture(params=[forked, fresh])
def workers(request):
    with request.param() as executor:
        yield executor


def processes(executor):
    """The ids of the processes that a pool's workers have at the moment."""
    found = (worker.process.pid for worker in executor.workers)
    return [pid for pid in found if pid is not None]


def kill_all(executor):
    killed = processes(executor)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    return killed


def test_death_while_busy_costs_one_call_and_no_other(workers, tmp_path):
    dying, other, gate = (tmp_path / name for name in ("dying", "other", "gate"))
    dying.mkdir()
    other.mkdir()
    waiting = workers.submit(note_and_wait, other, gate)
    assert workers.submit(note_and_die, dying, TRIES - 1).result() == TRIES - 1
    gate.touch()
    assert waiting.result() in processes(workers)
    assert len(os.listdir(other)) == 1, "the other worker's call was made once"


@pytest.mark.parametrize("settled", [True, False], ids=["idle", "booting"])
def test_death_without_a_call_costs_nothing(workers, settled):
    until(lambda: len(processes(workers)) == 2)
    if settled:
        assert workers.submit(divmod, 7, 2).result() == (3, 1)
    kill_all(workers)
    assert [workers.submit(abs, -i).result() for i in range(4)] == [0, 1, 2, 3]


def test_what_kills_every_worker_is_said_to_and_the_rest_goes_on(workers, tmp_path):
    job = Job((0,), (Run.of(RECIPE, 0),), test=False)
    done = workers.submit(die, job).result()
    assert not done.outcomes and "the worker process died" in done.error
    with pytest.raises(RuntimeError, match="the worker process died"):
        workers.submit(note_and_die, tmp_path, 99).result()
    assert len(os.listdir(tmp_path)) == TRIES
    assert workers.submit(abs, -1).result() == 1


@pytest.mark.parametrize(
    ("call", "argument", "said"),
    [
        (os._exit, 7, r"3 times \(exit code 7: does code of your own call os._exit\?\)"),
        (die, None, r"3 times \(signal SIGKILL: out of memory, or killed\)"),
    ],
)
def test_it_is_said_how_a_worker_ended(workers, call, argument, said):
    with pytest.raises(RuntimeError, match=said):
        workers.submit(call, argument).result()


def test_what_a_call_raises_is_raised_here(workers):
    with pytest.raises(ZeroDivisionError):
        workers.submit(divmod, 1, 0).result()
    with pytest.raises(TypeError, match="pickle"):
        workers.submit(threading.Lock).result()


def test_a_job_that_no_worker_can_read_ends_in_words(workers):
    """A module of the user's that only this process finds, say: it must not end the study."""
    job = Job((0,), (Run.of(RECIPE, 0),), test=False)._replace(keep=Unreadable())
    done = workers.submit(done_of, job).result()
    assert not done.outcomes and done.error


def test_workers_draw_different_numbers_where_nobody_seeds_them(tmp_path):
    """Forks have all of their server, the state of its generators too."""
    with forked() as executor:
        waiting = executor.submit(note_and_wait, tmp_path, tmp_path / "gate")
        first = executor.submit(draw).result()
        kill_all(executor)
        assert executor.submit(draw).result() != first
        (tmp_path / "gate").touch()
        waiting.result()


@pytest.mark.parametrize(("name", "seen"), [("SET_BY_A_STUDY", "now"), ("MLFLOW_SET_BY_US", None)])
def test_a_server_started_ahead_is_left_where_a_study_has_changed_the_environment(
    name, seen, monkeypatch
):
    """A study's own file may set variables, and comes after the server's start."""
    if not surely_no_gpu():
        pytest.skip("workers with GPUs are no forks")
    end_ahead()
    start_ahead()
    monkeypatch.setenv(name, "now")
    with local_executor(1) as executor:
        assert executor.submit(os.getenv, name).result() == seen


def test_another_server_is_started_when_it_has_died(tmp_path):
    server = ForkServer({**os.environ, "OMP_NUM_THREADS": "1"})
    with Workers(1, lambda _: server.fork(), server.end) as executor:
        first = executor.submit(os.getpid).result()
        server.process.kill()
        server.process.wait()
        until(lambda: not os.path.exists(f"/proc/{first}"), 10)
        assert executor.submit(os.getpid).result() != first


def test_a_call_ends_with_its_process_though_what_it_has_started_goes_on(tmp_path):
    """A process that a user's code forks has a copy of the worker's connection."""
    with forked() as executor, pytest.raises(RuntimeError, match="SIGKILL"):
        executor.submit(fork_and_die, 30).result(timeout=20)


def test_a_job_says_that_its_worker_died(workers, tmp_path):
    job = Job((0,), (Run.of(RECIPE, 0),), test=False)
    assert workers.submit(done_of, job, tmp_path, 0).result().notes == ()
    (note,) = workers.submit(done_of, job, tmp_path, 2).result().notes
    assert note == "a worker process died once: its cohort was trained again"


@pytest.mark.parametrize("start", [forked, fresh])
def test_the_end_comes_at_once_and_leaves_no_process(tmp_path, start):
    executor = start()
    waiting = [executor.submit(note_and_wait, tmp_path, tmp_path / "never") for _ in range(3)]
    until(lambda: len(os.listdir(tmp_path)) == 2)
    left = processes(executor)
    executor.shutdown()
    assert all(future.done() for future in waiting)
    for pid in left:
        until(lambda pid=pid: not os.path.exists(f"/proc/{pid}"), 5)


@pytest.mark.slow
def test_training_and_clocks_outlive_their_workers():
    from harness.protocol.timing import read_clock  # torch, which the other tests' workers spare

    todo = [Job((i,), (Run.of(RECIPE, i),), test=True) for i in range(2)]
    with Pool(lambda: local_executor(1)) as pool:
        until(lambda: kill_all(pool.executor))  # while it boots
        assert {job.members: len(done.outcomes) for job, done in pool.run(todo)} == {
            (0,): 1,
            (1,): 1,
        }
        assert pool.board.total() == sum(2 * 3 for _ in todo)
        kill_all(pool.executor)  # before the clock is read
        reading = pool.alone(read_clock, Run.of(RECIPE, 0).recipe)
        assert reading is not None and reading.seconds > 0


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not EVERY, reason="minutes; make torture runs it")
def test_a_study_whose_workers_are_killed_again_and_again(folder):
    from harness import results
    from harness.protocol.run import Options, run_study
    from tests.studies import small

    def numbers(uri):
        runs = results.load("small", uri).runs.set_index("key").sort_index()
        return runs[[c for c in runs if "/" in c and not c.startswith("cost/")]]

    # as long that some are killed on a quick machine
    recipe = small().recipe.with_values({"epochs": 200})
    search = small().search.model_copy(update={"trials": 24})
    study = small(recipe=recipe, search=search, seeds=6)
    run_study(study, Options(workers=2))
    made: list[Workers] = []
    ended, tally = threading.Event(), Tally("a local worker killed (booting, idle, busy, clock)")

    def reap():
        chance = random.Random(0)
        while not ended.wait(chance.uniform(0.2, 4)):
            for pid in processes(made[-1])[:1] if made else []:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    tally.tries += 1

    def watched(*arguments):
        made.append(Workers(*arguments))
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.execution.workers.Workers", watched)
        # what is killed from outside, however often, is not what kills its workers
        patch.setattr("harness.execution.workers.TRIES", 1000)
        reaper = threading.Thread(target=reap)
        reaper.start()
        try:
            run_study(study, Options(workers=2, uri="sqlite:///killed.db"))
        except Exception:
            tally.stuck += 1
            raise
        finally:
            ended.set()
            reaper.join()
            if not tally.stuck:
                tally.compare(numbers("sqlite:///killed.db"), numbers(None))
            tally.write()
    assert tally == Tally(tally.fault, tries=tally.tries) and tally.tries > 2
