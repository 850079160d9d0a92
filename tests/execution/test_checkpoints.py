"""A job that is killed at any moment and started again: the same bits, from its last checkpoint."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

import harness as h
from harness.engine import loop
from harness.engine.leaving import drop
from harness.execution import checkpoints
from harness.execution.checkpoints import Saving
from harness.execution.jobs import Done, Job, perform
from harness.execution.local import Serial, local_executor
from harness.execution.pool import Board, Pool
from harness.spec.arms import Run
from tests.engine.test_checkpoint import same

BASE = h.Recipe(
    data={"name": "digits", "train_size": 200},
    model=h.MLP(widths=(12, 7)),
    optimizer=h.SGD(lr=0.1, momentum=0.9),
    batch_size=16,
    steps=40,
    eval_every=16,
)
CASES = {
    "dropout and augmentation": {
        "regularizers": [h.Dropout(rate=0.3), h.Mixup(alpha=0.5), h.InputNoise(std=0.1)]
    },
    "Adam": {"optimizer": h.Adam(lr=0.01)},
    "module with draws and running statistics": {"model": {"name": "tests.plugins.Noisy"}},
    "another library's optimizer": {"optimizer": {"name": "torch.optim.AdamW", "lr": 0.01}},
    "LBFGS": {"optimizer": {"name": "torch.optim.LBFGS", "lr": 0.1}},
}
SLOW_CASES = {
    "samples that two workers read": {
        "data": {"name": "tests.data.given_streams.parts", "stream": {"workers": 2}}
    },
    "two processes": {"processes": 2, "optimizer": h.Adam(lr=0.01)},
}
"""Runs that start processes of their own, which takes seconds."""
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["torch._dynamo", "tests.execution.test_checkpoints"])
ALWAYS, NEVER = 0.0, 1e9
"""Seconds between checkpoints."""
ENDLESS = {"steps": 10**7, "eval_every": 100}


def job_of(fields, folder: Path, every=ALWAYS, seeds=2) -> Job:
    """Return a job with a cohort, or with one run where it can have no more."""
    alone = "name" in str(fields.get("optimizer")) or fields.keys() & {"model", "data", "processes"}
    runs = tuple(Run.of(BASE.with_values(fields), s) for s in range(1 if alone else seeds))
    return Job(tuple(range(len(runs))), runs, test=True, saving=Saving(folder / "job", every))


def work(job, pipe):
    pipe.send(perform(job))


def written(folder: Path) -> list[tuple[str, int]]:
    """Return the names of the checkpoints in `folder` and when each was made.

    A file that is still being written (its name begins with a point) is none yet, and may be gone at the next look.
    """
    found = [path for path in folder.glob("**/[!.]*") if path.is_file()]
    times = []
    for path in found:
        # a job may take its checkpoint away between the two looks
        with suppress(FileNotFoundError):
            times.append((path.name, path.stat().st_mtime_ns))
    return sorted(times)


def killed(job: Job, delay: float) -> Done | None:
    """Return what became of a job whose process is killed some time after its first checkpoint; None where it was killed."""
    ours, theirs = FORKS.Pipe(duplex=False)
    process = FORKS.Process(target=work, args=(job, theirs))
    before = written(job.saving.folder)
    process.start()
    deadline = time.monotonic() + 60
    while written(job.saving.folder) == before and process.is_alive():
        assert time.monotonic() < deadline
        time.sleep(0.002)
    done = ours.recv() if ours.poll(delay) else None
    if done is None:
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    return done


def assert_same_outcomes(a: Done, b: Done) -> None:
    assert not a.error and not b.error and a.outcomes.keys() == b.outcomes.keys()
    for member, outcome in a.outcomes.items():
        same(outcome, b.outcomes[member])


@pytest.mark.parametrize(
    "name", [*CASES, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW_CASES)]
)
def test_a_job_killed_at_random_moments_goes_on_to_the_same_bits(name, tmp_path):
    job = job_of((CASES | SLOW_CASES)[name], tmp_path)
    whole = perform(job._replace(saving=None))
    moments = random.Random(name)
    for _ in range(2):
        killed(job, moments.uniform(0, 0.05))
    done = perform(job._replace(saving=job.saving._replace(every=NEVER)))
    assert done.notes == ()
    assert_same_outcomes(done, whole)


def test_it_goes_on_from_the_checkpoint_and_counts_all_updates(tmp_path, monkeypatch):
    job = job_of({}, tmp_path)
    whole = perform(job)
    assert whole.notes == () and len(written(tmp_path)) == 1
    made = []
    monkeypatch.setattr(loop, "train_interval", partial(_counted, loop.train_interval, made))
    assert_same_outcomes(perform(job), whole)
    # the last one was written before the last update
    assert made == [1]


def _counted(train_interval, made, program, cohort, target, between):
    done = len(cohort.interval.losses) if cohort.interval else 0
    interval = train_interval(program, cohort, target, between)
    made.append(len(interval.losses_SK) - done)
    return interval


@pytest.mark.parametrize("harm", ["cut", "changed", "empty", "foreign"])
def test_a_damaged_checkpoint_is_set_aside_with_a_word(harm, tmp_path):
    job = job_of({}, tmp_path)
    whole = perform(job)
    (path,) = [path for path in tmp_path.glob("**/*") if path.is_file()]
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(
        {
            "cut": content[:middle],
            "changed": content[:middle] + b"?" + content[middle + 1 :],
            "empty": b"",
            "foreign": b"#!/bin/sh",
        }[harm]
    )
    again = perform(job._replace(saving=job.saving._replace(every=NEVER)))
    assert_same_outcomes(again, whole)
    (note,) = again.notes
    assert "set aside" in note and [name for name, _ in written(tmp_path)] == [
        f"{path.name}.damaged"
    ]


def test_one_of_another_engine_is_removed(tmp_path, monkeypatch):
    job = job_of({}, tmp_path)
    perform(job)
    monkeypatch.setattr(checkpoints, "ENGINE", "other")
    assert perform(job._replace(saving=job.saving._replace(every=NEVER))).notes == ()
    assert not written(tmp_path)


def test_a_folder_that_can_t_be_written_is_noted_and_the_runs_end(tmp_path):
    (tmp_path / "job").write_text("a file where the folder should be")
    job = job_of({}, tmp_path)
    done = perform(job)
    assert len(done.outcomes) == 2 and "no checkpoint could be written" in done.notes[0]


def test_a_short_job_writes_nothing(tmp_path):
    perform(job_of({}, tmp_path, every=60))
    assert not written(tmp_path)


def test_rungs_have_files_of_their_own(tmp_path):
    """From rung to rung a job goes by pickle; who prunes otherwise goes on from the rung and not from another's file."""
    job = job_of({}, tmp_path, seeds=3)
    whole = perform(job._replace(saving=None))
    half = perform(job._replace(until=16))
    assert half.cohort is not None and len(written(tmp_path)) == 1
    ended = perform(job._replace(cohort=half.cohort))
    assert_same_outcomes(ended, whole)
    again = perform(job._replace(until=16))
    assert again.cohort is not None and again.cohort.done == 16
    assert_same_outcomes(perform(job._replace(cohort=again.cohort)), whole)
    fewer = perform(job._replace(until=16)).cohort
    drop(fewer, [0], "pruned")
    done = perform(job._replace(cohort=fewer))
    assert done.outcomes[0].status == "pruned" and done.outcomes[0].summary["cost/steps"] == 16
    for member in (1, 2):
        same(done.outcomes[member], whole.outcomes[member])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_followed_when_the_cohort_is_written(number, tmp_path):
    board = Board()
    job = job_of(ENDLESS, tmp_path, every=NEVER)._replace(board=board.path)
    process = FORKS.Process(target=_with_ctrl_c, args=(job,))
    process.start()
    while not board.counts[0]:
        time.sleep(0.01)
    os.kill(process.pid, number)
    process.join(60)
    board.close()
    assert len(written(tmp_path)) == 1
    assert process.exitcode == (-number if number == signal.SIGTERM else 3)


def _with_ctrl_c(job):
    # a shell's background jobs start with Ctrl-C ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        perform(job)
    except KeyboardInterrupt:
        os._exit(3)


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced_and_goes_on(tmp_path):
    job = job_of({"steps": 4000, "eval_every": 1000}, tmp_path, every=0.05)
    whole = perform(job._replace(saving=None))
    killed_workers = []

    def kill(updates):
        if updates and written(tmp_path) and not killed_workers:
            killed_workers.append(pool.executor.workers[0].process.pid)
            os.kill(killed_workers[0], signal.SIGKILL)

    with Pool(lambda: local_executor(1), kill) as pool:
        ((_, done),) = pool.run([job])
    assert killed_workers
    assert_same_outcomes(done, whole)


@pytest.mark.slow
def test_a_driver_that_leaves_lets_its_workers_write(tmp_path):
    job = job_of(ENDLESS, tmp_path, every=NEVER)
    with pytest.raises(ZeroDivisionError), Pool(lambda: local_executor(1), _fail) as pool:
        list(pool.run([job]))
    assert len(written(tmp_path)) == 1


def _fail(updates):
    if updates:
        1 / 0  # noqa: B018


def test_halves_have_folders_of_their_own(tmp_path):
    first, second = job_of({}, tmp_path).halves()
    folders = {first.saving.folder, second.saving.folder, tmp_path / "job"}
    assert len(folders) == 3
    with Pool(Serial) as pool:
        assert not pool.saving
