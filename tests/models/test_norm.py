"""Normalization layers of a cohort against torch's."""

import pytest
import torch
from torch import nn

from harness.models.base import Context
from harness.models.norm import NORMS, BatchNorm

SHAPES = {"batch": (20, 6), "positions": (5, 4, 6), "pictures": (5, 2, 2, 6)}


def drawn(*shape, seed=0):
    stream = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=stream, dtype=torch.float64)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_running_statistics_are_torch_s(shape):
    layer, twin = BatchNorm("norm", 6), nn.BatchNorm1d(6).double()
    params = {"norm.weight": torch.ones(1, 6).double(), "norm.bias": torch.zeros(1, 6).double()}
    buffers = {n: b.double()[None] for n, b in layer.buffers().items()}
    ctx = Context(training=True, buffers=buffers)
    for step in range(3):
        x = 2 + 3 * drawn(*shape, seed=step)
        expected = twin(x.flatten(0, -2)).view(shape)
        torch.testing.assert_close(layer(params, x[None], ctx)[0], expected, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(ctx.buffers["norm.mean"][0], twin.running_mean, rtol=1e-12, atol=0)
    torch.testing.assert_close(ctx.buffers["norm.var"][0], twin.running_var, rtol=1e-12, atol=0)
    before = {n: b.clone() for n, b in ctx.buffers.items()}
    evaluated = layer(params, x[None], Context(buffers=ctx.buffers))[0]
    expected = twin.eval()(x.flatten(0, -2)).view(shape)
    torch.testing.assert_close(evaluated, expected, rtol=1e-12, atol=1e-13)
    assert all(torch.equal(ctx.buffers[n], b) for n, b in before.items()), "evaluation moves none"


def test_a_single_sample_comes_out_as_the_shift_to_the_bit():
    layer = BatchNorm("norm", 50)
    params = {"norm.weight": drawn(2, 50).float(), "norm.bias": drawn(2, 50, seed=1).float()}
    buffers = {n: b[None] for n, b in layer.buffers().items()}
    x = 1e3 * drawn(2, 1, 50, seed=2).float()
    out = layer(params, x, Context(training=True, buffers=buffers))
    assert torch.equal(out[:, 0], params["norm.bias"])


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("norm", NORMS)
def test_what_comes_out_has_mean_0_and_deviation_1_over_what_is_normalised(norm, shape):
    layer = NORMS[norm]("norm", 6)
    params = {"norm.weight": torch.ones(1, 6).double(), "norm.bias": torch.zeros(1, 6).double()}
    buffers = {n: b.double()[None] for n, b in layer.buffers().items()}
    out = layer(params, 2 + 3 * drawn(1, *shape), Context(training=True, buffers=buffers))
    rows = out.flatten(0, -2) if norm == "batch" else out.flatten(0, -2).T
    assert rows.mean(0).abs().max() < 1e-12
    # ε = 1e-5 is added to σ², which leaves the deviation a little below 1
    ones = torch.ones(rows.shape[1], dtype=torch.float64)
    torch.testing.assert_close(rows.std(0, correction=0), ones, rtol=1e-4, atol=0)
