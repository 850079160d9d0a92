"""Optimizers on functions of two numbers, against torch.optim."""

import numpy as np
import pytest
import torch

import harness as h
from harness.core.surfaces import SURFACES
from tests.probes.recipes import recipe

STEPS = 20
TWINS = {
    "sgd": (h.SGD(lr=2e-3), lambda at, lr: torch.optim.SGD([at], lr=lr)),
    "momentum": (
        h.SGD(lr=2e-3, momentum=0.9),
        lambda at, lr: torch.optim.SGD([at], lr=lr, momentum=0.9),
    ),
    "adam": (h.Adam(lr=0.05), lambda at, lr: torch.optim.Adam([at], lr=lr)),
}


def measured(optimizer, seeds=1, **fields):
    spec = recipe(optimizer=optimizer, steps=2, eval_every=2)
    return h.train(spec, seeds=seeds, probes=[h.Surfaces(steps=STEPS, **fields)]).arrays[0]


def by_torch(twin, surface, lr):
    at = torch.tensor(surface.start, dtype=torch.float64, requires_grad=True)
    optimizer, path, values = twin(at, lr), [], []
    for step in range(STEPS + 1):
        value = surface.value(*at)
        path.append(at.detach().numpy().copy())
        values.append(value.item())
        if step < STEPS:
            (at.grad,) = torch.autograd.grad(value, at)
            optimizer.step()
    return np.array(path).T, np.mean(values)


@pytest.mark.parametrize("name", TWINS)
def test_paths_at_the_own_rate_are_those_of_torch(name):
    optimizer, twin = TWINS[name]
    arrays = measured(optimizer, rates=1)
    assert set(arrays["surfaces/rates"]) == {optimizer.lr}
    for path, surface in zip(arrays["surfaces/paths"], SURFACES.values(), strict=True):
        expected, _ = by_torch(twin, surface, optimizer.lr)
        np.testing.assert_allclose(path, expected, rtol=1e-6, atol=1e-8)


def test_the_rate_taken_is_the_one_that_is_lowest_along_the_way():
    optimizer, twin = TWINS["momentum"]
    arrays = measured(optimizer, rates=5)
    for rate, surface in zip(arrays["surfaces/rates"], SURFACES.values(), strict=True):
        means = {lr: by_torch(twin, surface, lr)[1] for lr in (1e-4, 1e-3, 1e-2, 1e-1, 1.0)}
        known = {lr: mean for lr, mean in means.items() if np.isfinite(mean)}
        assert rate == pytest.approx(min(known, key=known.get))


def test_a_path_that_diverges_stays_where_it_was_last_within_bounds():
    arrays = measured(h.SGD(lr=1.0), rates=1)
    valley = arrays["surfaces/paths"][0]
    # θ ← (1 − 18)θ along the steep axis: 0.7 · 17² = 202 is within 1000, and 17 times as far is not
    assert np.abs(valley[1]).max() == pytest.approx(0.7 * 17**2)
    assert (valley[:, 3:] == valley[:, 2:3]).all()


def test_a_member_s_path_does_not_depend_on_its_cohort():
    alone, together = (measured(h.Adam(lr=0.01), seeds=n)["surfaces/paths"] for n in (1, 3))
    assert (alone == together).all()


def test_another_library_s_optimizer_has_none():
    spec = recipe(
        optimizer={"name": "torch.optim.SGD", "lr": 0.01}, steps=2, eval_every=2, model=h.Linear()
    )
    assert not h.train(spec, probes=[h.Surfaces()]).arrays.get(0)
