"""Functions of two numbers, against autograd and what is known of them."""

import pytest
import torch

from harness.core.surfaces import SURFACES


@pytest.mark.parametrize("name", SURFACES)
def test_gradients_are_autograd_s_and_vanish_at_the_minimum(name):
    surface = SURFACES[name]
    for at in ((-1.3, 0.4), (0.7, -2.1), surface.start):
        x, y = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in at)
        expected = torch.autograd.grad(surface.value(x, y), (x, y))
        assert surface.gradient(*at) == pytest.approx([float(g) for g in expected], rel=1e-12)
    assert surface.gradient(*surface.minimum) == pytest.approx((0, 0), abs=1e-12)
    assert surface.value(*surface.minimum) < surface.value(*surface.start)


def test_published_values():
    assert SURFACES["rosenbrock"].value(-1.2, 1.0) == pytest.approx(24.2)  # Moré et al. 1981
    assert SURFACES["beale"].value(1.0, 1.0) == pytest.approx(14.203125)  # the same, problem 5


@pytest.mark.parametrize("name", SURFACES)
def test_start_and_minimum_are_in_the_picture(name):
    surface = SURFACES[name]
    for place in (surface.start, surface.minimum):
        assert all(low < at < high for at, (low, high) in zip(place, surface.box, strict=True))
