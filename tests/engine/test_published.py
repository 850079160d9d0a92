"""MNIST-1D's published accuracies (Greydanus 2020): Adam 1e-2, batch 100, 6000 steps, sequential batches."""

import pytest

import harness as h
from harness import train
from harness.engine.program import program_of
from harness.spec.resolved import resolve

CHANNELS = {"name": "mnist1d", "channels": True}
BANDS = {
    "linear": (h.Linear(), {"name": "mnist1d"}, 410, (0.305, 0.33)),
    "residual MLP": (
        h.MLP(widths=(100, 100), residual=True),
        {"name": "mnist1d"},
        15_210,
        (0.62, 0.69),
    ),
    "CNN": (h.CNN1D(channels=25), CHANNELS, 5_210, (0.91, 0.95)),
    "CNN, shuffled": (
        h.CNN1D(channels=25),
        CHANNELS | {"shuffle_pixels": True},
        5_210,
        (0.53, 0.61),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BANDS)
def test_mnist1d_accuracy(name):
    model, data, parameters, (low, high) = BANDS[name]
    recipe = h.Recipe(
        data=data | {"valid_fraction": 0.0},
        model=model,
        optimizer=h.Adam(lr=1e-2),
        batch_size=100,
        steps=6000,
        batch_order="sequential",
        eval_every=6000,
    )
    assert (
        sum(slot.size for slot in program_of(resolve(recipe)).layout.slots.values()) == parameters
    )
    accuracy = train(recipe, seeds=3, test=True).runs["test/accuracy"].mean()
    assert low <= accuracy <= high
