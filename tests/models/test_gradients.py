"""Every model's gradient, and every function's, against central differences."""

import pytest
import torch

import harness as h
from harness.core.noise import Noise
from harness.engine.hyperparameters import stack_hyperparameters
from harness.engine.initialize import initial_weights
from harness.engine.program import program_of
from harness.engine.training_loss import Minibatch
from harness.spec.resolved import resolve
from tests.cases import MODELS


def program(data, **fields):
    recipe = h.Recipe(data=data, optimizer=h.SGD(lr=0.1), steps=1, dtype="float64", **fields)
    return program_of(resolve(recipe))


def check_gradient(made, members=2, batch=5, entries=12):
    """Compare the gradient with central differences along some coordinates."""
    w_KP = initial_weights(made, list(range(members)))
    shared = Minibatch(made.train.x[:batch][None], made.train.y[:batch].expand(members, -1, -1))
    hyper = stack_hyperparameters([made.recipe] * members, made.device, made.dtype)

    def buffers():
        starts = made.network.buffers().items()
        return {n: b.double().expand(members, *b.shape).clone() for n, b in starts}

    def noise():
        return Noise([0] * members, 0, made.device, made.dtype)

    def loss_K(w_KP):
        params = made.layout.views(w_KP)
        return made.training_loss(params, buffers(), shared, hyper, noise())[0]

    g_KP = made.differentiator.gradient(w_KP, buffers(), shared, hyper, noise()).g_KP
    stream = torch.Generator().manual_seed(0)
    slots = made.layout.slots.values()
    used = torch.cat([torch.arange(s.offset, s.offset + s.size) for s in slots])
    for coordinate in used[torch.randperm(len(used), generator=stream)[:entries]]:
        step = torch.zeros_like(w_KP)
        step[:, coordinate] = 1e-6
        measured = (loss_K(w_KP + step) - loss_K(w_KP - step)) / 2e-6
        assert torch.allclose(measured, g_KP[:, coordinate], atol=1e-7, rtol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_backpropagation_equals_finite_differences(name):
    model, data = MODELS[name][:2]
    check_gradient(program(data, model=model))


@pytest.mark.parametrize("data", ["rosenbrock", "beale", "branin", "quadratic_deep"])
def test_gradients_of_functions(data):
    check_gradient(program(data), members=1, batch=1, entries=2)
