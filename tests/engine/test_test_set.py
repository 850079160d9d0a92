"""The lock on the test data: each run is evaluated on them once, and only where its stage allows it."""

import pytest
import torch

import harness as h
from harness.core.errors import ProtocolError
from harness.engine.cohort import start
from harness.engine.loop import advance
from harness.engine.placement import Samples
from harness.engine.test_set import Permit, TestSet
from harness.spec.arms import Run

BASE = {"data": h.Digits(train_size=200), "model": h.MLP(widths=(8,)), "optimizer": h.SGD(lr=0.1)}


def test_test_data_are_handed_out_once_a_run_and_never_without_a_permit():
    locked, permit = TestSet(Samples(torch.zeros(3, 2), torch.zeros(3, 1))), Permit(allowed=True)
    assert locked.open(permit, [0, 2]).size == locked.size == 3
    assert locked.open(permit, [1]).size == 3
    with pytest.raises(ProtocolError, match=r"asked for again by members \[2\]"):
        locked.open(permit, [2, 3])
    with pytest.raises(ProtocolError, match="judged on validation data"):
        locked.open(Permit(allowed=False), [0])


def test_a_cohort_evaluates_each_run_on_test_data_exactly_once(monkeypatch):
    opened = []
    monkeypatch.setattr(
        TestSet,
        "open",
        lambda self, permit, members: (opened.append(list(members)), self._samples)[1],
    )
    recipe = h.Recipe(**BASE, epochs=2)
    searched = advance(start([Run.of(recipe, seed) for seed in range(3)], test=False))
    assert not opened and not any("test/loss" in o.summary for o in searched.outcomes.values())
    advance(start([Run.of(recipe, seed) for seed in range(3)], test=True))
    assert opened == [[0, 1, 2]]
