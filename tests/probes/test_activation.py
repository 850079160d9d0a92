"""Statistics of hidden outputs, against NumPy and published scalings."""

import numpy as np
import pytest

import harness as h
from harness.spec.resolved import resolve
from tests.probes.recipes import every, recipe


def test_xavier_halves_the_mean_square_of_relu_layers_and_he_keeps_it():
    def ratio(init):
        spec = recipe(
            model=h.MLP(widths=(256,) * 11),
            init=init,
            steps=1,
            eval_every=1,
            data="mnist1d",
            batch_size=64,
        )
        return (
            h.train(spec, seeds=8, probes=every("Activations"))
            .curves.groupby("seed")["activation/ratio"]
            .first()
        )

    assert (ratio("Xavier") ** 2).mean() ** (1 / 10) == pytest.approx(0.5, rel=0.05)
    assert (ratio("He") ** 2).mean() ** (1 / 10) == pytest.approx(1.0, rel=0.05)


def test_saturated_outputs_are_counted():
    def measured(scale, activation):
        model = h.MLP(widths=(10, 10), activation=activation)
        spec = recipe(model=model, init=h.Normal(std=scale), steps=1, eval_every=1)
        return h.train(spec, probes=every("Activations")).curves.iloc[0]

    assert (
        measured(100.0, "tanh")["activation/saturated"] > 0.95
        and measured(100.0, "sigmoid")["activation/hidden.0/saturated"] > 0.95
    )
    assert measured(1e-3, "tanh")["activation/saturated"] == 0.0
    assert "activation/saturated" not in measured(1.0, "relu")


def test_spread_of_activations_is_numpy_s():
    spec = recipe(batch_order="sequential", steps=1, eval_every=1)
    measured = h.train(spec, probes=every("Activations")).curves.iloc[0]
    from harness.engine.initialize import initial_weights
    from harness.engine.program import program_of

    program = program_of(resolve(spec))
    w, b, *_ = (v[0].numpy() for v in program.layout.views(initial_weights(program, [0])).values())
    hidden = np.maximum(program.train.x[:50].flatten(1).numpy() @ w.T + b, 0)
    named = {"mean": hidden.mean(), "std": hidden.std(), "rms": np.sqrt((hidden**2).mean())}
    assert {name: measured[f"activation/hidden.0/{name}"] for name in named} == pytest.approx(named)


def test_dead_units_are_counted():
    spec = recipe(model=h.MLP(widths=(10,)), init=h.Normal(std=0.0), steps=1, eval_every=1)
    assert h.train(spec, probes=every("Activations")).curves["activation/dead"].iloc[0] == 1.0
