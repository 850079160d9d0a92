"""Initial weights: their distributions, their roles, and streams of their own."""

import numpy as np
import pytest

import harness as h
from harness.core.registry import REGISTRY, lookup
from harness.models.base import Weight
from harness.models.norm import LayerNorm

WEIGHT = Weight((300, 400), 400, 300)
BIAS = Weight((4000,), 400, 300, "bias")
CASES = {
    "Default": (h.Default(), 1 / (3 * 400), 1 / np.sqrt(400)),
    "Xavier": (h.Xavier(), 2 / 700, 0.0),
    "normal Xavier": (h.Xavier(distribution="normal"), 2 / 700, 0.0),
    "He": (h.He(), 2 / 400, 0.0),
    "uniform He": (h.He(distribution="uniform"), 2 / 400, 0.0),
    "Normal": (h.Normal(std=0.3), 0.09, 0.0),
    "UniformInit": (h.UniformInit(bound=0.3), 0.03, 0.0),
}
"""An initialisation, the variance of its weights, and the bound of its biases."""


@pytest.mark.parametrize("name", CASES)
def test_distribution(name):
    init, variance, bound = CASES[name]
    w, b = init.draw("w", WEIGHT, seed=0), init.draw("b", BIAS, seed=0)
    assert w.shape == WEIGHT.shape and w.var() == pytest.approx(variance, rel=0.02)
    assert abs(w.mean()) < 4 * np.sqrt(variance / w.size)
    kurtosis = (w**4).mean() / w.var() ** 2  # 3 of a normal distribution, 9/5 of a uniform one
    assert kurtosis == pytest.approx(3 if init.shape(Weight((1,))) == "normal" else 1.8, rel=0.03)
    assert np.abs(b).max() == pytest.approx(bound, rel=1e-2)


@pytest.mark.parametrize("name", CASES)
def test_roles_other_than_weights_start_alike_everywhere(name):
    init, _, _ = CASES[name]
    scale, shift = LayerNorm("norm", 7).weights().values()
    assert (init.draw("g", scale, 0) == 1).all() and (init.draw("g", shift, 0) == 0).all()
    assert init.draw("theta", Weight((2,), value=(1.5, -2.0)), 0).tolist() == [1.5, -2.0]
    position = init.draw("position", Weight((100, 100), role="embedding"), 0)
    assert position.std() == pytest.approx(0.02, rel=0.02)


def test_streams_are_named_by_seed_and_parameter():
    draw = h.He().draw
    assert (draw("a", WEIGHT, 0) == draw("a", WEIGHT, 0)).all()
    assert (draw("a", WEIGHT, 0) != draw("b", WEIGHT, 0)).any()
    assert (draw("a", WEIGHT, 0) != draw("a", WEIGHT, 1)).any()


def test_every_registered_initialisation_and_field_is_tested():
    assert {init.name for init, _, _ in CASES.values()} == set(REGISTRY["init"].parts)
    fields = {name: set(lookup("init", name).model_fields) for name in REGISTRY["init"].parts}
    assert {n: f for n, f in fields.items() if f} == {
        "Xavier": {"distribution"},
        "He": {"distribution"},
        "Normal": {"std"},
        "UniformInit": {"bound"},
    }
