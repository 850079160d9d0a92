"""What mathematics and DeepOBS say about quadratics."""

import math

import numpy as np
import pytest
import torch

import harness as h
from harness import train
from harness.core.parameter_layout import layout_of
from harness.protocol.train import train_outcomes


def descend(optimizer, curvatures, steps, noise=0.0, members=1, seed=0):
    """Run an optimizer on ½Σ hᵢθᵢ² from θ = 1; return the path (steps + 1, members, dimensions)."""
    h_D = torch.tensor(curvatures, dtype=torch.float64)
    layout = layout_of({"w": (len(curvatures),)})
    w_KP = layout.pack(
        {"w": torch.ones(members, len(curvatures), dtype=torch.float64)},
        torch.zeros(members, layout.width).double(),
    )
    state, stream = optimizer.init(w_KP), torch.Generator().manual_seed(seed)
    hyper = {
        n: torch.full((members, 1), v, dtype=torch.float64) for n, v in optimizer.numbers().items()
    }
    path = [layout.view(w_KP, "w").clone()]
    for _ in range(steps):
        g = h_D * layout.view(w_KP, "w") + noise * torch.randn(
            members, len(curvatures), generator=stream, dtype=torch.float64
        )
        w_KP, state = optimizer.update(layout.pack({"w": g}, w_KP), state, w_KP, hyper, layout)
        path.append(layout.view(w_KP, "w").clone())
    return torch.stack(path)


@pytest.mark.parametrize("factor, grows", [(0.999, False), (1.001, True)])
def test_gradient_descent_diverges_beyond_two_over_the_top_curvature(factor, grows):
    path = descend(h.SGD(lr=factor * 2 / 50.0), [1.0, 50.0], 2000)
    assert (path[-1].norm() > path[0].norm()) == grows


@pytest.mark.parametrize("kappa, rate", [(100, 0.8182), (1000, 0.9387)])
def test_heavy_ball_contracts_at_the_root_of_beta(kappa, rate):
    root = math.sqrt(kappa)
    beta = ((root - 1) / (root + 1)) ** 2
    path = descend(h.SGD(lr=(2 / (root + 1)) ** 2, momentum=beta), [1.0, float(kappa)], 600)
    # the critically damped ends contract like t·√β^t: compare far apart steps
    measured = float((path[600].norm() / path[300].norm()) ** (1 / 300))
    assert math.sqrt(beta) == pytest.approx(rate, abs=5e-5)
    assert measured == pytest.approx(rate, rel=4e-3)


@pytest.mark.parametrize(
    "lr, momentum, variance", [(0.1, 0.0, 0.027778), (0.5, 0.0, 0.25), (0.1, 0.9, 0.263889)]
)
def test_stationary_variance_of_sgd(lr, momentum, variance):
    path = descend(h.SGD(lr=lr, momentum=momentum), [2.0], 6000, noise=1.0, members=256)
    assert float(path[600:].var()) == pytest.approx(variance, rel=0.01)


DEEPOBS = {
    "SGD 1e-4": (h.SGD(lr=1e-4), 106.628),
    "SGD 1e-3": (h.SGD(lr=1e-3), 95.853),
    "momentum 1e-5": (h.SGD(lr=1e-5, momentum=0.99), 96.755),
    "Adam 1e-4": (h.Adam(lr=1e-4), 280.310),
    "Adam 1e-3": (h.Adam(lr=1e-3), 106.699),
    "Adam 1e-2": (h.Adam(lr=1e-2), 88.531),
}


def deepobs(optimizer):
    """DeepOBS keeps the last partial batch out, and sees the batches in the same order every epoch."""
    return h.Recipe(
        data="quadratic_deep",
        optimizer=optimizer,
        batch_size=128,
        drop_last=True,
        batch_order="sequential",
        epochs=100,
    )


@pytest.mark.parametrize("name", DEEPOBS)
def test_deepobs_quadratic_deep(name):
    optimizer, expected = DEEPOBS[name]
    trained = train(deepobs(optimizer), test=True)
    assert float(trained.runs["test/loss"][0]) == pytest.approx(expected, rel=3e-3)


def test_deepobs_start_and_divergence():
    trained = train(deepobs(h.SGD(lr=0.0398)).with_values({"epochs": 300}), test=True)
    assert trained.runs["status"][0] == "diverged" or trained.curves["train/loss"].iloc[-1] > 1e4
    from harness.losses.quadratic import quadratic_deep_hessian

    assert np.linalg.eigvalsh(quadratic_deep_hessian())[-1] == pytest.approx(53.1290, abs=1e-4)
    data = h.Recipe(
        data="quadratic_deep", optimizer=h.SGD(lr=1e-12), steps=1, drop_last=True, batch_size=128
    )
    assert float(train(data, test=True).runs["test/loss"][0]) == pytest.approx(353.447, abs=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, rate, value",
    [("rosenbrock", 0.02, 0.0), ("beale", 0.02, 0.0), ("branin", 0.1, 0.397887)],
)
def test_functions_are_minimised(name, rate, value):
    recipe = h.Recipe(
        data=name, optimizer=h.Adam(lr=rate), steps=6000, dtype="float64", eval_every=1000
    )
    (outcome,) = train_outcomes(recipe, [0])
    assert outcome.points[-1].metrics["train/loss"] == pytest.approx(value, abs=1e-5)
