"""Every optimizer trains to the same weights by a hand-written backward pass as by autograd.

The hand-written pass writes each gradient into the memory of the last one, autograd makes a new
tensor: an optimizer that keeps or changes the gradient trains differently by the two.
"""

import pytest

import harness as h
from harness.engine import program
from harness.engine.differentiate import Autograd
from harness.protocol.train import train_outcomes
from tests.cases import OPTIMIZERS

BASE = h.Recipe(
    data="digits", model=h.MLP(widths=(12, 9), activation="tanh"), optimizer=h.SGD(lr=0.1),
    batch_size=64, steps=30, eval_every=10, dtype="float64",
)  # fmt: skip


def losses(recipe):
    return [
        point.metrics["train/loss"]
        for outcome in train_outcomes(recipe, [0, 1])
        for point in outcome.points
    ]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_both_gradient_paths_train_alike(name, monkeypatch):
    recipe = BASE.with_values({"optimizer": OPTIMIZERS[name].optimizer})
    by_hand = losses(recipe)
    monkeypatch.setattr(program, "differentiator_of", lambda loss, _: Autograd(loss))
    assert losses(recipe) == pytest.approx(by_hand, rel=1e-9)
