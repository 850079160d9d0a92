"""Gradient and update norms and cosines, against a plain PyTorch loop."""

import pytest
import torch
from torch import nn

import harness as h
from harness.data.base import load_data
from harness.spec.resolved import resolve
from tests.probes.recipes import every, recipe, table


def test_norms_and_cosines_are_those_of_a_plain_pytorch_loop():
    spec = recipe(batch_order="sequential")
    trained = h.train(
        spec, seeds=1, probes=every("GradientNorm", "UpdateRatio", "Alignment", stride=1)
    )
    data = load_data(spec.data)
    x, y = torch.tensor(data.train.x), torch.tensor(data.train.y)
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 9), nn.ReLU(), nn.Linear(9, 10)
    ).double()
    from harness.engine.initialize import initial_weights
    from harness.engine.program import program_of

    program = program_of(resolve(spec))
    start = program.layout.views(initial_weights(program, [0]))
    with torch.no_grad():
        for p, w in zip(net.parameters(), start.values(), strict=True):
            p.copy_(w[0])
    optimizer = torch.optim.SGD(net.parameters(), 0.05, 0.9)
    gradient, update, alignment = (table(trained, p) for p in ("gradient", "update", "alignment"))
    last = None
    for step in range(9):
        rows = torch.arange(50) + 50 * (step % 4)
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x[rows]), y[rows].argmax(1)).backward()
        g = torch.cat([p.grad.flatten() for p in net.parameters()])
        before = [p.detach().clone() for p in net.parameters()]
        optimizer.step()
        moved = [p.detach() - b for p, b in zip(net.parameters(), before, strict=True)]
        assert gradient.loc[(0, step), "gradient/all"] == pytest.approx(float(g.norm()), rel=1e-9)
        assert gradient.loc[(0, step), "gradient/hidden.1"] == pytest.approx(
            float(net[2].weight.grad.norm()), rel=1e-9
        )
        ratio = float(net[0].weight.grad.norm() / net[2].weight.grad.norm())
        assert gradient.loc[(0, step), "gradient/ratio"] == pytest.approx(ratio, rel=1e-9)
        assert update.loc[(0, step), "update/out"] == pytest.approx(
            float(moved[4].norm() / before[4].norm()), rel=1e-9
        )
        if last is not None:
            cosine = nn.functional.cosine_similarity(g, last, dim=0)
            assert alignment.loc[(0, step), "alignment/gradients"] == pytest.approx(
                float(cosine), rel=1e-9
            )
        last = g


def ratio_of(metric="ratio", **fields):
    """Return a gradient ratio of 30 layers of 256 sigmoids, Xavier's normal weights, no biases, at the start."""
    model = h.MLP(**{"widths": (256,) * 30, "activation": "sigmoid", "bias": False} | fields)
    data = h.TeacherStudent(features=256)
    spec = recipe(
        model, init=h.Xavier(distribution="normal"), steps=1, eval_every=1, data=data, batch_size=64
    )
    start = h.train(spec, probes=every("GradientNorm")).curves.iloc[0]
    for name, first in (("ratio", 0), ("hidden_ratio", 1)):
        assert start[f"gradient/{name}"] == pytest.approx(
            start[f"gradient/hidden.{first}"] / start["gradient/hidden.29"]
        )
    return start[f"gradient/{metric}"]


def test_gradients_vanish_through_thirty_sigmoid_layers_and_are_cured():
    assert ratio_of() < 1e-15
    assert ratio_of(norm="batch") > 0.1
    # the first layer has no skip around it: what the skips do shows in the layers they cover
    assert ratio_of("hidden_ratio", residual=True) > 0.1
    assert ratio_of("hidden_ratio") < 1e-15
