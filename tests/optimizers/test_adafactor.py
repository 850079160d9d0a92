"""Adafactor's matrices: the kernels of a convolution are one, and a small tensor moves by its least scale."""

import torch

import harness as h
from harness.core.parameter_layout import layout_of
from tests.optimizers.rows import hyper_of, relative


def test_kernels_move_as_one_matrix_does_in_torch():
    layout, stream = layout_of({"kernels": (5, 3, 2)}), torch.Generator().manual_seed(0)
    w = 1e-4 * torch.randn(5, 3, 2, generator=stream, dtype=torch.float64)
    twin = torch.nn.Parameter(w.reshape(5, 6).clone())
    theirs, optimizer = torch.optim.Adafactor([twin], lr=0.05), h.Adafactor(lr=0.05)
    w_KP = layout.pack({"kernels": w[None]}, torch.zeros(1, layout.width, dtype=torch.float64))
    state, hyper = optimizer.init(w_KP), hyper_of(optimizer)
    for _ in range(20):
        g = torch.randn(5, 3, 2, generator=stream, dtype=torch.float64)
        w_KP, state = optimizer.update(
            layout.pack({"kernels": g[None]}, w_KP), state, w_KP, hyper, layout
        )
        twin.grad = g.reshape(5, 6)
        theirs.step()
    assert relative(layout.view(w_KP, "kernels")[0].reshape(5, 6), twin.detach()) <= 1e-12
