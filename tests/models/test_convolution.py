"""Convolutions of a cohort, forward and backward, against torch's in float64."""

from itertools import product

import pytest
import torch
from torch.nn import functional

from harness.models.convolution import Conv

MEMBERS, SAMPLES, CHANNELS = 2, 3, (3, 4)
SHAPES = [
    (axes, kernel, stride, padding, size)
    for axes, kernel, stride, padding, size in product(
        (1, 2), (1, 2, 3, 5), (1, 2, 3), (0, 1, 2), (1, 2, 5, 8)
    )
    if size + 2 * padding >= kernel > padding  # one output at least; no patch of padding alone
]


@pytest.mark.parametrize("axes, kernel, stride, padding, size", SHAPES)
def test_outputs_and_gradients_are_torch_s(axes, kernel, stride, padding, size):
    stream = torch.Generator().manual_seed(0)

    def drawn(*shape):
        return torch.randn(*shape, generator=stream, dtype=torch.float64)

    conv = Conv("conv", CHANNELS, kernel, stride, padding, axes)
    params = {n: drawn(MEMBERS, *w.shape) for n, w in conv.weights().items()}
    sizes = [size] + [size + 1] * (axes - 1)  # images that are no squares
    x_KBC = drawn(MEMBERS, SAMPLES, CHANNELS[0], *sizes)

    out, patches = conv(params, x_KBC.movedim(1, -1))
    assert list(out.shape[2:-1]) == [conv.size(s) for s in sizes]
    d = drawn(*out.shape)
    into = {n: torch.full_like(p, torch.nan) for n, p in params.items()}
    conv.write_gradients(patches, d, into)
    d_input = conv.input_gradient(params, d, sizes)

    convolve = (functional.conv1d, functional.conv2d)[axes - 1]
    for k in range(MEMBERS):
        x, w, b = (t[k].clone().requires_grad_() for t in (x_KBC, *params.values()))
        expected = convolve(x, w, b, stride, padding)
        torch.testing.assert_close(out[k].movedim(-1, 0), expected, rtol=1e-12, atol=1e-12)
        g_x, g_w, g_b = torch.autograd.grad(expected, (x, w, b), d[k].movedim(-1, 0))
        torch.testing.assert_close(into["conv.weight"][k], g_w, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(into["conv.bias"][k], g_b, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(d_input[k].movedim(-1, 0), g_x, rtol=1e-12, atol=1e-12)


def test_some_shapes_have_taps_that_see_only_padding():
    def blind(kernel, stride, padding, size):
        outputs = (size + 2 * padding - kernel) // stride + 1
        first_tap = {stride * p - padding for p in range(outputs)}
        return first_tap.isdisjoint(range(size))

    assert any(blind(*shape[1:]) for shape in SHAPES) and len(SHAPES) > 100
