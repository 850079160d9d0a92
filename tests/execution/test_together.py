"""Runs that several processes train: gloo, two processes on this machine."""

import signal
import subprocess
import sys
import time
from copy import deepcopy

import psutil
import pytest

import harness as h
from harness.core.errors import HarnessError
from harness.engine.checkpoint.cohorts import cohort_from_tree, cohort_to_tree
from harness.engine.cohort import start
from harness.engine.loop import advance
from harness.execution.jobs import Job, perform
from harness.execution.together import advance_together
from harness.spec.arms import Run

ONE = h.Recipe(
    data=h.Digits(train_size=120),
    model=h.MLP(widths=(12, 7), dropout=0.3),
    optimizer=h.SGD(lr=0.2, momentum=0.9),
    regularizers=[h.Mixup(alpha=0.4), h.ClipNorm(limit=1.0)],
    batch_size=40,
    steps=7,
    eval_every=7,
    dtype="float64",
)
TWO = ONE.with_values({"processes": 2})


def runs_of(recipe):
    return [Run.of(recipe, 3)]


def close_to(outcome):
    # times are no numbers of the run
    return pytest.approx({n: v for n, v in outcome.summary.items() if "seconds" not in n}, rel=1e-9)


def numbers(outcome):
    return {name: v for name, v in outcome.summary.items() if "seconds" not in name}


def children():
    return [child for child in psutil.Process().children() if "follower" in str(child.cmdline())]


def test_two_processes_have_the_numbers_of_one():
    one = advance(start(runs_of(ONE), test=True)).outcomes[0]
    done = perform(Job((0,), tuple(runs_of(TWO)), test=True))
    assert done.error == ""
    assert numbers(done.outcomes[0]) == close_to(one)
    assert children() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "fields",
    [{}, {"optimizer": {"name": "torch.optim.LBFGS", "lr": 0.1, "max_iter": 2}}],
    ids=str,
)
def test_a_run_that_goes_on_in_other_processes_has_the_same_bits(fields):
    runs, trees = runs_of(TWO.with_values(fields)), []

    def save(cohort):
        if len(cohort.interval.losses) == 3:
            trees.append(deepcopy(cohort_to_tree(cohort)))

    whole = advance_together(start(runs, test=True), between=save).outcomes[0]
    rest = advance_together(cohort_from_tree(trees[0], runs)).outcomes[0]
    assert numbers(rest) == numbers(whole)
    one = advance(start(runs_of(ONE.with_values(fields)), test=True)).outcomes[0]
    assert numbers(whole) == close_to(one)


@pytest.mark.slow
def test_a_process_that_dies_ends_the_run_with_its_reason():
    def kill(cohort):
        children()[0].kill()

    with pytest.raises(HarnessError, match=r"process 2 of 2 of the run ended by signal 9: out of"):
        advance_together(start(runs_of(TWO), test=False), between=kill)
    assert children() == []


def raises_elsewhere(out, y):
    from harness.core.ranks import current_rank

    rank = current_rank()
    if rank and rank.place:
        raise ValueError("no place for me")
    return (out - y).square().mean(-1)


@pytest.mark.slow
def test_a_process_that_fails_ends_the_run_with_its_reason():
    recipe = TWO.with_values({"loss": f"{__name__}.raises_elsewhere"})
    done = perform(Job((0,), tuple(runs_of(recipe)), test=False))
    assert "process 2 of 2 of the run ended by exit code 1: ValueError: no place" in done.error
    assert children() == []


SCRIPT = """
import os, signal
from tests.execution.test_together import TWO, advance_together, runs_of, start
from harness.execution.together import advance_together
import psutil

def die(cohort):
    print(*[child.pid for child in psutil.Process().children()], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

advance_together(start(runs_of(TWO), test=False), between=die)
"""


@pytest.mark.slow
def test_processes_end_with_the_one_that_was_asked():
    killed = subprocess.run(
        [sys.executable, "-c", SCRIPT], check=False, capture_output=True, text=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    others = [int(pid) for pid in killed.stdout.split()]
    assert others
    for _ in range(100):
        left = [pid for pid in others if psutil.pid_exists(pid)]
        if not left:
            return
        time.sleep(0.1)
    assert left == []
