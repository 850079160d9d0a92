"""The published networks have the published numbers of parameters; their accuracies are rows of harness.verification."""

import pytest

import harness as h
from harness.engine.program import program_of
from harness.spec.resolved import resolve


@pytest.mark.parametrize(
    "model, channels, parameters",
    [
        (h.Linear(), False, 410),
        (h.MLP(widths=(100, 100), residual=True), False, 15_210),
        (h.CNN1D(channels=25), True, 5_210),
    ],
)
def test_mnist1d_s_networks(model, channels, parameters):
    recipe = h.Recipe(
        data=h.MNIST1D(channels=channels), model=model, optimizer=h.Adam(lr=1e-2), steps=1
    )
    slots = program_of(resolve(recipe)).layout.slots.values()
    assert sum(slot.size for slot in slots) == parameters
