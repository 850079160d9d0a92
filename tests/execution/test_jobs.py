"""Cutting runs into cohorts, and what a worker does with one."""

from __future__ import annotations

import signal
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.data.base import load_data
from harness.engine.batching import member_bytes
from harness.engine.program import program_of
from harness.execution import jobs
from harness.execution.jobs import Job, cohort_limit, cut_cohorts, one_thread, perform
from harness.spec.arms import Run
from harness.spec.resolved import resolve
from tests.execution.recipes import RECIPE


@given(st.integers(1, 500), st.integers(1, 64), st.booleans())
def test_chunks_cover_every_run_once_in_even_parts(count, largest, alone):
    parts = cut_cohorts(count, largest, alone)
    assert [i for part in parts for i in part] == list(range(count))
    sizes = [len(part) for part in parts]
    assert max(sizes) <= largest and max(sizes) - min(sizes) <= 1
    assert not (
        alone and count >= jobs.EVEN_FROM and largest > 1 and len(sizes) % 2 and len(sizes) < count
    )


def test_cohort_limit_shrinks_with_the_model_and_is_one_for_runs_that_are_not_batched():
    small, large = (
        cohort_limit(resolve(RECIPE.with_values({"model.widths": [width]}))) for width in (8, 4096)
    )
    assert small == jobs.CPU_LIMIT > large >= 1
    alone = RECIPE.with_values({"optimizer": {"name": "torch.optim.Rprop", "lr": 0.1}})
    assert cohort_limit(resolve(alone)) == 1


def test_on_a_gpu_every_member_has_room_for_a_split_of_its_own(monkeypatch):
    def on_gpu(recipe):
        return program_of(recipe)._replace(device=torch.device("cuda:0"))

    def gpu(members, bytes_each):
        memory = jobs.GPU_SHARE * members * bytes_each
        monkeypatch.setattr(
            torch.cuda, "get_device_properties", lambda _: SimpleNamespace(total_memory=memory)
        )

    monkeypatch.setattr("harness.engine.program.program_of", on_gpu)
    recipe = resolve(RECIPE)
    train = load_data(recipe.data).train
    copy, own = 4 * (train.x.size + train.y.size), member_bytes(program_of(recipe))
    gpu(7, own + copy)
    assert cohort_limit(recipe) == 7
    # full batches of other splits train apart: their members share the data
    full = resolve(RECIPE.with_values({"batch_size": "full"}))
    gpu(7, member_bytes(program_of(full)))
    assert cohort_limit(full) == 7


def test_halves_have_every_run_once_and_begin_anew():
    runs = tuple(Run.of(RECIPE, seed) for seed in range(5))
    job = Job((7, 8, 9, 10, 11), runs, test=True, cohort="half trained")
    first, second = job.halves()
    assert first.members + second.members == job.members and first.runs + second.runs == job.runs
    assert len(first.runs) == 2 and first.cohort is None and second.cohort is None
    assert first.test and second.test


def test_a_job_s_error_is_told_with_its_place():
    broken = RECIPE.model_copy(update={"device": "cuda:99"})
    done = perform(Job((0,), (Run.of(broken, 0),), test=False))
    assert not done.outcomes and "CUDA device" in done.error and ".py:" in done.error


def test_a_job_that_is_to_stop_hands_its_cohort_back_and_goes_on_from_there():
    job = Job((5, 6), (Run.of(RECIPE, 0), Run.of(RECIPE, 1)), test=True)
    half = perform(job._replace(until=4))
    assert not half.outcomes and half.cohort is not None
    ended = perform(job._replace(cohort=half.cohort))
    at_once = perform(job)
    assert ended.outcomes.keys() == {5, 6}
    for member, outcome in at_once.outcomes.items():
        assert outcome.points == ended.outcomes[member].points


def test_one_thread_is_only_for_the_while():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(ZeroDivisionError), one_thread():
            assert torch.get_num_threads() == 1
            1 / 0  # noqa: B018
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_an_interrupt_that_the_user_s_code_raises_ends_its_run_alone(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt("mine")

    monkeypatch.setattr(jobs, "_train", interrupted)
    job = Job((0,), (Run(resolve(RECIPE), 0),), test=False)
    # what a shell's background jobs start with is that of workers
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):  # in the driver's process it is Ctrl-C
            perform(job)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # as workers do
        assert perform(job).error.startswith("KeyboardInterrupt: mine (test_jobs.py:")
    finally:
        signal.signal(signal.SIGINT, before)
