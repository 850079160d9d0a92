"""Functions with known minima are minimised; the quadratics are rows of harness.verification."""

import pytest

import harness as h
from harness.protocol.train import train_outcomes


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, rate, value",
    [("rosenbrock", 0.02, 0.0), ("beale", 0.02, 0.0), ("branin", 0.1, 0.397887)],
)
def test_functions_are_minimised(name, rate, value):
    recipe = h.Recipe(
        data=name, optimizer=h.Adam(lr=rate), steps=6000, dtype="float64", eval_every=1000
    )
    (outcome,) = train_outcomes(recipe, [0])
    assert outcome.points[-1].metrics["train/loss"] == pytest.approx(value, abs=1e-5)
