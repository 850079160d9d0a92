"""Gradients against finite differences, and a wrong one is noticed."""

import pytest

import harness as h
from tests.probes.recipes import MODELS, every, recipe


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("loss", ["CrossEntropy", "MSE", "Huber"])
def test_gradients_agree_with_finite_differences(model, loss):
    probe = {"name": "GradientCheck", "step": 1e-6, "unit": "steps"}
    trained = h.train(recipe(model, loss=loss, steps=3), probes=[probe])
    assert trained.curves["gradcheck/error"].median() < 1e-6


def test_a_wrong_gradient_is_noticed(monkeypatch):
    from harness.models.activation import Tanh

    monkeypatch.setattr(Tanh, "derivative", lambda self, d, z: d * (1 - z))
    spec = recipe(model=h.MLP(widths=(8,), activation="tanh"), steps=3)
    assert (
        h.train(spec, probes=every("GradientCheck", stride=1)).curves["gradcheck/error"].min()
        > 1e-4
    )
