"""Code of a user's own in workers: what hangs, eats memory, prints or leaves ends its run with the reason."""

from __future__ import annotations

import psutil
import pytest

import harness as h
from harness.core.machine_memory import machine_memory
from harness.execution import watch
from harness.execution.jobs import Job
from harness.execution.local import Serial, local_executor
from harness.execution.pool import Pool
from harness.spec.arms import Run
from tests.execution import bad_parts

RATES = (0.1, 1e9, 0.01)


def bad_run(loss, rate=RATES[1]):
    recipe = h.Recipe(
        data="iris",
        model=h.MLP(widths=(4,)),
        loss=f"tests.execution.bad_parts.{loss}",
        optimizer=h.SGD(lr=rate),
        steps=20,
    )
    return Run.of(recipe, 0)


def trained(loss, patience=60.0):
    """Return what became of three runs that share a cohort, of which the second goes wrong."""
    runs = tuple(bad_run(loss, rate) for rate in RATES)
    outcomes, notes = {}, []
    with Pool(Serial) as pool:
        for _, done in pool.run([Job((0, 1, 2), runs, test=False, patience=patience)]):
            outcomes |= done.outcomes
            notes += done.notes
    return [outcomes[i] for i in range(3)], notes


def assert_second_failed(outcomes, said):
    assert [outcome.status for outcome in outcomes] == ["finished", "failed", "finished"]
    assert said in outcomes[1].detail
    assert 0 < outcomes[0].summary["valid/loss"] < 1 and len(outcomes[1].detail) < 300


def test_a_part_that_waits_is_given_up_and_its_cohort_goes_on_without_it():
    outcomes, _ = trained("waits", patience=1.0)
    assert_second_failed(outcomes, "ended within 1 seconds, the study's limit")
    assert "(bad_parts.py:" in outcomes[1].detail


def test_a_part_that_eats_memory_is_given_up(monkeypatch):
    room = psutil.Process().memory_info().rss + 3e8
    monkeypatch.setattr(watch, "WORKER_MEMORY", room / machine_memory())
    monkeypatch.setattr(watch, "WATCH_LOOK", 0.1)
    try:
        outcomes, _ = trained("eats")
    finally:
        bad_parts.KEPT.clear()
    assert outcomes[1].status == "failed" and "GB of memory (bad_parts.py:" in outcomes[1].detail


def test_megabytes_that_a_part_prints_are_dropped_and_it_is_said(capsys):
    outcomes, notes = trained("prints")
    assert {outcome.status for outcome in outcomes} == {"finished", "diverged"}
    assert 0 < len(capsys.readouterr().out) <= watch.SHOWN
    [note] = notes
    assert note.startswith("code of your own printed") and "dropped" in note


@pytest.fixture
def hasty(monkeypatch):
    monkeypatch.setattr(watch, "WATCH_LOOK", 0.05)
    monkeypatch.setattr(watch, "LEAVING_GRACE", 0.5)


def test_what_catches_every_exception_is_given_up_without_workers_too(hasty):
    outcomes, _ = trained("waits_whatever_is_raised", patience=0.5)
    assert_second_failed(outcomes, "GivenUpError: no update")
    assert "(bad_parts.py:" in outcomes[1].detail


def test_without_workers_it_is_said_of_what_catches_whatever_is_raised(hasty, capfd):
    with Pool(Serial) as pool:
        [(_, done)] = pool.run([Job((0,), (bad_run("outlasts"),), test=False, patience=0.5)])
    assert "outlasted them all" in done.outcomes[0].detail
    said = capfd.readouterr().err
    assert "no update and no piece of an evaluation ended within 0.5 seconds" in said
    assert "can't be ended for it: interrupt it, or train with workers (--workers 1)" in said


@pytest.mark.slow
def test_what_catches_every_error_ends_with_its_worker_and_says_why():
    run = bad_run("waits_whatever_is_raised")
    with Pool(lambda: local_executor(1)) as pool:
        [(_, done)] = pool.run([Job((0,), (run,), test=False, patience=5.0)])
    assert "ended within 5 seconds, the study's limit" in done.outcomes[0].detail
