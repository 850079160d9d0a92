"""Nonlinearities and their derivatives against autograd in float64."""

import pytest
import torch

from harness.models.activation import ACTIVATIONS, OutputActivation

A = torch.linspace(-4, 4, 41, dtype=torch.float64)[torch.arange(41) != 20]  # without ReLU's kink
FROM_OUTPUT = [name for name, phi in ACTIVATIONS.items() if isinstance(phi, OutputActivation)]


def twin(name):
    """Return the same function as torch has it."""
    return (lambda a: a) if name == "identity" else getattr(torch.nn.functional, name)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_are_torch_s(name):
    assert torch.equal(ACTIVATIONS[name].forward(A.clone()), twin(name)(A))


def test_which_derivatives_follow_from_the_output():
    assert FROM_OUTPUT == ["relu", "tanh", "sigmoid", "identity"]


@pytest.mark.parametrize("name", FROM_OUTPUT)
def test_derivatives_are_autograd_s(name):
    phi, a = ACTIVATIONS[name], A.clone().requires_grad_()
    d, r_a = torch.randn(2, len(A), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    z = twin(name)(a)
    (first,) = torch.autograd.grad(z, a, d, create_graph=True)
    second = torch.zeros_like(A)
    if first.grad_fn is not None and name in ("tanh", "sigmoid"):
        (second,) = torch.autograd.grad(first, a, r_a)
    z = z.detach()
    torch.testing.assert_close(phi.derivative(d.clone(), z), first.detach(), rtol=1e-13, atol=1e-15)
    r_z = phi.derivative(r_a.clone(), z)
    bend = phi.second_derivative(d, z, r_z)
    bend = torch.zeros_like(A) if bend is None else bend
    torch.testing.assert_close(bend, second, rtol=1e-12, atol=1e-15)
    assert name in ("relu", "identity") or second.abs().max() > 0.1


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_bounds_are_reached_far_out_and_nowhere_passed(name):
    far = torch.tensor([-1e3, 1e3], dtype=torch.float64)
    values, bounds = ACTIVATIONS[name].forward(far.clone()), ACTIVATIONS[name].bounds
    if bounds is None:
        assert values.abs().max() == 1e3, "without bounds it grows"
    else:
        assert values.tolist() == list(bounds)
