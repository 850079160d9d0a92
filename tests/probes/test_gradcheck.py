"""Gradients against finite differences: a wrong one is noticed, and a kink is no wrong one."""

import pytest

import harness as h
from tests.probes.recipes import MODELS, every, recipe


def checked(model="mlp", step=1e-5, weights=16, **fields):
    probe = {"name": "GradientCheck", "step": step, "weights": weights, "unit": "steps"}
    return h.train(recipe(model, **{"steps": 3} | fields), probes=[probe]).curves


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("loss", ["CrossEntropy", "MSE", "Huber"])
def test_gradients_agree_with_finite_differences(model, loss):
    curves = checked(model, loss=loss)
    assert curves["gradcheck/error"].max() < 1e-6
    assert curves["gradcheck/direction"].dropna().max() < 1e-6


def test_a_wrong_gradient_is_noticed(monkeypatch):
    from harness.models.activation import Tanh

    monkeypatch.setattr(Tanh, "derivative", lambda self, d, z: d * (1 - z))
    curves = checked(h.MLP(widths=(8,), activation="tanh"))
    assert curves["gradcheck/error"].min() > 1e-4
    assert curves["gradcheck/direction"].min() > 1e-4


def test_a_gradient_that_is_wrong_in_few_weights_is_noticed_along_the_direction(monkeypatch):
    from harness.models.dense import Dense

    right = Dense.backward

    def wrong(self, params, h, slope, into, **options):
        below = right(self, params, h, slope, into, **options)
        if self.name == "out":
            into["out.bias"].mul_(1.1)
        return below

    monkeypatch.setattr(Dense, "backward", wrong)
    curves = checked(h.MLP(widths=(8,), activation="tanh"))
    assert curves["gradcheck/error"].max() < 1e-6  # 10 of 610 weights
    assert curves["gradcheck/direction"].min() > 1e-5


@pytest.mark.parametrize("loss", ["MSE", "CrossEntropy"])
@pytest.mark.parametrize("activation", ["tanh", "gelu", "sigmoid"])
def test_a_smooth_loss_has_no_kinks(activation, loss):
    model = h.MLP(widths=(8, 8), activation=activation)
    assert (checked(model, loss=loss)["gradcheck/kinks"].dropna() == 0).all()


@pytest.mark.parametrize("fields", [{"loss": "MAE"}, {"model": h.MLP(widths=(30,))}])
def test_kinks_are_counted_and_left_out_of_the_errors(fields):
    """A step of 0.01 crosses kinks of many samples; of the few that it does not cross all agree."""
    wide = checked(step=1e-2, weights=60, **fields)
    narrow = checked(step=1e-6, weights=60, **fields)
    assert wide["gradcheck/kinks"].max() > 0.1 > 0.05 > narrow["gradcheck/kinks"].max()
    assert narrow["gradcheck/error"].max() < 1e-6


def test_the_same_weights_are_checked_with_and_without_company():
    together = h.train(recipe(steps=2), seeds=2, probes=every("GradientCheck", stride=1)).curves
    alone = h.train(recipe(steps=2), seeds=1, probes=every("GradientCheck", stride=1)).curves
    first = together[together["seed"] == 0]["gradcheck/kinks"].dropna().tolist()
    assert first == alone["gradcheck/kinks"].dropna().tolist()
