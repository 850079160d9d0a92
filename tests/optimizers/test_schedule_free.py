"""Schedule-Free: where it evaluates, what it averages, and what decays."""

import pytest
import torch

import harness as h
from tests.cases import OPTIMIZERS
from tests.optimizers.rows import LAYOUT, SHAPES, gradients, hyper_of, relative, rows, starts

NAMES = ["Schedule-Free SGD", "Schedule-Free AdamW"]


@pytest.fixture(autouse=True)
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def run(optimizer, factor=lambda t: 1.0, decay=0.0, steps=30):
    """Return z, x and y after some updates, the z of all, and the state."""
    w_KP, path = rows(starts()), []
    state, hyper = optimizer.init(w_KP), hyper_of(optimizer)
    for t, g in enumerate(gradients(steps)):
        w_KP = w_KP * (1 - hyper["lr"] * decay)
        own = hyper | {"lr": hyper["lr"] * factor(t)}
        w_KP, state = optimizer.update(rows(g), state, w_KP, own, LAYOUT)
        path.append(state.z_KP.clone())
    return w_KP, state, torch.stack(path)


@pytest.mark.parametrize("name", NAMES)
def test_the_point_of_evaluation_is_the_twin_s(name):
    case = OPTIMIZERS[name]
    parameters = {n: torch.nn.Parameter(v.clone()) for n, v in starts().items()}
    weight, bias = parameters.values()
    twin = case.twin([{"params": weight}, {"params": bias, "weight_decay": 0.0}])
    for g in gradients(30):
        for n, parameter in parameters.items():
            parameter.grad = g[n].clone()
        twin.step()
    twin.eval()
    _, state, _ = run(case.optimizer)
    point = {n: v[0] for n, v in LAYOUT.views(case.optimizer.evaluation_point(state)).items()}
    for n in SHAPES:
        assert relative(point[n], parameters[n].detach()) <= 1e-12


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_mean_of_all_steps(name):
    optimizer = OPTIMIZERS[name].optimizer
    w_KP, state, path = run(optimizer)
    x_KP = optimizer.evaluation_point(state)
    assert torch.allclose(x_KP, path.mean(0), rtol=1e-12, atol=1e-14)
    # momentum of SGD and β₁ of AdamW are 0.9 both
    assert torch.allclose(w_KP, 0.1 * path[-1] + 0.9 * x_KP, rtol=1e-12, atol=1e-14)


def test_the_mean_weighs_by_the_largest_rate_and_a_warm_up_may_start_at_zero():
    factors = [0.0, 0.5, 1.0, 0.25]
    optimizer = h.ScheduleFreeSGD(lr=0.1)
    _, state, path = run(optimizer, factors.__getitem__, steps=4)
    weights = torch.tensor([0.0, 0.25, 1.0, 1.0])
    expected_KP = (weights[:, None, None] * path).sum(0) / weights.sum()
    assert torch.allclose(state.x_KP, expected_KP, rtol=1e-12, atol=1e-14)


def test_a_regularizer_s_decay_is_a_step_as_the_optimizer_s_own():
    own, *_ = run(h.ScheduleFreeSGD(lr=0.1, weight_decay=0.2, exempt=()))
    apart, *_ = run(h.ScheduleFreeSGD(lr=0.1), decay=0.2)
    none, *_ = run(h.ScheduleFreeSGD(lr=0.1))
    assert relative(apart, own) <= 1e-12 and relative(none, own) > 1e-2
