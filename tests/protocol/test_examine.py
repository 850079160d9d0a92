"""A worker finds of a study what this process would find, and says it in the same words."""

from __future__ import annotations

import os
import signal

import pytest

import harness as h
from harness.core.errors import SpecError
from harness.execution.local import local_executor
from harness.execution.pool import Pool
from harness.protocol.examine import _shapes_of, begin_to_examine, examine
from tests.execution.calls import until

RECIPE = h.Recipe(data="iris", model=h.MLP(widths=(4,)), steps=2, optimizer=h.SGD(lr=0.1))


def study(**fields):
    return h.Study(**{"name": "s", "recipe": RECIPE, "seeds": 2, **fields})


@pytest.fixture
def pool(monkeypatch):
    monkeypatch.setattr("harness.protocol.examine._has_torch", lambda: False)
    with Pool(lambda: local_executor(1)) as pool:
        yield pool


def test_a_worker_finds_what_this_process_finds(pool):
    tuned = study(
        compare={"optimizer": [h.SGD(lr=0.1), h.Adam(lr=0.1)]},
        recipe=RECIPE.with_values({"batch_size": h.Choice(8, 16)}),
        search=h.Search(trials=2, searches=1),
    )
    found = begin_to_examine(tuned, pool)()
    assert found == examine(tuned)
    assert len(found.known_limits) == 2, "two batch sizes, in cohorts of both optimizers"


def test_a_mistake_is_raised_here(pool):
    wrong = study(recipe=RECIPE.with_values({"batch_size": 10_000}))
    with pytest.raises(SpecError) as here:
        examine(wrong)
    with pytest.raises(SpecError) as there:
        begin_to_examine(wrong, pool)()
    assert str(there.value) == str(here.value)


def test_a_worker_that_dies_is_no_matter(pool, monkeypatch):
    monkeypatch.setattr("harness.execution.workers.TRIES", 1)
    until(lambda: pool.executor.workers[0].process.pid)
    os.kill(pool.executor.workers[0].process.pid, signal.SIGSTOP)
    wait = begin_to_examine(study(), pool)
    os.kill(pool.executor.workers[0].process.pid, signal.SIGKILL)
    assert wait() == examine(study())


def test_code_of_a_users_own_is_looked_at_in_this_process(pool, monkeypatch):
    own = study(recipe=RECIPE.with_values({"loss": "tests.execution.bad_parts.squared"}))
    monkeypatch.setattr(pool.executor, "submit", None)
    assert begin_to_examine(own, pool)() == examine(own)


def test_what_no_worker_was_asked_is_found_when_it_is_needed():
    found = examine(study())
    wide = next(_shapes_of(study(recipe=RECIPE.with_values({"model.widths": (64,)}))))
    assert found.batching(wide)[0]
    assert found.limits(None)(wide) > 1
    assert found.limits(3)(wide) == 3
