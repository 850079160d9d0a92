"""Runs of a user's own trainer: what they yield, and that whatever they do ends them and nothing else."""

from __future__ import annotations

import random
import time

import numpy as np
import psutil
import pytest
import torch

import harness as h
from harness.execution.jobs import Job
from harness.execution.local import Serial
from harness.execution.pool import Pool
from harness.protocol.train import train_outcomes
from harness.spec.arms import Run


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    yield tmp_path
    runs = tmp_path / "runs"
    assert not runs.exists() or not [*runs.iterdir()], "a run that has ended leaves nothing"


def recipe(name, **fields):
    trainer = {"name": f"tests.trainers.loops.{name}", **fields.pop("trainer", {})}
    return h.Recipe(**{"trainer": trainer, "steps": 10} | fields)


def outcome_of(name, seed=0, test=False, **fields):
    [outcome] = train_outcomes(recipe(name, **fields), [seed], test=test)
    return outcome


def test_a_run_is_what_its_loop_computes():
    outcome = outcome_of("walk", seed=7, test=True, config={"lr": 0.1}, steps=20)
    np.random.seed(7)
    w, losses = 1.0, []
    for _ in range(20):
        w -= 0.1 * (w - np.random.normal())
        losses.append(w * w)
    assert outcome.status == "finished"
    assert [p.step for p in outcome.points] == [5, 10, 15, 20]
    assert [p.epoch for p in outcome.points] == [0.5, 1.0, 1.5, 2.0]
    assert outcome.series("train/loss") == losses[4::5]
    assert outcome.summary["test/loss"] == losses[-1] == outcome.summary["valid/loss"]
    assert outcome.summary["cost/steps"] == 20 and 0 < outcome.summary["cost/seconds"] < 5
    best = int(np.argmin(losses[4::5]))
    assert outcome.summary["best/step"] == 5 * (best + 1)


def test_where_a_run_is_that_does_not_say_so_is_not_known():
    points = outcome_of("ticks", steps=3).points
    assert all(np.isnan(p.epoch) and np.isnan(p.samples) for p in points)
    said = outcome_of("says_late").points
    assert [(p.epoch, p.samples) for p in said[:4]] == [(0, 0), (1.0, 30), (1.0, 30), (2.0, 60)]


def test_all_global_generators_are_seeded_even_those_imported_late():
    [point] = outcome_of("draws", seed=3).points
    random.seed(3), np.random.seed(3), torch.manual_seed(3)
    assert point.metrics["train/a"] == random.random()
    assert point.metrics["train/b"] == np.random.random()
    assert point.metrics["train/c"] == torch.rand(1).item()


def test_a_loss_that_is_not_finite_is_a_divergence():
    outcome = outcome_of("diverges")
    assert outcome.status == "diverged" and outcome.detail == "valid/loss not finite at step 3"
    assert len(outcome.points) == 2 and set(outcome.summary) == {"cost/seconds", "cost/steps"}


def test_a_metric_that_is_not_defined_is_none():
    own = {"name": "Logged", "metric": "bleu", "larger_is_better": True}
    outcome = outcome_of("undefined", metrics=[own])
    assert outcome.status == "finished" and len(outcome.points) == 10
    assert (
        outcome.points[2].metrics["valid/auroc"] == outcome.points[2].metrics["valid/bleu"] == 0.5
    )
    having = {n for n in outcome.summary if n.startswith("valid/")}
    assert having == {"valid/loss", "valid/f1", "valid/precision"}
    undeclared = outcome_of("undefined")
    assert undeclared.status == "diverged"
    assert undeclared.detail == "valid/bleu not finite at step 1"


@pytest.mark.parametrize(
    "name, fields, reason",
    [
        ("tests_always", {}, "expected to be called in the confirmation alone"),
        ("too_long", {}, "expected at most 10 steps"),
        ("leaves", {}, "SystemExit: enough (loops.py:"),
        ("vanishes", {}, "exit code 3; it said last: about to vanish"),
        ("vanishes", {"config": {"code": 0}}, "exit code 0"),
        ("silent", {}, "it told no metrics"),
        ("tells_percent", {}, "expected valid/accuracy from 0 to 1, got 93.2; divide percent by"),
        ("hangs", {"trainer": {"limit": 1.5}}, "longer than its limit of 1.5 seconds"),
        ("eats", {"trainer": {"memory": 0.3}}, "more than its limit of 0.3 GB of memory"),
    ],
)
def test_what_goes_wrong_ends_the_run_with_its_reason(name, fields, reason):
    outcome = outcome_of(name, **fields)
    assert outcome.status == "failed" and reason in outcome.detail
    assert not outcome.points and len(outcome.detail) < 2000


def test_test_data_are_told_once():
    assert outcome_of("tests_always", test=True).summary["test/loss"] == 1.0
    assert "called once" in outcome_of("tests_twice", test=True).detail


def test_megabytes_of_output_are_passed_over():
    assert outcome_of("prints").status == "finished"


def test_a_length_in_seconds():
    outcome = outcome_of("ticks", steps=None, seconds=0.5)
    assert outcome.status == "finished" and 0.5 <= outcome.summary["cost/seconds"] < 3
    assert len(outcome.points) > 1


def test_at_a_rung_a_run_waits_and_goes_on_to_the_same_numbers():
    run = Run.of(recipe("walk", config={"lr": 0.1}, steps=40), 1)
    with Pool(Serial) as pool:
        [(job, done)] = pool.run([Job((4,), (run,), test=False, until=10)])
        assert done.cohort.members[0].points[-1].step >= 10
        process = psutil.Process(done.cohort.process.process.pid)
        deadline = time.monotonic() + 10
        while process.status() not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE):
            assert time.monotonic() < deadline, "it is paused, or was done before"
            time.sleep(0.01)
        [(_, done)] = pool.run([job._replace(cohort=done.cohort, until=None)])
    [whole] = train_outcomes(run.recipe, [1])
    assert done.outcomes[4].points == whole.points


def test_a_pruned_run_ends_where_it_is():
    run = Run.of(recipe("walk", config={"lr": 0.1}, steps=40), 1)
    with Pool(Serial) as pool:
        [(job, done)] = pool.run([Job((0,), (run,), test=False, until=10)])
        pid = done.cohort.process.process.pid
        job = job._replace(cohort=done.cohort, until=None)
        job.prune([0])
        assert not psutil.pid_exists(pid)
        [(_, done)] = pool.run([job])
    assert done.outcomes[0].status == "pruned" and done.outcomes[0].points


def test_an_interrupted_run_goes_on_from_its_checkpoint(cache):
    run = Run.of(recipe("interrupted", steps=12), 1)
    with Pool(Serial) as pool:
        pool.own_runs.submit(Job((0,), (run,), test=False))
        folder, deadline = cache / "runs", time.monotonic() + 30
        while not [*folder.glob("*/state.json")] and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
    [outcome] = train_outcomes(run.recipe, [1])
    assert outcome.status == "finished"
    assert [point.step for point in outcome.points] == [*range(1, 13)]
    assert outcome.series("valid/loss") == [float(step) for step in range(1, 13)]
    assert outcome.series("batch/start") == [0.0] * 3 + [3.0] * 9
