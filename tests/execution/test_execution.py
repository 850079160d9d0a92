"""Cutting runs into cohorts, the executors' pool, and training without a study."""

from __future__ import annotations

import os

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness as h
from harness.execution import jobs
from harness.execution.jobs import Job, chunks, cohort_limit, perform
from harness.execution.local import local_executor
from harness.execution.pool import Board, Pool
from harness.spec.arms import Run
from harness.spec.resolved import resolve

RECIPE = h.Recipe(
    data="iris", model=h.MLP(widths=(4,)), optimizer=h.SGD(lr=0.1), batch_size=32, epochs=2
)


@given(st.integers(1, 500), st.integers(1, 64), st.booleans())
def test_chunks_cover_every_run_once_in_even_parts(count, largest, alone):
    parts = chunks(count, largest, alone)
    assert [i for part in parts for i in part] == list(range(count))
    sizes = [len(part) for part in parts]
    assert max(sizes) <= largest and max(sizes) - min(sizes) <= 1
    assert not (alone and count >= 16 and largest > 1 and len(sizes) % 2 and len(sizes) < count)


def test_cohort_limit_shrinks_with_the_model_and_is_one_for_eager_runs():
    small, large = (
        cohort_limit(resolve(RECIPE.with_values({"model.widths": [width]}))) for width in (8, 4096)
    )
    assert small == jobs.CPU_LIMIT > large >= 1
    assert (
        cohort_limit(
            resolve(RECIPE.with_values({"optimizer": {"name": "torch.optim.Rprop", "lr": 0.1}}))
        )
        == 1
    )


@pytest.mark.parametrize("workers", [0, 2])
def test_pool_counts_updates_and_returns_every_job(workers):
    runs = [Run.of(RECIPE, seed) for seed in range(4)]
    todo = [Job((i,), (run,), test=True) for i, run in enumerate(runs)]
    ticks = []
    with Pool(lambda: local_executor(workers), ticks.append) as pool:
        found = {job.members: done for job, done in pool.run(todo)}
        total = pool.board.total()
    assert sorted(found) == [(0,), (1,), (2,), (3,)]
    steps = sum(done.outcomes[i].summary["cost/steps"] for (i,), done in found.items())
    assert total == steps == 4 * 2 * 3
    assert ticks[-1] <= total


def test_workers_give_the_bits_of_this_process():
    job = Job((0, 1), (Run.of(RECIPE, 0), Run.of(RECIPE, 1)), test=True)
    here = perform(job)
    with Pool(lambda: local_executor(1)) as pool:
        ((_, there),) = pool.run([job])
    for i in (0, 1):
        assert here.outcomes[i].points == there.outcomes[i].points


def test_job_s_error_is_said_with_its_place():
    broken = RECIPE.model_copy(update={"device": "cuda:99"})
    done = perform(Job((0,), (Run.of(broken, 0),), test=False))
    assert not done.outcomes and "CUDA device" in done.error and ".py:" in done.error


def test_board_s_file_is_removed():
    board = Board()
    assert os.path.exists(board.path)
    board.close()
    assert not os.path.exists(board.path)


def test_train_gives_tidy_tables_whatever_the_cohort():
    one, all_together = h.train(RECIPE, 3, cohort=1), h.train(RECIPE, [0, 1, 2])
    assert list(one.runs["seed"]) == [0, 1, 2] and set(one.runs["status"]) == {"finished"}
    pd.testing.assert_frame_equal(one.curves, all_together.curves)
    timing = [c for c in one.runs if c == "cost/seconds"]
    pd.testing.assert_frame_equal(
        one.runs.drop(columns=timing), all_together.runs.drop(columns=timing)
    )
    assert {
        "seed",
        "step",
        "epoch",
        "samples",
        "train/loss",
        "valid/loss",
        "valid/accuracy",
    } <= set(one.curves)
    assert {"test/loss", "test/accuracy", "cost/steps"} <= set(one.runs)


def test_train_refuses_spaces():
    with pytest.raises(ValueError, match=r"without spaces, got optimizer\.lr"):
        h.train(RECIPE.model_copy(update={"optimizer": h.SGD(lr=h.LogUniform(0.1, 1))}))
